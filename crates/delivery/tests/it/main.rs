//! Carrying mail, from the commit to the next host: with a spool in memory, and next hosts that do as they are told.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod item;
mod spool;
mod peer;
mod office;

mod maildir;
mod lmtp;
mod relay;
mod relay_tls;
mod client;
mod mx;
mod dane;
mod policy_host;
mod posted_reports;
mod sts;
mod tls_required;
mod needs;
mod dsn;
mod bounce;
mod gathered;
mod schedule;
mod deliver_by;
mod carrier;
mod destinations;
mod conformance;
