//! Who is locked out after failed logins, and letting them in.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use auth::Policy;
use ipnet::IpNet;
use store::{
    Act, Allowance, Counted, CountedPlace, Page, ThrottleFilter, ThrottleKind, Throttles as _, network_of,
};
use types::Mailbox;

use crate::{Desk, Listed, Trouble, view};

/// Whose failures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whom {
    /// Those of an account, which need not exist.
    Account(Mailbox),
    /// Those from a network.
    Network(IpNet),
}

/// What failures are not counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write an account like alice@example.org, or an IP address")]
pub struct Nobody;

impl FromStr for Whom {
    type Err = Nobody;

    fn from_str(given: &str) -> Result<Self, Nobody> {
        let network = given.parse::<IpNet>().ok().filter(|network| *network == network_of(network.addr()));
        let network = network.or_else(|| given.parse::<IpAddr>().ok().map(network_of));
        match network {
            Some(network) => Ok(Whom::Network(network)),
            None => Mailbox::parse(given).map(Whom::Account).map_err(|_| Nobody),
        }
    }
}

impl fmt::Display for Whom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Whom::Account(address) => address.fmt(f),
            Whom::Network(network) => network.fmt(f),
        }
    }
}

impl Desk {
    /// Who is locked out, and until when, of a page of the counters that the filter lets through. There may be nobody on a page
    /// that others follow.
    ///
    /// # Errors
    /// When the store can't tell.
    pub async fn locked_out(
        &self,
        filter: &ThrottleFilter,
        page: Page<CountedPlace>,
    ) -> Result<Listed<view::LockOut, CountedPlace>, Trouble> {
        let counted = self.accounts.counted(filter, page, (self.now)()).await?;
        let items = locked_out(&counted, &self.settings.policy);
        Ok(Listed { items, last: counted.last().map(Counted::place) })
    }

    /// Forgets what was counted of them, and so lets them in; says how many counters there were.
    ///
    /// # Errors
    /// When the store does not take it.
    pub async fn let_in(&self, act: &Act, whom: &Whom) -> Result<u64, Trouble> {
        Ok(match whom {
            Whom::Account(address) => self.accounts.clear_account(address, act).await?,
            Whom::Network(network) => self.accounts.clear_network(network, act).await?,
        })
    }
}

/// Those who have used up what is allowed now, which may be another number than when they did.
fn locked_out(counted: &[Counted], policy: &Policy) -> Vec<view::LockOut> {
    let used_up = |counted: &&Counted| allowance(counted.key.kind, policy).is_used_up(&counted.marks);
    counted.iter().filter(used_up).map(view::LockOut::of).collect()
}

fn allowance(kind: ThrottleKind, policy: &Policy) -> Allowance {
    match kind {
        ThrottleKind::Password => policy.password,
        ThrottleKind::Totp => policy.totp,
        ThrottleKind::PasswordDay | ThrottleKind::TotpDay => policy.day,
        ThrottleKind::Network => policy.network,
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use store::{Mark, ThrottleKey};

    use super::*;

    /// A counter with these marks, each an account and a secret.
    fn counted(kind: ThrottleKind, marks: impl IntoIterator<Item = (u8, u8)>) -> Counted {
        let (account, network) = match kind {
            ThrottleKind::Network => (None, Some("2001:db8:1:2::/64".parse().unwrap())),
            ThrottleKind::PasswordDay | ThrottleKind::TotpDay => (Some("alice@example.org".to_owned()), None),
            ThrottleKind::Password | ThrottleKind::Totp => {
                (Some("alice@example.org".to_owned()), Some("192.0.2.7/32".parse().unwrap()))
            }
        };
        let mark = |(account, secret)| Mark { account: [account; 8], secret: [secret; 8] };
        Counted {
            key: ThrottleKey { kind, account, network },
            marks: marks.into_iter().map(mark).collect(),
            until: "2026-11-21T12:00:00Z".parse().unwrap(),
        }
    }

    #[test]
    fn those_are_locked_out_who_have_used_up_what_is_allowed() {
        let all = [
            counted(ThrottleKind::Password, (0..4).map(|n| (0, n))),
            counted(ThrottleKind::Password, (0..5).map(|n| (0, n))),
            counted(ThrottleKind::Totp, (0..5).map(|n| (0, n))),
            counted(ThrottleKind::Network, (0..19).flat_map(|n| [(n, 0), (n, 1)])),
            counted(ThrottleKind::Network, (0..20).map(|n| (n, 0))),
        ];
        let expected = serde_json::json!([
            {
                "kind": "password", "key": "alice@example.org from 192.0.2.7", "failures": 5,
                "until": "2026-11-21T12:00:00Z",
            },
            { "kind": "network", "key": "2001:db8:1:2::/64", "failures": 20, "until": "2026-11-21T12:00:00Z" },
        ]);
        let within = |failures, seconds| (failures, SignedDuration::from_secs(seconds));
        let usual = Policy::new(true, within(5, 60), within(6, 180), within(50, 600));
        assert_eq!(serde_json::to_value(locked_out(&all, &usual)).unwrap(), expected);
    }

    fn whom(given: &str) -> Result<String, Nobody> {
        Ok(match given.parse()? {
            Whom::Account(address) => format!("account {address}"),
            Whom::Network(network) => format!("network {network}"),
        })
    }

    #[test]
    fn an_account_or_a_network_is_meant() {
        for (given, meant) in [
            ("alice@example.org", "account alice@example.org"),
            ("192.0.2.7", "network 192.0.2.7/32"),
            ("::ffff:192.0.2.7", "network 192.0.2.7/32"),
            ("2001:db8:1:2:3::4", "network 2001:db8:1:2::/64"),
            ("2001:db8:1:2::/64", "network 2001:db8:1:2::/64"),
        ] {
            assert_eq!(whom(given).as_deref(), Ok(meant), "{given}");
        }
    }

    #[test]
    fn what_nothing_is_counted_by_is_wrong_usage() {
        for given in ["", "alice", "192.0.2.0/24", "2001:db8::/32", "192.0.2"] {
            assert!(whom(given).is_err(), "{given}");
        }
    }
}
