//! EXTERNAL (RFC 4422 appendix A): the client is who its certificate says, or acts in this name.

use types::Secret;

use crate::ExchangeError;
use crate::claim::ExternalClaim;
use crate::name::read_name;

/// Waits for the name, which may be empty.
#[derive(Debug)]
pub(crate) struct AwaitingAuthzid;

impl AwaitingAuthzid {
    pub(crate) fn take(self, message: &Secret) -> Result<ExternalClaim, ExchangeError> {
        read_name(message.declassify()).map(|authzid| ExternalClaim { authzid })
    }
}
