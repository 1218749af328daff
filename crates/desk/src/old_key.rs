//! What was kept while a rotation of the master keys went on, and could not be sealed under the new key.

/// Something that was kept stays sealed under the master key before the newest. It opens as long as that key is in the key file; the
/// next rotation seals it anew.
#[derive(Debug, thiserror::Error)]
#[error("it could not be sealed under the newest master key")]
pub struct OldKey(#[source] pub(crate) store::Error);
