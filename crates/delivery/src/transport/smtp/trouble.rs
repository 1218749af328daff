//! What goes wrong between us and the next host. None of it is about a message, and all of it is temporary, unless the host takes no mail
//! at all.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use esmtp::dialogue::{Broken, Enhanced, Reply, Stage, Verdict};
use tokio::time::Instant;

/// Why a connection did not come about, or is of no further use.
///
/// Exhaustive: whoever tells people of it has to say of each what they can do.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The name of the host has no address, as far as the DNS says.
    #[error("its name cannot be resolved: {0}")]
    Resolve(io::Error),
    /// No address of the host took the connection.
    #[error("no connection: {0}")]
    Connect(io::Error),
    /// The host did not answer in time.
    #[error("no answer to {0} within {wait} seconds", wait = .1.as_secs())]
    Silent(Stage, Duration),
    /// All steps together took longer than an attempt may.
    #[error("it took too long in all, up to {0}")]
    TooSlow(Stage),
    /// The host closed the connection.
    #[error("it closed the connection at {0}")]
    Closed(Stage),
    /// The connection broke.
    #[error("the connection broke at {0}: {1}")]
    Lost(Stage, io::Error),
    /// TLS is wanted, and the host does not offer it.
    #[error("it does not offer STARTTLS")]
    NoTls,
    /// The TLS handshake failed, or the certificate is not that of the host. Made of a [`rustls::Error`], unless the connection broke.
    #[error("TLS failed: {0}")]
    Tls(io::Error),
    /// What the host said.
    #[error("it {0}")]
    Broken(#[from] Broken),
}

impl Trouble {
    /// The trouble as the queue shows it (RFC 3463).
    pub(crate) fn to_reply(&self) -> Reply {
        let enhanced = match self {
            Trouble::Resolve(_) => Enhanced(4, 4, 3),
            Trouble::Connect(_) => Enhanced(4, 4, 1),
            Trouble::Silent(..) | Trouble::TooSlow(_) | Trouble::Closed(_) | Trouble::Lost(..) => {
                Enhanced(4, 4, 2)
            }
            Trouble::NoTls => Enhanced(4, 7, 4),
            Trouble::Tls(_) => Enhanced(4, 7, 5),
            Trouble::Broken(broken) => return broken.to_reply(),
        };
        let reply = Reply::ours(451, enhanced, self.to_string());
        match self.stage() {
            Some(stage) => reply.to(stage),
            None => reply,
        }
    }

    /// Whether TLS did not come about, or not with whom it should.
    pub(crate) fn is_about_tls(&self) -> bool {
        matches!(
            self,
            Trouble::NoTls
                | Trouble::Tls(_)
                | Trouble::Broken(Broken::Refused(Stage::StartTls, _) | Broken::Plaintext)
        )
    }

    /// How far the dialogue had come.
    fn stage(&self) -> Option<Stage> {
        match self {
            Trouble::Silent(stage, _)
            | Trouble::TooSlow(stage)
            | Trouble::Closed(stage)
            | Trouble::Lost(stage, _)
            | Trouble::Broken(
                Broken::Malformed(stage, _) | Broken::OutOfTurn(stage, _) | Broken::Refused(stage, _),
            ) => Some(*stage),
            Trouble::Resolve(_)
            | Trouble::Connect(_)
            | Trouble::NoTls
            | Trouble::Tls(_)
            | Trouble::Broken(_) => None,
        }
    }

    /// Whether the host has not got as far as to answer EHLO.
    pub(crate) fn is_before_hello(&self) -> bool {
        matches!(self.stage(), Some(Stage::Greeting | Stage::Hello))
    }

    /// What a host has said instead of a greeting that takes no mail from anybody, and never will: 521 (RFC 7504 section 3). Any other, such as 554
    /// (RFC 5321 section 3.1), may be about us, as those of hosts are that ask a list of bad addresses, and nobody stays on such a list for ever.
    pub(crate) fn takes_no_mail(&self) -> Option<&Reply> {
        let Trouble::Broken(Broken::Refused(Stage::Greeting, reply)) = self else { return None };
        (reply.code() == 521).then_some(reply)
    }

