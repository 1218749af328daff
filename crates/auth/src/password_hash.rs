//! Hashes of account passwords: what a new password must be, how it is hashed and checked, and the hashes of other servers.

pub(crate) mod recent_checks;
pub(crate) mod expiring_set;
pub(crate) mod hasher;
pub(crate) mod normal_form;
pub(crate) mod stored;
pub(crate) mod phc;
pub(crate) mod foreign;
pub(crate) mod effort;
pub(crate) mod stored_error;
pub mod new_password;
