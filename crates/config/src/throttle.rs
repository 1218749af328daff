//! `[auth.throttle]`: failures until a lock-out.

use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use crate::fault::Fault;
use crate::value::{self, Time};

/// Failures until a lock-out, by what was guessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Throttle {
    /// Wrong account passwords, per account.
    pub password: Allowance,
    /// Wrong codes of a second factor, per account.
    pub totp: Allowance,
    /// Any failure, per IPv4 address or IPv6 /64.
    pub network: Allowance,
}

/// So many failures in so much time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// How many.
    pub failures: u32,
    /// Counted from the first.
    pub window: Duration,
}

impl Default for Throttle {
    fn default() -> Throttle {
        let allow = |failures, seconds| Allowance { failures, window: Duration::from_secs(seconds) };
        Throttle { password: allow(5, 60), totp: allow(6, 180), network: allow(50, 600) }
    }
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Written {
    password: WrittenAllowance,
    totp: WrittenAllowance,
    network: WrittenAllowance,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WrittenAllowance {
    failures: Option<Spanned<i64>>,
    window: Option<Spanned<Time>>,
}

impl Written {
    pub(crate) fn mean(self) -> Result<Throttle, Fault> {
        let default = Throttle::default();
        Ok(Throttle {
            password: self.password.mean(default.password)?,
            totp: self.totp.mean(default.totp)?,
            network: self.network.mean(default.network)?,
        })
    }
}

impl WrittenAllowance {
    fn mean(self, default: Allowance) -> Result<Allowance, Fault> {
        let (least, most) = (Duration::from_secs(1), Duration::from_secs(86_400));
        Ok(Allowance {
            failures: value::number(self.failures, default.failures, 1..=100_000)?,
            window: value::time(self.window, default.window, least..=most)?,
        })
    }
}
