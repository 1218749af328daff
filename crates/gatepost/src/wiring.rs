//! From what the configuration means to what each part of the server wants to be told.

mod files;
mod session;
mod providers;
mod backends;
mod routes;

pub(crate) use backends::backends;
pub(crate) use providers::providers;
pub(crate) use routes::{carrying, domains, holds, routes};
pub(crate) use session::{hasher, limits, listener, min_version, policy, rules, settings};
