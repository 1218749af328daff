//! What is asked: a claim and the session it was made in, as JSON.

use std::net::IpAddr;

use serde::Serialize;
use types::SessionFacts;

use super::claim::{Evidence, HttpClaim};

/// Its fields are those of the JSON. More may come.
#[derive(Serialize)]
pub(super) struct Question<'a> {
    method: &'a str,
    username: Option<&'a str>,
    authzid: Option<&'a str>,
    #[serde(flatten)]
    offered: Offered<'a>,
    session: Option<Session>,
}

/// What the client offers as proof.
#[derive(Serialize)]
#[serde(untagged)]
enum Offered<'a> {
    Password {
        password: &'a str,
    },
    Challenge {
        challenge: &'a str,
        response: String,
    },
    Token {
        token: &'a str,
    },
    Certificate {
        certificate: Option<String>,
    },
    /// Of SCRAM only the server can make something.
    Hidden {},
}

#[derive(Serialize)]
struct Session {
    id: String,
    ip: IpAddr,
    port: u16,
    local: String,
    tls: Option<Tls>,
    ehlo: Option<String>,
    certificate: Option<String>,
}

#[derive(Serialize)]
struct Tls {
    version: &'static str,
    cipher: &'static str,
}

impl<'a> Question<'a> {
    /// `None` if what the client offers as proof can't be put into JSON.
    pub(super) fn about(claim: &HttpClaim<'a>, session: Option<&SessionFacts>) -> Option<Self> {
        let HttpClaim { mechanism, username, authzid, evidence } = *claim;
        let offered = match evidence {
            Evidence::Password(password) => Offered::Password { password: password.declassify_str()? },
            Evidence::CramMd5(claim) => {
                Offered::Challenge { challenge: claim.challenge(), response: hex(claim.response()) }
            }
            Evidence::Scram(_) => Offered::Hidden {},
            Evidence::Token(token) => Offered::Token { token: token.declassify_str()? },
            Evidence::Certificate => Offered::Certificate { certificate: session.and_then(fingerprint) },
        };
        Some(Self { method: mechanism, username, authzid, offered, session: session.map(Session::of) })
    }
}

impl Session {
    fn of(facts: &SessionFacts) -> Self {
        Self {
            id: facts.id.to_string(),
            ip: facts.peer.ip().to_canonical(),
            port: facts.peer.port(),
            local: facts.local.to_string(),
            tls: facts.tls.map(|tls| Tls { version: tls.version, cipher: tls.cipher }),
            ehlo: facts.ehlo.as_ref().map(ToString::to_string),
            certificate: fingerprint(facts),
        }
    }
}

fn fingerprint(facts: &SessionFacts) -> Option<String> {
    facts.client_certificate.as_ref().map(|certificate| certificate.fingerprint.to_string())
}

/// As RFC 2195 section 2 has it.
fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}
