//! Addresses on the web that something secret is sent to.

use toml::Spanned;
use types::Endpoint;

use crate::fault::Fault;

/// Https, or http to this very machine, where nobody is on the way.
pub(crate) fn address(written: &Spanned<String>) -> Result<Endpoint, Fault> {
    Endpoint::parse(written.get_ref()).map_err(|bad| Fault::at(written, bad.to_string()))
}
