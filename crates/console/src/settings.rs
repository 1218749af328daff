//! What the configuration says, as far as pages ask for it.

use types::{Endpoint, SecondFactorRule};

/// What the configuration says, as far as pages ask for it.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The name of the server, by which browsers may ask for it, too.
    pub hostname: String,
    /// Where the pages are, as browsers have it.
    pub base_url: Endpoint,
    /// Whose server it is, in titles.
    pub organisation: String,
    /// A link for those who can't get in.
    pub help: Option<String>,
    /// Whether everybody needs a second factor.
    pub second_factor: SecondFactorRule,
    /// Pages that clients of one network may ask for in a minute.
    pub page_rate: u32,
    /// Requests that a token of the API may make in a minute.
    pub api_rate: u32,
}
