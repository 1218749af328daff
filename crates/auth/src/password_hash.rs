//! Hashes of account passwords: what a new password must be, how it is hashed and checked, and the hashes of other servers.

pub mod new_password;
pub(crate) mod normal_form;
pub(crate) mod phc;
pub(crate) mod foreign;
pub(crate) mod stored;
pub(crate) mod hasher;
pub(crate) mod expiring_set;
pub(crate) mod recent_checks;