    /// Whether TLS did not come about with a host that offers it: it refused STARTTLS, the handshake failed, or nothing more came, as some machines
    /// on the way have it.
    pub(crate) fn is_before_tls(&self) -> bool {
        matches!(self, Trouble::Tls(_)) || self.stage() == Some(Stage::StartTls)
    }

    /// What it means for recipients without a verdict: the same as a 451 (RFC 5321 section 3.8).
    pub(crate) fn to_verdict(&self) -> Verdict {
        let Trouble::Broken(broken) = self else { return Verdict::Deferred(self.to_reply()) };
        broken.to_verdict()
    }

    /// The same, but for a connection that broke in the middle of TLS, which may be the next time's luck.
    pub(crate) fn lasts_until_an_operator_comes(&self) -> bool {
        match self {
            Trouble::Tls(error) => is_of_tls(error),
            trouble => trouble.is_for_operator(),
        }
    }

    /// Whether mail will wait until an operator changes something: credentials, trust, or what the host offers.
    pub(crate) fn is_for_operator(&self) -> bool {
        matches!(
            self,
            Trouble::NoTls | Trouble::Tls(_) | Trouble::Broken(Broken::LoginRefused(_) | Broken::NoMechanism)
        )
    }
}

/// Whether it is about what TLS was to agree on, and not about the connection under it.
fn is_of_tls(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>())
}

/// What is known of our login at a host. Until one has worked, and again after a refusal, logins are tried one at a time, and
/// after a refusal the host is left alone for a while: to log in again for each message that waits would have it lock the account. Both
/// 535 and 454 (RFC 4954 section 6) are refusals here.
#[derive(Debug, Default)]
pub(crate) struct Logins {
    /// Of those who don't know whether it works.
    turn: tokio::sync::Mutex<()>,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
enum Known {
    #[default]
    Nothing,
    Works,
    /// Since when, and what the host said.
    Refused(Instant, Reply),
}

/// How long the host is left alone.
const LEFT_ALONE: Duration = Duration::from_secs(60);

impl Logins {
    /// Logs in, unless the host is to be left alone.
    pub(crate) async fn attempt(
        &self,
        login: impl Future<Output = Result<(), Trouble>>,
    ) -> Result<(), Trouble> {
        let _turn = if self.work() { None } else { Some(self.turn.lock().await) };
        if let Some(refusal) = self.refused_lately() {
            return Err(refusal);
        }
        let tried = login.await;
        self.note(&tried);
        tried
    }

    /// What the host said, while it is to be left alone.
    pub(crate) fn refused_lately(&self) -> Option<Trouble> {
        match &*self.known() {
            Known::Refused(when, reply) if when.elapsed() < LEFT_ALONE => {
                Some(Broken::LoginRefused(reply.clone()).into())
            }
            Known::Refused(..) | Known::Nothing | Known::Works => None,
        }
    }

    fn work(&self) -> bool {
        matches!(*self.known(), Known::Works)
    }

    /// Trouble of another kind says nothing about the login.
    fn note(&self, tried: &Result<(), Trouble>) {
        match tried {
            Ok(()) => *self.known() = Known::Works,
            Err(Trouble::Broken(Broken::LoginRefused(reply))) => {
                *self.known() = Known::Refused(Instant::now(), reply.clone());
            }
            Err(_) => {}
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // Nothing done under this lock can be left half done.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_that_breaks_within_tls_waits_for_no_operator() {
        let wrong = Trouble::Tls(io::Error::other(rustls::Error::DecryptError));
        let broke = Trouble::Tls(io::ErrorKind::UnexpectedEof.into());
        assert!(wrong.lasts_until_an_operator_comes() && !broke.lasts_until_an_operator_comes());
        assert!(Trouble::NoTls.lasts_until_an_operator_comes());
    }
}
