//! The counters of one guess at an account, be it at a password or at a code: that of the minute, which a success clears, and that of
//! the day, which ends by itself.
//!
//! Five guesses a minute are seven thousand a day. So after a hundred failures of an account, from wherever, only attempts from
//! networks that are familiar to it are judged, until a day has passed since the first.

use ipnet::IpNet;
use jiff::Timestamp;
use store::{Counter, Mark, ThrottleKey, ThrottleKind, Throttled, Throttles};

use crate::policy::Policy;

/// Where a code comes from, as far as counters ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CodeFrom {
    /// The command line of the server: no network is in question.
    CommandLine,
    /// A network that is familiar to the account, which has a counter of the minute for itself: nobody elsewhere locks its owner out.
    FamiliarNetwork(IpNet),
    /// Any other network.
    OtherNetwork,
}

/// One guess, as it is counted.
pub(crate) struct Guesses {
    /// The counter of the minute.
    own: Counter,
    /// The counter of the day.
    day: Counter,
    /// Whether the guess comes from a familiar network, so that the counter of the day does not stop it.
    is_familiar: bool,
}

impl Guesses {
    /// A guess at the password of this account, with a counter of the minute that its network has for itself, if it is
    /// familiar.
    pub(crate) fn at_password(own: ThrottleKey, mark: Mark, policy: &Policy) -> Self {
        let is_familiar = own.network.is_some();
        let day = ThrottleKey { kind: ThrottleKind::PasswordDay, network: None, ..own.clone() };
        Self {
            own: Counter { key: own, allowance: policy.password, mark },
            day: Counter { key: day, allowance: policy.day, mark },
            is_familiar,
        }
    }

    /// A guess at a code of this account.
    pub(crate) fn at_code(account: String, mark: Mark, policy: &Policy, from: CodeFrom) -> Self {
        let network = if let CodeFrom::FamiliarNetwork(network) = from { Some(network) } else { None };
        let day = ThrottleKey { kind: ThrottleKind::TotpDay, account: Some(account), network: None };
        let own = ThrottleKey { kind: ThrottleKind::Totp, network, ..day.clone() };
        Self {
            own: Counter { key: own, allowance: policy.totp, mark },
            day: Counter { key: day, allowance: policy.day, mark },
            is_familiar: from != CodeFrom::OtherNetwork,
        }
    }

    /// Whether the guess comes from a network that is familiar to the account.
    pub(crate) fn is_familiar(&self) -> bool {
        self.is_familiar
    }

    /// The counters that may stop the guess.
    pub(crate) fn in_its_way(&self) -> impl Iterator<Item = &Counter> {
        std::iter::once(&self.own).chain((!self.is_familiar).then_some(&self.day))
    }

    /// Counts the guess as failed, unless there were too many. The counter of the day counts it even where it does not stop it.
    pub(crate) async fn enter(
        &self,
        store: &impl Throttles,
        now: Timestamp,
    ) -> Result<Option<Throttled>, store::Error> {
        let counters: Vec<_> = self.in_its_way().cloned().collect();
        let throttled = store.attempt(&counters, now).await?;
        if throttled.is_none() && self.is_familiar {
            store.attempt(std::slice::from_ref(&self.day), now).await?;
        }
        Ok(throttled)
    }

    /// The guess was right: the counter of the minute is cleared. The counter of the day only takes this guess back; if it were
    /// cleared, somebody who guesses on would have a fresh hundred after each login of the owner.
    pub(crate) async fn right(&self, store: &impl Throttles) -> Result<(), store::Error> {
        store.succeeded(std::slice::from_ref(&self.own), std::slice::from_ref(&self.day)).await
    }

    /// Takes the guess back from both counters: it was none.
    pub(crate) async fn take_back(&self, store: &impl Throttles) -> Result<(), store::Error> {
        store.withdraw(&[self.own.clone(), self.day.clone()]).await
    }
}
