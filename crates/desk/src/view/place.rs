//! From where and by what an account was logged in to, and what its owner says about it.

use std::net::IpAddr;

use ipnet::IpNet;
use jiff::Timestamp;
use serde::Serialize;
use store::SignInState;
use types::Mailbox;

use super::{AuditEntry, SentMessage};

/// The logins to an account by one credential from one network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// What it is called.
    pub id: String,
    /// By what, as the audit trail has it.
    pub credential: String,
    /// What the owner calls the app password or the certificate.
    pub label: Option<String>,
    /// What for, the last time: `smtp` or `master`.
    pub scope: String,
    /// Where from.
    pub network: IpNet,
    /// From which address of it, the last time.
    pub ip: IpAddr,
    /// The first time.
    pub first_time: Timestamp,
    /// The last time.
    pub time: Timestamp,
}

impl Place {
    pub(crate) fn of(sign_in: &store::SignIn, label: Option<String>) -> Self {
        Self {
            id: sign_in.id.to_string(),
            credential: sign_in.credential.clone(),
            label,
            scope: sign_in.scope.clone(),
            network: sign_in.network,
            ip: sign_in.ip,
            first_time: sign_in.first_at,
            time: sign_in.at,
        }
    }
}

/// A sign-in that may be a stranger's, and what was done with its credential since.
#[derive(Debug, Clone)]
pub struct Disputed {
    /// From where and by what.
    pub place: Place,
    /// What was handed in with it, the newest first; of many the newest alone.
    pub messages: Vec<SentMessage<u32>>,
    /// How many messages of it are in the queue.
    pub waiting: usize,
    /// What was changed of the account from that network.
    pub changes: Vec<AuditEntry>,
    /// Whether it can be made worthless here.
    pub can_revoke: bool,
    /// Whether another account password is chosen for that.
    pub needs_new_password: bool,
    /// What was answered before.
    pub answer: Option<DisputeAnswer>,
}

/// What was done about a sign-in that was not its owner's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DisputeAnswer {
    /// When.
    pub at: Timestamp,
    /// How many messages are held; `None` if none were to be, or that is still to be done.
    pub held: Option<u64>,
    /// Whether messages are still to be held.
    pub is_unfinished: bool,
}

impl DisputeAnswer {
    pub(crate) fn of(sign_in: &store::SignIn) -> Option<Self> {
        match &sign_in.state {
            SignInState::Stranger(incident) => Some(Self {
                at: incident.at,
                held: incident.held,
                is_unfinished: incident.hold && incident.held.is_none(),
            }),
            SignInState::Known | SignInState::Asked | SignInState::Owner => None,
        }
    }
}

/// A sign-in that was not its owner's, as administrators are told of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Incident {
    /// What it is called.
    pub id: String,
    /// Whose account.
    pub account: String,
    /// By what, as the audit trail has it.
    pub credential: String,
    /// What its owner called the app password or the certificate, if it was revoked.
    pub label: Option<String>,
    /// Where from.
    pub network: IpNet,
    /// The first time.
    pub first_time: Timestamp,
    /// When its owner said that it was not theirs.
    pub answered_at: Timestamp,
    /// How many messages of it are in the queue, held or not.
    pub waiting: usize,
}

impl Incident {
    pub(crate) fn of(sign_in: &store::SignIn, address: &Mailbox, waiting: usize) -> Option<Self> {
        let SignInState::Stranger(incident) = &sign_in.state else { return None };
        Some(Self {
            id: sign_in.id.to_string(),
            account: address.to_string(),
            credential: sign_in.credential.clone(),
            label: incident.label.clone(),
            network: sign_in.network,
            first_time: sign_in.first_at,
            answered_at: incident.at,
            waiting,
        })
    }
}
