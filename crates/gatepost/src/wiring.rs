//! From what the configuration means to what each part of the server wants to be told.

mod files;
mod session;
mod incoming;
mod providers;
mod backends;
mod routes;

pub(crate) use backends::backends;
pub(crate) use files::NamedFile;
pub(crate) use incoming::{common_limits, rules_of_mail};
pub(crate) use providers::providers;
pub(crate) use routes::{carrying, holds, routes};
pub(crate) use session::{hasher, hasher_for_logins, limits, listener, policy, rules, settings};
