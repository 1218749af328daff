//! Secrets that are shown once, as text that is wiped.

use serde::{Serialize as _, Serializer};
use zeroize::Zeroizing;

/// Shows a secret.
pub(super) fn shown<S: Serializer>(secret: &Zeroizing<String>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret)
}

/// Shows a secret that there may be.
pub(super) fn shown_if_any<S: Serializer>(
    secret: &Option<Zeroizing<String>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    secret.as_ref().map(|secret| secret.as_str()).serialize(serializer)
}

/// Shows several.
pub(super) fn shown_each<S: Serializer>(
    secrets: &[Zeroizing<String>],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(secrets.iter().map(|secret| secret.as_str()))
}
