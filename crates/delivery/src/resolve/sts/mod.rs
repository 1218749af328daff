//! MTA-STS (RFC 8461): what a domain demands of those who send it mail, by a policy that its web server has.

mod record;
mod policy;
mod fetch;
mod store;
mod policies;

pub(super) use fetch::{FetchError, PolicyFetcher};
pub use policies::StsPolicies;
pub(super) use policies::StsStanding;
pub(super) use policy::{Mode, Policy};
pub use store::PolicyStore;
