//! Who is asked about names.

use anyhow::Context as _;
use config::Dns;
use dns::{Resolver, Upstream};

use super::files::NamedFile;

/// The resolver of `[dns]`.
///
/// # Errors
/// When the trust anchors cannot be read.
pub(crate) fn resolver(dns: &Dns) -> anyhow::Result<Resolver> {
    let upstream = Upstream { servers: dns.servers.clone(), trust_anchors: dns.trust_anchors.clone() };
    let made = Resolver::new(&upstream);
    match &dns.trust_anchors {
        Some(path) => made.with_context(|| NamedFile::new(path, "dns.trust_anchors")),
        None => made.context("dns"),
    }
}
