//! The pages of administration. To whoever is no administrator there are none.

pub(crate) mod overview;
pub(crate) mod accounts;
pub(crate) mod invitation;
pub(crate) mod queue;
pub(crate) mod messages;
pub(crate) mod health;
pub(crate) mod locked_out;
pub(crate) mod audit;
