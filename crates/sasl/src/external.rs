//! EXTERNAL (RFC 4422 appendix A): the client is who its certificate says, or acts in this name.

use types::Secret;

use crate::claim::ExternalClaim;
use crate::exchange_error::ExchangeError;
use crate::name::read_name;

/// Waits for the name, which may be empty.
#[derive(Debug)]
pub(crate) struct AwaitingAuthzid;

impl AwaitingAuthzid {
    pub(crate) fn take(self, message: &Secret) -> Result<ExternalClaim, ExchangeError> {
        read_name(message.declassify()).map(|authzid| ExternalClaim { authzid })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MAX_USERNAME;

    #[test]
    fn a_name_may_be_given() {
        let authzid = |octets: &[u8]| AwaitingAuthzid.take(&Secret::new(octets)).map(|claim| claim.authzid);
        assert_eq!(authzid(b""), Ok(None));
        assert_eq!(authzid(b"alice@example.org"), Ok(Some("alice@example.org".to_owned())));
        assert_eq!(authzid("jörg".as_bytes()), Ok(Some("jörg".to_owned())));
        for malformed in [&b"\0"[..], b"a\0", b"a\r\nb", b"\xff", &[b'n'; MAX_USERNAME + 1]] {
            assert_eq!(authzid(malformed), Err(ExchangeError::Malformed), "{malformed:?}");
        }
    }
}
