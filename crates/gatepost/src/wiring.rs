//! From what the configuration means to what each part of the server wants to be told.

mod files;
mod session;
mod incoming;
mod providers;
mod backends;
mod routes;
mod signing;
mod dns;
mod use_cases;
mod as_meant;

pub(crate) use as_meant::as_meant;
pub(crate) use backends::backends;
pub(crate) use dns::resolver;
pub(crate) use files::NamedFile;
pub(crate) use incoming::rules_of_mail;
pub(crate) use providers::providers;
pub(crate) use routes::{carrying, mail_hosts, report_poster, routes, webhook_poster};
pub(crate) use session::{hasher, hasher_for_logins, limits, listener, policy, settings};
pub(crate) use signing::signing;
pub(crate) use use_cases::desk_settings;
