//! The pages of one's own account.

pub(crate) mod overview;
pub(crate) mod messages;
