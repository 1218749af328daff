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
    /// Whether passwords are made ready for SCRAM when they are shown.
    pub scram: bool,
    /// Completes user names that have no domain.
    pub default_domain: Option<Domain>,
    /// What the hash of an account password costs.
    pub argon2: Cost,
    /// Wrong passwords of one account.
    pub password: Allowance,
    /// Wrong codes of one account's second factor.
    pub totp: Allowance,
    /// Wrong passwords of one account in a day, and as many wrong codes; beyond, those from networks that are not familiar to it
    /// are not judged.
    pub day: Allowance,
    /// Anything wrong from one network.
    pub network: Allowance,
}

/// Different accounts that a network may fail on within its window. People have a few; who tries one password on many
/// accounts needs many.
const ACCOUNTS_OF_A_NETWORK: u32 = 20;

/// What an account may fail in a day: 100 consecutive failures are the most that NIST SP 800-63B allows (section 5.2.2).
const DAY: (u32, SignedDuration) = (100, SignedDuration::from_hours(24));

impl Policy {
    /// So many failures within so much time, for each of these.
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

    /// The user that is meant by a name: one without a domain is of the default one.
    pub(crate) fn completed(&self, name: String) -> String {
        match &self.default_domain {
            Some(domain) => domain.complete(&name),
            None => name,
        }
    }
}
