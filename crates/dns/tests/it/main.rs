//! The resolver, asking a server that says what it is told to.

#![expect(clippy::unwrap_used, reason = "these are tests")]

mod answers;
mod failures;
mod proofs;

use dns::fake::FakeDns;
use dns::{Resolver, Upstream};
use tempfile::TempDir;
use types::Domain;

fn domain(name: &str) -> Domain {
    Domain::parse(name).unwrap()
}

/// A server, and a resolver that asks it and trusts its root; the directory has the root's key.
fn asking() -> (FakeDns, Resolver, TempDir) {
    let (server, directory) = (FakeDns::start(), TempDir::new().unwrap());
    let anchors = directory.path().join("anchors");
    std::fs::write(&anchors, server.trust_anchors()).unwrap();
    let upstream = Upstream { servers: vec![server.address()], trust_anchors: Some(anchors) };
    let resolver = Resolver::new(&upstream).unwrap();
    (server, resolver, directory)
}
