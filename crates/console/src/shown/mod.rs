//! How values are shown to people.

pub(crate) mod sign_in;
pub(crate) mod time;
