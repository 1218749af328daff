//! The running server in figures.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::light::Light;
use super::message::Stats;

/// The running server, as it was looked at last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The version of the program.
    pub version: String,
    /// When it was started.
    pub started_at: Timestamp,
    /// When this was found.
    pub looked_at: Timestamp,
    /// Where it listens, for mail and for pages.
    pub listeners: Vec<ListenerStatus>,
    /// Its certificate, if it has one that can be understood.
    pub certificate: Option<CertificateStatus>,
    /// The queue in figures; absent if it can't be read.
    pub queue: Option<Stats>,
    /// Destinations that mail waits for and whose host did not answer at the last attempt, 100 at most.
    pub destinations: Vec<DestinationStatus>,
    /// Logins of the last hour, or since the start.
    pub logins: LoginStatus,
    /// The store.
    pub store: StoreStatus,
    /// What keeps the process from what it never needs. There is nothing of that kind yet.
    pub sandbox: Option<String>,
    /// A message that is sent to oneself. There is nothing of that kind yet.
    pub probe: Option<String>,
    /// The lights.
    pub lights: Vec<Light>,
}

/// A listener.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListenerStatus {
    /// Its address, with the port that was found for port 0.
    pub address: String,
    /// How it is spoken to: `starttls`, `implicit` or `off` for mail, `https` or `http` for pages.
    pub protocol: String,
}

/// The certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateStatus {
    /// When it ends.
    pub not_after: Timestamp,
    /// What it is for.
    pub names: Vec<String>,
}

/// A destination that does not answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DestinationStatus {
    /// Where mail goes, such as `mx:example.org`.
    pub destination: String,
    /// When it was tried last.
    pub tried_at: Timestamp,
    /// What that came to, if the host could not even be reached.
    pub reply: Option<String>,
}

/// Logins of the last hour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginStatus {
    /// Those that were accepted.
    pub accepted_last_hour: u64,
    /// Those that were refused, or not judged for too many failures before.
    pub refused_last_hour: u64,
}

/// The store.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreStatus {
    /// Whether it takes writes.
    pub writable: bool,
    /// How long a write with its syncs took, in milliseconds; absent if it failed.
    pub commit_ms: Option<u64>,
    /// How large its databases are.
    pub databases: Vec<DatabaseStatus>,
    /// Octets that are free on its disk; absent if the system does not say.
    pub disk_free: Option<u64>,
    /// Octets that its disk has.
    pub disk_total: Option<u64>,
}

/// A database of the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseStatus {
    /// Its name.
    pub name: String,
    /// Its octets.
    pub octets: u64,
}

impl Status {
    /// Of a server of this version that starts at this moment; nothing else is known yet.
    pub(crate) fn of(version: &str, now: Timestamp) -> Self {
        Self {
            version: version.to_owned(),
            started_at: now,
            looked_at: now,
            listeners: Vec::new(),
            certificate: None,
            queue: None,
            destinations: Vec::new(),
            logins: LoginStatus::default(),
            store: StoreStatus::default(),
            sandbox: None,
            probe: None,
            lights: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_json_of_the_status_has_the_promised_keys_and_can_be_read_again() {
        let status = Status::of("1.2.3", "2026-11-21T12:00:00Z".parse().unwrap());
        let shown = serde_json::to_value(&status).unwrap();
        let keys: BTreeSet<_> = shown.as_object().unwrap().keys().map(String::as_str).collect();
        let promised = [
            "version",
            "started_at",
            "looked_at",
            "listeners",
            "certificate",
            "queue",
            "destinations",
            "logins",
            "store",
            "sandbox",
            "probe",
            "lights",
        ];
        assert_eq!(keys, promised.into());
        assert_eq!(shown["logins"], serde_json::json!({"accepted_last_hour": 0, "refused_last_hour": 0}));
        assert_eq!(serde_json::from_value::<Status>(shown).unwrap(), status);
    }
}
