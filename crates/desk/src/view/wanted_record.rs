//! A DNS record that the set-up wants, with what the DNS has of it.

use serde::{Serialize, Serializer};

use super::DnsRecord;

/// A record that is wanted. What was found is absent until the DNS was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WantedRecord {
    /// What it is for: `SPF`, `DKIM`, `DMARC`, `submissions`, `submission`, `imaps`, `imap`, `pop3s`, `autoconfig`, `autodiscover`, `MX`, `MTA-STS`,
    /// `TLS-RPT`, `PTR` or `address`.
    pub purpose: &'static str,
    /// The record.
    #[serde(flatten)]
    pub record: DnsRecord,
    /// What the DNS has for the same purpose.
    pub found: Option<Vec<String>>,
    /// What is to be said of that.
    pub verdict: Option<DnsVerdict>,
    /// Why it is not known what the DNS has.
    pub error: Option<String>,
}

/// What is to be said of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DnsVerdict {
    /// It is there.
    Ok,
    /// It is not.
    Missing,
    /// There is something else in its place.
    Differs,
    /// What is there refers to other records, which may say the same.
    Unclear,
    /// The DNS did not answer, or its answer can't be trusted.
    Unknown,
}

impl DnsVerdict {
    /// The verdict as it is written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            DnsVerdict::Ok => "ok",
            DnsVerdict::Missing => "missing",
            DnsVerdict::Differs => "differs",
            DnsVerdict::Unclear => "unclear",
            DnsVerdict::Unknown => "unknown",
        }
    }

    /// Whether something is to be done about it.
    #[must_use]
    pub fn is_wrong(self) -> bool {
        matches!(self, DnsVerdict::Missing | DnsVerdict::Differs | DnsVerdict::Unknown)
    }
}

impl Serialize for DnsVerdict {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl WantedRecord {
    pub(crate) fn of(purpose: &'static str, record: DnsRecord) -> Self {
        Self { purpose, record, found: None, verdict: None, error: None }
    }

    /// With what was found and what is to be said of it, or why that is not known.
    pub(crate) fn checked(
        self,
        found: Result<Vec<String>, String>,
        judge: impl FnOnce(&[String]) -> DnsVerdict,
    ) -> Self {
        match found {
            Ok(found) => Self { verdict: Some(judge(&found)), found: Some(found), ..self },
            Err(error) => Self { verdict: Some(DnsVerdict::Unknown), error: Some(error), ..self },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_json_of_a_record_has_the_promised_keys() {
        let wanted =
            || WantedRecord::of("SPF", DnsRecord::txt("example.org".to_owned(), "v=spf1 -all".to_owned()));
        let expected = serde_json::json!({
            "purpose": "SPF", "name": "example.org", "type": "TXT", "value": "v=spf1 -all",
            "found": null, "verdict": null, "error": null,
        });
        assert_eq!(serde_json::to_value(wanted()).unwrap(), expected);
        let checked = wanted().checked(Ok(vec!["x".to_owned()]), |_| DnsVerdict::Differs);
        assert_eq!(serde_json::to_value(&checked).unwrap()["found"], serde_json::json!(["x"]));
        assert!(checked.verdict.unwrap().is_wrong() && !DnsVerdict::Unclear.is_wrong());
    }
}
