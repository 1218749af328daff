//! What an API token is good for.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A scope of an API token: one kind of thing, to read or to change.
///
/// Exhaustive: what a token opens must not be decided by an arm for everything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Seeing one's own account: its app passwords, identities, certificates, sessions and sign-ins.
    AccountRead,
    /// Changing it, but for its password, its second factor and its tokens.
    AccountWrite,
    /// Seeing what one has sent; with [`Scope::AccountsRead`] what everybody has.
    MessagesRead,
    /// Taking it back, and stopping it.
    MessagesWrite,
    /// Seeing everybody's accounts.
    AccountsRead,
    /// Changing them.
    AccountsWrite,
    /// Seeing the queue.
    QueueRead,
    /// Holding, releasing, retrying, returning and removing what is in it.
    QueueWrite,
    /// Seeing who is locked out.
    ThrottlesRead,
    /// Letting them in.
    ThrottlesWrite,
    /// Reading the audit trail.
    AuditRead,
    /// Seeing the domains, their DNS records and their DKIM keys.
    DomainsRead,
    /// Making, activating and retiring DKIM keys.
    DomainsWrite,
    /// Seeing how the server is doing.
    HealthRead,
    /// Seeing who may send how much.
    LimitsRead,
    /// Changing it.
    LimitsWrite,
    /// Seeing the webhooks and their deliveries.
    WebhooksRead,
    /// Adding, testing and removing webhooks.
    WebhooksWrite,
    /// Reading the metrics.
    MetricsRead,
}

/// A scope that does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown scope; there are account, accounts, domains, limits, messages, queue, throttles and webhooks, each with :read or :write, and audit:read, health:read and metrics:read"
)]
pub struct UnknownScope;

impl Scope {
    /// Every scope there is: those of one's own account first.
    pub const ALL: [Self; 19] = [
        Self::AccountRead,
        Self::AccountWrite,
        Self::MessagesRead,
        Self::MessagesWrite,
        Self::AccountsRead,
        Self::AccountsWrite,
        Self::QueueRead,
        Self::QueueWrite,
        Self::ThrottlesRead,
        Self::ThrottlesWrite,
        Self::AuditRead,
        Self::DomainsRead,
        Self::DomainsWrite,
        Self::HealthRead,
        Self::LimitsRead,
        Self::LimitsWrite,
        Self::WebhooksRead,
        Self::WebhooksWrite,
        Self::MetricsRead,
    ];

    /// The scope as it is written and stored.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AccountRead => "account:read",
            Self::AccountWrite => "account:write",
            Self::MessagesRead => "messages:read",
            Self::MessagesWrite => "messages:write",
            Self::AccountsRead => "accounts:read",
            Self::AccountsWrite => "accounts:write",
            Self::QueueRead => "queue:read",
            Self::QueueWrite => "queue:write",
            Self::ThrottlesRead => "throttles:read",
            Self::ThrottlesWrite => "throttles:write",
            Self::AuditRead => "audit:read",
            Self::DomainsRead => "domains:read",
            Self::DomainsWrite => "domains:write",
            Self::HealthRead => "health:read",
            Self::LimitsRead => "limits:read",
            Self::LimitsWrite => "limits:write",
            Self::WebhooksRead => "webhooks:read",
            Self::WebhooksWrite => "webhooks:write",
            Self::MetricsRead => "metrics:read",
        }
    }

    /// Whether only an administrator may have it. The others are about whoever's token it is.
    #[must_use]
    pub const fn needs_administrator(self) -> bool {
        match self {
            Self::AccountRead | Self::AccountWrite | Self::MessagesRead | Self::MessagesWrite => false,
            Self::AccountsRead
            | Self::AccountsWrite
            | Self::QueueRead
            | Self::QueueWrite
            | Self::ThrottlesRead
            | Self::ThrottlesWrite
            | Self::AuditRead
            | Self::DomainsRead
            | Self::DomainsWrite
            | Self::HealthRead
            | Self::LimitsRead
            | Self::LimitsWrite
            | Self::WebhooksRead
            | Self::WebhooksWrite
            | Self::MetricsRead => true,
        }
    }

    /// Whether whoever has this scope may do what `other` is for: changing a kind of thing implies seeing it.
    #[must_use]
    pub fn includes(self, other: Self) -> bool {
        self == other || self.read() == Some(other)
    }

    /// The scope that sees what this one changes.
    const fn read(self) -> Option<Self> {
        match self {
            Self::AccountWrite => Some(Self::AccountRead),
            Self::MessagesWrite => Some(Self::MessagesRead),
            Self::AccountsWrite => Some(Self::AccountsRead),
            Self::QueueWrite => Some(Self::QueueRead),
            Self::ThrottlesWrite => Some(Self::ThrottlesRead),
            Self::DomainsWrite => Some(Self::DomainsRead),
            Self::LimitsWrite => Some(Self::LimitsRead),
            Self::WebhooksWrite => Some(Self::WebhooksRead),
            Self::AccountRead
            | Self::MessagesRead
            | Self::AccountsRead
            | Self::QueueRead
            | Self::ThrottlesRead
            | Self::AuditRead
            | Self::DomainsRead
            | Self::HealthRead
            | Self::LimitsRead
            | Self::WebhooksRead
            | Self::MetricsRead => None,
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(name: &str) -> Result<Self, UnknownScope> {
        Self::ALL.into_iter().find(|scope| scope.name() == name).ok_or(UnknownScope)
    }
}

impl Serialize for Scope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = std::borrow::Cow::<str>::deserialize(deserializer)?;
        name.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_reads_back_from_its_name_and_from_no_other() {
        for scope in Scope::ALL {
            assert_eq!(scope.name().parse(), Ok(scope));
            assert_eq!(serde_json::to_value(scope).unwrap(), scope.name());
            assert_eq!(serde_json::from_value::<Scope>(scope.name().into()).unwrap(), scope);
        }
        for name in ["", "account", "account:", "ACCOUNT:READ", "audit:write", "account:read "] {
            assert_eq!(name.parse::<Scope>(), Err(UnknownScope), "{name:?}");
            assert!(serde_json::from_value::<Scope>(name.into()).is_err(), "{name:?}");
        }
    }

    #[test]
    fn changing_implies_seeing_the_same_and_nothing_else() {
        for scope in Scope::ALL {
            for other in Scope::ALL {
                let implied = scope.name().strip_suffix("write").map(|kind| format!("{kind}read"));
                let expected = scope == other || implied.as_deref() == Some(other.name());
                assert_eq!(scope.includes(other), expected, "{scope} {other}");
            }
        }
    }

    #[test]
    fn what_is_ones_own_needs_no_administrator() {
        let own = Scope::ALL.into_iter().filter(|scope| !scope.needs_administrator());
        let own: Vec<_> = own.map(Scope::name).collect();
        assert_eq!(own, ["account:read", "account:write", "messages:read", "messages:write"]);
    }

    #[test]
    fn an_unknown_scope_is_told_which_there_are() {
        let said = UnknownScope.to_string();
        for scope in Scope::ALL {
            let (kind, _) = scope.name().split_once(':').unwrap();
            assert!(said.contains(kind), "{kind}");
        }
    }
}
