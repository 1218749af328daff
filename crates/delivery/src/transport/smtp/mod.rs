//! Handing mail to a host, a fixed one or one that takes mail for a domain: a connection is taken up again or opened, the message sent, the
//! connection kept.

mod trouble;
mod dane;
mod proven;
mod without_authority;
mod tls;
mod watching;
mod witness;
mod proof;
mod wire;
mod time_limit;
mod race;
mod connect;
mod pool;
mod pools;
mod hand_over;
mod trial;
mod client;
mod mx;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use esmtp::dialogue::{Enhanced, Reply, Verdict};
use store::{Spool, SpoolError};
use tokio::time::Instant;
use types::TlsRequired;

use crate::next_host::{NextHost, NextHostError};
use crate::parcel::{Attempt, Parcel};
use crate::told_lately::ToldLately;
use crate::transport::texts::Texts;
use connect::Opener;
use hand_over::{attempt, hand_over};
use pool::Idle;
use time_limit::up_to_the_end;

pub use client::SmtpClient;
pub(crate) use mx::MxRelay;
pub use trial::{TryError, try_domain, try_host, try_own_listener, try_socket};
pub use trouble::Trouble;

/// The way to a fixed host.
#[derive(Debug)]
pub(crate) struct Relay {
    opener: Opener,
    idle: Arc<Idle>,
    told_lately: ToldLately,
    /// What only an operator can end, since the last connection that came about.
    unusable: Mutex<Option<String>>,
}

impl Relay {
    pub(crate) fn new(next_host: &NextHost, hostname: &str) -> Result<Relay, NextHostError> {
        Ok(Relay::by(Opener::new(next_host, hostname)?))
    }

    /// The way to whoever takes mail in LMTP behind a Unix socket.
    pub(crate) fn to_socket(path: &Path, hostname: &str) -> Relay {
        Relay::by(Opener::to_socket(path, hostname))
    }

    fn by(opener: Opener) -> Relay {
        Relay { opener, idle: Arc::default(), told_lately: ToldLately::default(), unusable: Mutex::default() }
    }

    /// Makes an attempt for each recipient of the parcel. An error is the spool's.
    pub(crate) async fn carry<S: Spool>(
        &self,
        parcel: &Parcel,
        texts: &Texts<S>,
    ) -> Result<Attempt, SpoolError> {
        if parcel.tls_required() == TlsRequired::Yes && !self.opener.may_have_what_requires_tls() {
            return Ok(self.refused_for_want_of_proof(parcel));
        }
        let limit = Instant::now() + up_to_the_end(parcel.recipients.len());
        match hand_over(&self.opener, &self.idle, parcel, texts, limit).await? {
            Ok(sent) => {
                self.note_unusable(None);
                Ok(attempt(parcel, &self.opener, sent))
            }
            Err(trouble) => Ok(self.no_connection(parcel, &trouble)),
        }
    }

    fn refused_for_want_of_proof(&self, parcel: &Parcel) -> Attempt {
        let host = self.opener.shown();
        let text = format!(
            "the sender wants proved TLS alone (REQUIRETLS), and {host} need not prove its name by TLS"
        );
        let verdict = Verdict::Failed(Reply::ours(550, Enhanced(5, 7, 30), text));
        Attempt::all(parcel, Some(host.to_owned()), &verdict)
    }

    /// Of trouble that only an operator can end the log is told, too: now and then, not for every message.
    fn no_connection(&self, parcel: &Parcel, trouble: &Trouble) -> Attempt {
        let (host, reply) = (self.opener.shown(), trouble.to_reply());
        if trouble.lasts_until_an_operator_comes() {
            self.note_unusable(Some(trouble.to_string()));
        }
        if trouble.is_for_operator() && self.told_lately.is_due(host) {
            tracing::error!(event = "relay.unusable", host, reply = %reply, "mail for {host} waits: {trouble}");
        }
        Attempt::unreached(parcel, Some(host.to_owned()), &reply)
    }

    /// The host, and what is wrong with it that only an operator can end, unless a connection has come about since.
    pub(crate) fn unusable(&self) -> Option<(String, String)> {
        let unusable = self.unusable.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        Some((self.opener.shown().to_owned(), unusable))
    }

    fn note_unusable(&self, unusable: Option<String>) {
        *self.unusable.lock().unwrap_or_else(PoisonError::into_inner) = unusable;
    }

    /// Closes the connections that are kept, with QUIT.
    pub(crate) async fn close(&self) {
        self.idle.close().await;
    }
}
