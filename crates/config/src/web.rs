//! Addresses on the web that something secret is sent to.

use toml::Spanned;
use url::{Host, Url};

use crate::fault::Fault;

/// Https, or http to this very machine, where nobody is on the way.
pub(crate) fn address(written: &Spanned<String>) -> Result<Url, Fault> {
    let refuse = |wrong: &str| Err(Fault::at(written, wrong));
    let Ok(url) = Url::parse(written.get_ref()) else {
        return refuse("is not the address of a page; write \"https://host/path\"");
    };
    if !url.username().is_empty() || url.password().is_some() {
        return refuse("has a login in it; leave that out, files are the place for what is secret");
    }
    if url.fragment().is_some() {
        return refuse("has a fragment, which is never sent; leave out # and what follows");
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_here(&url) => Ok(url),
        "http" => refuse("would show secrets to anyone on the way; write https://, or http:// to 127.0.0.1"),
        _ => refuse("is not a page of the web; write \"https://host/path\""),
    }
}

fn is_here(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
