//! What was kept while another master key was activated, and could not be sealed under that one.

use auth::KeyringError;

/// Something that was kept may stay sealed under the master key before the one that seals now. It opens as long as that key is in the key
/// file; the next activation seals it anew.
#[derive(Debug, thiserror::Error)]
#[error("it could not be sealed under the newest master key")]
pub struct OldKey(#[source] pub(crate) KeyringError);
