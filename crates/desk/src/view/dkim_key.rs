//! A key that signs mail.

use jiff::{SignedDuration, Timestamp};
use message::dkim::key_record;
use serde::Serialize;

use super::DnsRecord;

/// How long the record of a key stays in the DNS once it signs no longer: other hosts try for five days to deliver what it has signed (RFC
/// 5321 section 4.5.4.1), and verify it then.
const RECORD_KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);

/// A key that signs mail, or did, or will. Nothing of its private half is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DkimKey {
    /// Which row of the store it is.
    pub id: String,
    /// Whose mail it signs, with A-labels.
    pub domain: String,
    /// Which of the domain's keys.
    pub selector: String,
    /// `rsa` or `ed25519`.
    pub algorithm: &'static str,
    /// `staged`, `active` or `retired`.
    pub state: &'static str,
    /// When it was made.
    pub created_at: Timestamp,
    /// Since when it signs, or when it last began to.
    pub activated_at: Option<Timestamp>,
    /// When it ceased to sign.
    pub retired_at: Option<Timestamp>,
    /// What the DNS has to say of it.
    pub record: DnsRecord,
    /// Of a retired key: until when its record has to stay in the DNS.
    pub record_until: Option<Timestamp>,
}

impl DkimKey {
    pub(crate) fn of(key: &store::DkimKey) -> Self {
        let until = |at: Timestamp| at.checked_add(RECORD_KEPT).unwrap_or(Timestamp::MAX);
        Self {
            id: key.id.to_string(),
            domain: key.name.domain().to_owned(),
            selector: key.name.selector().to_string(),
            algorithm: key.algorithm.name(),
            state: key.state().name(),
            created_at: key.created_at,
            activated_at: key.activated_at,
            retired_at: key.retired_at,
            record: DnsRecord::txt(key.name.to_string(), key_record(key.algorithm, &key.public_key)),
            // What has never signed, nobody has to verify.
            record_until: key.retired_at.filter(|_| key.activated_at.is_some()).map(until),
        }
    }
}

#[cfg(test)]
mod tests {
    use types::{DkimAlgorithm, DkimKeyId, DkimKeyName, Domain};

    use super::*;

    #[test]
    fn the_json_of_a_key_has_the_promised_keys() {
        let time = |text: &str| Some(text.parse().unwrap());
        let domain = Domain::parse("example.org").unwrap();
        let mut key = store::DkimKey {
            id: DkimKeyId::from_bytes([0; 16]),
            name: DkimKeyName::new(&domain, "s1".parse().unwrap()).unwrap(),
            algorithm: DkimAlgorithm::Ed25519,
            created_at: "2026-11-20T12:00:00Z".parse().unwrap(),
            activated_at: time("2026-11-21T12:00:00Z"),
            retired_at: time("2026-11-22T12:00:00Z"),
            public_key: vec![0],
            sealed: b"a secret".to_vec(),
        };
        let expected = serde_json::json!({
            "id": "00000000000000000000000000", "domain": "example.org", "selector": "s1", "algorithm": "ed25519",
            "state": "retired", "created_at": "2026-11-20T12:00:00Z", "activated_at": "2026-11-21T12:00:00Z",
            "retired_at": "2026-11-22T12:00:00Z", "record_until": "2026-11-29T12:00:00Z",
            "record": {"name": "s1._domainkey.example.org", "type": "TXT", "value": "v=DKIM1; k=ed25519; p=AA=="},
        });
        assert_eq!(serde_json::to_value(DkimKey::of(&key)).unwrap(), expected);
        key.activated_at = None;
        assert_eq!(DkimKey::of(&key).record_until, None);
    }
}
