//! A login: what is claimed and what for, who is asked about it in which order, and what is told of the outcome.
//!
//! - A right app password costs one look-up by its digest, and no Argon2. Failures of others do not delay it.
//! - The account password is judged only as long as the throttles let it. Each attempt counts as failed until it is
//!   proved right, so that a thousand at a time learn no more than a thousand in a row.
//! - A right account password costs Argon2 once, then nothing for a few minutes.
//! - Any other password costs exactly one run of Argon2, whatever is wrong with it, and none when it is tried again. Every
//!   refusal is answered alike, not before a time by which every kind of check has ended.
//! - Whoever signs in on a page to an account with a second factor is asked for the code in a second step, and holds a ticket in between.
//! - Refused tokens and certificates, which nobody guesses, count as failures of their network, and of no account.

pub(crate) mod attempt;
mod judge;
mod authenticator;
mod claimed;
mod guarded_attempt;
pub(crate) mod backend;

mod password;
mod guess;
mod app_password;
mod admission;
pub(crate) mod ticket;
pub(crate) mod sign_in;
mod link;
mod challenge_keys;
mod challenge;
mod token;
mod certificate;
mod http_handler;
mod proxy_login;

mod judgement;
pub(crate) mod outcome;
mod login_report;
pub(crate) mod counters;
mod last_use;
mod refusal_time;

pub use authenticator::Authenticator;

#[cfg(test)]
mod tests;
