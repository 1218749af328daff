//! Repairs the fields of a part's header section.

use std::borrow::Cow;

/// The fields, without raw octets and long lines as far as that can be.
pub(crate) fn repair_fields(section: &[u8]) -> Cow<'_, [u8]> {
    Cow::Borrowed(section)
}
