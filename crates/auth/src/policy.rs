//! What the operator has decided about logging in.

use jiff::SignedDuration;
use store::Allowance;
use types::Domain;

use crate::password_hash::phc::Cost;

/// What the operator has decided about logging in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Whether a client with the right account password is told that it needs an app password.
    pub hint_app_password: bool,
    /// Whether SCRAM keys are made of passwords at logins that show them.
    pub scram: bool,
    /// The domain that completes user names without one.
    pub default_domain: Option<Domain>,
    /// What the hash of an account password costs.
    pub argon2: Cost,
    /// How many wrong passwords one account may have.
    pub password: Allowance,
    /// How many wrong codes of its second factor one account may have.
    pub totp: Allowance,
    /// How many wrong passwords, and as many wrong codes, one account may have in a day; beyond, attempts from networks that are not
    /// familiar to it are not judged.
    pub day: Allowance,
    /// How many refused attempts one network may have.
    pub network: Allowance,
}

/// Different accounts that a network may fail on within its window. People have a few; who tries one password on many
/// accounts needs many.
const ACCOUNTS_OF_A_NETWORK: u32 = 20;

/// What an account may fail in a day: 100 consecutive failures are the most that NIST SP 800-63B allows (section 5.2.2).
const DAY: (u32, SignedDuration) = (100, SignedDuration::from_hours(24));

impl Policy {
    /// A policy that allows so many failures within so much time: passwords and codes of one account, attempts from one network.
    #[must_use]
    pub fn new(
        hint_app_password: bool,
        password: (u32, SignedDuration),
        totp: (u32, SignedDuration),
        network: (u32, SignedDuration),
    ) -> Self {
        let allow = |(failures, window), accounts| Allowance { failures, accounts, window };
        Self {
            hint_app_password,
            scram: false,
            default_domain: None,
            argon2: Cost::default(),
            password: allow(password, u32::MAX),
            totp: allow(totp, u32::MAX),
            day: allow(DAY, u32::MAX),
            network: allow(network, ACCOUNTS_OF_A_NETWORK),
        }
    }

    /// The name with the default domain, if it has none.
    pub(crate) fn completed(&self, name: String) -> String {
        match &self.default_domain {
            Some(domain) => domain.complete(&name),
            None => name,
        }
    }
}
