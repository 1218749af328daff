//! Asks whoever else may know a login: OAuth providers about access tokens, and a program of the operator's own about any claim.
//!
//! What it does not do: know accounts (nothing here reaches a store), log anybody in (that is `auth`), or read the clock.

pub mod oauth;

pub mod http;

pub mod fetch;

#[cfg(any(test, feature = "fake"))]
pub mod fake;
