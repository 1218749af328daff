//! A domain that mail is sent as.

use serde::Serialize;

/// A domain of accounts or identities.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MailDomain {
    /// The domain, with A-labels.
    pub domain: String,
    /// The selectors of the DKIM keys that sign its mail, which may be those of a domain above it; none if it leaves unsigned.
    pub signed_by: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_json_of_a_domain_has_the_promised_keys() {
        let domain = MailDomain { domain: "example.org".to_owned(), signed_by: vec!["2026a".to_owned()] };
        let expected = serde_json::json!({"domain": "example.org", "signed_by": ["2026a"]});
        assert_eq!(serde_json::to_value(domain).unwrap(), expected);
    }
}
