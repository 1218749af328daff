//! What mail programs are set up with: what they find by themselves from an address alone, and what a device takes as a file.

pub(crate) mod asked;
pub(crate) mod mozilla;
pub(crate) mod outlook;
mod outlook_request;
pub(crate) mod apple;
mod sign;
