//! What webhooks are told of.

use std::fmt;
use std::str::FromStr;

/// Something that happened, as webhooks are told of it.
///
/// Exhaustive: whoever is told of something has to deal with each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WebhookEvent {
    /// An account was made, or brought from another server.
    AccountAdded,
    /// An account was barred from logging in.
    AccountDisabled,
    /// It was let in again.
    AccountEnabled,
    /// An account was removed.
    AccountRemoved,
    /// An app password was made.
    AppPasswordCreated,
    /// An app password was revoked.
    AppPasswordRevoked,
    /// An API token was made.
    TokenCreated,
    /// An API token was revoked.
    TokenRevoked,
    /// A second factor was switched on.
    SecondFactorOn,
    /// A second factor was switched off.
    SecondFactorOff,
    /// An account password was set.
    PasswordChanged,
    /// Nothing has happened: somebody tries whether the webhook works. Each webhook takes it.
    Test,
}

/// An event that does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unknown event")]
pub struct UnknownWebhookEvent;

impl WebhookEvent {
    /// Every event that a webhook can be told of.
    pub const ALL: [Self; 11] = [
        Self::AccountAdded,
        Self::AccountDisabled,
        Self::AccountEnabled,
        Self::AccountRemoved,
        Self::AppPasswordCreated,
        Self::AppPasswordRevoked,
        Self::TokenCreated,
        Self::TokenRevoked,
        Self::SecondFactorOn,
        Self::SecondFactorOff,
        Self::PasswordChanged,
    ];

    /// The event as it is written, stored and sent.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AccountAdded => "account.added",
            Self::AccountDisabled => "account.disabled",
            Self::AccountEnabled => "account.enabled",
            Self::AccountRemoved => "account.removed",
            Self::AppPasswordCreated => "app-password.created",
            Self::AppPasswordRevoked => "app-password.revoked",
            Self::TokenCreated => "token.created",
            Self::TokenRevoked => "token.revoked",
            Self::SecondFactorOn => "second-factor.on",
            Self::SecondFactorOff => "second-factor.off",
            Self::PasswordChanged => "password.changed",
            Self::Test => "webhook.test",
        }
    }
}

impl fmt::Display for WebhookEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for WebhookEvent {
    type Err = UnknownWebhookEvent;

    fn from_str(name: &str) -> Result<Self, UnknownWebhookEvent> {
        let mut all = Self::ALL.into_iter().chain([Self::Test]);
        all.find(|event| event.name() == name).ok_or(UnknownWebhookEvent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_reads_back_from_its_name_and_from_no_other() {
        for event in WebhookEvent::ALL.into_iter().chain([WebhookEvent::Test]) {
            assert_eq!(event.name().parse(), Ok(event));
        }
        for name in ["", "account", "ACCOUNT.ADDED", "account.added "] {
            assert_eq!(name.parse::<WebhookEvent>(), Err(UnknownWebhookEvent), "{name:?}");
        }
    }
}
