//! What stands between us and the server, told by kind: what is wrong, and what to do.

use std::io;

use delivery::Trouble;
use esmtp::dialogue::{Broken, Enhanced, Reply, Stage};
use rustls::{CertificateError, Error as TlsError};

use super::failure::{Failure, Kind};
use super::server::{Server, Tls};
use crate::output::harmless;

/// What a trouble on the way to a connection means for whoever sends.
pub(crate) fn failure(trouble: &Trouble, server: &Server) -> Failure {
    match trouble {
        Trouble::Tls(error) => tls(error, server),
        Trouble::NoTls => no_starttls(server),
        Trouble::Broken(broken) => of_host(broken, server),
        Trouble::Resolve(error) => {
            connection(server, format!("its name cannot be resolved ({error})"), "check --host and the DNS")
        }
        Trouble::Connect(error) => connection(
            server,
            format!("there is no connection ({error})"),
            "check --host and --port, and that no firewall is in between",
        ),
        Trouble::Silent(..) | Trouble::TooSlow(_) | Trouble::Closed(_) | Trouble::Lost(..) => {
            connection(server, trouble.to_string(), other_tls(server))
        }
    }
}

/// Nobody has answered in the time there is.
pub(crate) fn silence(seconds: u64, server: &Server) -> Failure {
    connection(server, format!("it did not answer within {seconds} seconds"), other_tls(server))
}

fn connection(server: &Server, text: impl Into<String>, advice: impl Into<String>) -> Failure {
    told(Kind::Connection, server, &text.into(), advice)
}

fn told(kind: Kind, server: &Server, text: &str, advice: impl Into<String>) -> Failure {
    Failure::new(kind, harmless(&format!("{}: {text}", server.shown())), advice)
}

/// Whoever waits for a greeting on a port that waits for TLS waits in vain, and the other way round.
fn other_tls(server: &Server) -> &'static str {
    match server.tls {
        Tls::Implicit => "try again later; or if this port begins without TLS, say --tls starttls",
        Tls::StartTls => "try again later; or if this port begins with TLS, as 465 does, say --tls implicit",
    }
}

fn no_starttls(server: &Server) -> Failure {
    let text = "it does not offer STARTTLS, or somebody on the way has taken it out";
    told(
        Kind::Tls,
        server,
        text,
        "nothing is sent without TLS: use the port with implicit TLS, mostly 465, or ask who runs the server",
    )
}

fn tls(error: &io::Error, server: &Server) -> Failure {
    match error.get_ref().and_then(|error| error.downcast_ref::<TlsError>()) {
        Some(TlsError::InvalidCertificate(error)) => certificate(error, server),
        Some(TlsError::InvalidMessage(_)) => {
            told(Kind::Tls, server, "it does not begin with TLS on this port", other_tls(server))
        }
        Some(error) => told(
            Kind::Tls,
            server,
            &format!("the TLS handshake failed ({error})"),
            "ask who runs the server for TLS 1.2 or later",
        ),
        None => told(
            Kind::Tls,
            server,
            &format!("the connection broke in the TLS handshake ({error})"),
            other_tls(server),
        ),
    }
}

fn certificate(error: &CertificateError, server: &Server) -> Failure {
    let host = &server.host;
    let (text, advice) = match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => (
            "its certificate has expired".to_owned(),
            "whoever runs the server has to renew it; check the clock of this machine, too".to_owned(),
        ),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            ("its certificate is not valid yet".to_owned(), "check the clock of this machine".to_owned())
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => (
            format!("its certificate is for another name than {host}"),
            "give the name that the certificate has by --host; if that is not your server, somebody else has answered".to_owned(),
        ),
        // Of a CA with the name of one that is trusted, and another key.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => (
            "its certificate is signed by nobody whom this machine trusts".to_owned(),
            "if the server has a CA of its own, get it from who runs the server, and give its file by --ca".to_owned(),
        ),
        CertificateError::Revoked => {
            ("its certificate was revoked".to_owned(), "do not send over it; ask who runs the server".to_owned())
        }
        other => (format!("its certificate is not accepted ({other})"), "ask who runs the server for another".to_owned()),
    };
    told(Kind::Verification, server, &text, advice)
}

fn of_host(broken: &Broken, server: &Server) -> Failure {
    match broken {
        Broken::LoginRefused(reply) => login(reply, server),
        Broken::NoMechanism => told(
            Kind::Login,
            server,
            "it offers no login by password that is known here (AUTH SCRAM-SHA-256, PLAIN or LOGIN)",
            "use another port, mostly 465 or 587, or leave --user out if the server wants no login",
        ),
        Broken::NotMutual(why) => told(
            Kind::Verification,
            server,
            &format!("asked by SCRAM to log in, {why}"),
            "it has not seen the password, and nothing was sent; ask who runs the server",
        ),
        Broken::Plaintext => told(
            Kind::Tls,
            server,
            "it sent more in the clear before TLS began: somebody on the way may have slipped it in",
            "nothing was sent; use the port with implicit TLS, mostly 465",
        ),
        Broken::Refused(Stage::StartTls, reply) => told(
            Kind::Tls,
            server,
            &format!("it refuses STARTTLS ({reply})"),
            "use the port with implicit TLS, mostly 465",
        ),
        Broken::Refused(stage, reply) => connection(
            server,
            format!("it refuses {stage} ({reply})"),
            "try again later, or ask who runs the server",
        ),
        _ => connection(server, format!("it {broken}"), "check --port and --tls: it may be no mail server"),
    }
}

/// RFC 4954 section 6.
fn login(reply: &Reply, server: &Server) -> Failure {
    let user = server.user.as_deref().unwrap_or_default();
    let (why, advice) = match (reply.code(), reply.enhanced()) {
        (534, _) => (
            "wants another password than that of the account",
            "make an app password for this program where the account is managed, and use that",
        ),
        (454 | 421, _) => ("lets nobody log in now", "wait as long as it says, and do not try again before"),
        (535, Some(Enhanced(_, 7, 8))) | (535, None) => {
            ("refuses the login", "check --user and the password")
        }
        _ => ("refuses the login", "check --user and the password, and what its reply says"),
    };
    told(Kind::Login, server, &format!("it {why} as {user} ({reply})"), advice)
}
