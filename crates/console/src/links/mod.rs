//! Links that set up a device or an account: finding one, and what is kept of them in memory.

pub(crate) mod find;
pub(crate) mod unknown;
pub(crate) mod shown;
pub(crate) mod half_accepted;
