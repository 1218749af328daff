//! What the DNS says of a key.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use types::DkimAlgorithm;

/// The text of the record of a key (RFC 6376 section 3.6.1), which is published under `selector._domainkey.domain`.
///
/// No `t=y`, which would have verifiers ignore the signatures, and no `h=`: SHA-256 is all that is left (RFC 8301 section 3.1).
#[must_use]
pub fn key_record(algorithm: DkimAlgorithm, public_key: &[u8]) -> String {
    format!("v=DKIM1; k={}; p={}", algorithm.name(), STANDARD.encode(public_key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_record_of_rfc_8463_is_written_as_it_is_there() {
        // Appendix A.2, which has base64 in the same form.
        let public = STANDARD.decode("11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=").unwrap();
        assert_eq!(
            key_record(DkimAlgorithm::Ed25519, &public),
            "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
        );
        assert!(key_record(DkimAlgorithm::Rsa, b"x").starts_with("v=DKIM1; k=rsa; p=eA=="));
    }
}
