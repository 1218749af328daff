//! Handing mail to a fixed host: a connection is taken up again or opened, the message sent, the connection kept.

mod trouble;
mod tls;
mod wire;
mod time_limit;
mod connect;
mod pool;
mod trial;
mod client;

use std::sync::Arc;

use esmtp::dialogue::{Capabilities, Envelope, Reply, Stage};
use message::Target;
use store::{Spool, SpoolError};
use tokio::time::{Instant, timeout_at};

use crate::next_host::{NextHost, NextHostError};
use crate::parcel::{Attempt, Parcel};
use crate::transport::outgoing::{self, Outgoing};
use crate::transport::texts::Texts;
use connect::Opener;
use pool::Idle;
use time_limit::up_to_the_end;
use trouble::Complaints;
use wire::{Connection, Sent};

pub use client::SmtpClient;
pub use trial::{TryError, try_host};
pub use trouble::Trouble;

/// The way to a fixed host.
#[derive(Debug)]
pub(crate) struct Relay {
    opener: Opener,
    idle: Arc<Idle>,
    complaints: Complaints,
}

impl Relay {
    pub(crate) fn new(next_host: &NextHost, hostname: &str) -> Result<Relay, NextHostError> {
        Ok(Relay {
            opener: Opener::new(next_host, hostname)?,
            idle: Arc::default(),
            complaints: Complaints::default(),
        })
    }

    /// Makes an attempt for each recipient of the parcel. An error is the spool's.
    pub(crate) async fn carry<S: Spool>(
        &self,
        parcel: &Parcel,
        texts: &Texts<S>,
    ) -> Result<Attempt, SpoolError> {
        let limit = Instant::now() + up_to_the_end(parcel.recipients.len());
        if let Some(connection) = self.idle.take().await {
            let sent = self.send(connection, parcel, texts, limit).await?;
            if !sent.untouched {
                return Ok(self.attempt(parcel, sent));
            }
        }
        if let Some(refusal) = self.opener.logins.refused_lately() {
            return Ok(self.deferred(parcel, &refusal.to_reply()));
        }
        match timeout_at(limit, self.opener.open()).await {
            Ok(Ok(connection)) => {
                Ok(self.attempt(parcel, self.send(connection, parcel, texts, limit).await?))
            }
            Ok(Err(trouble)) => Ok(self.no_connection(parcel, &trouble)),
            Err(_) => Ok(self.no_connection(parcel, &Trouble::TooSlow(Stage::Hello))),
        }
    }

    /// Sends the message over this connection, and keeps it if it can be used again. Nobody waits for a farewell.
    async fn send<S: Spool>(
        &self,
        mut connection: Connection,
        parcel: &Parcel,
        texts: &Texts<S>,
        limit: Instant,
    ) -> Result<Sent, SpoolError> {
        let sent = send_over(&mut connection, parcel, texts, limit).await;
        if connection.is_worn_out() {
            tokio::spawn(connection.quit());
        } else if connection.is_ready() {
            self.idle.keep(connection);
        }
        sent
    }

    fn no_connection(&self, parcel: &Parcel, trouble: &Trouble) -> Attempt {
        if trouble.is_for_operator() {
            self.complaints.tell(self.opener.shown(), trouble);
        }
        self.deferred(parcel, &trouble.to_reply())
    }

    fn attempt(&self, parcel: &Parcel, sent: Sent) -> Attempt {
        let attempt = Attempt::new(parcel, Some(self.opener.shown().to_owned()), sent.verdicts);
        Attempt { answered: sent.answered, ..attempt }
    }

    fn deferred(&self, parcel: &Parcel, reason: &Reply) -> Attempt {
        Attempt::deferred(parcel, Some(self.opener.shown().to_owned()), reason)
    }

    /// Closes the connections that are kept, with QUIT.
    pub(crate) async fn close(&self) {
        self.idle.close().await;
    }
}

/// Sends the message in a form that the host at the other end can take, as its EHLO says (RFC 5321 section 4.1.1.1).
async fn send_over<S: Spool>(
    connection: &mut Connection,
    parcel: &Parcel,
    texts: &Texts<S>,
    limit: Instant,
) -> Result<Sent, SpoolError> {
    match outgoing::open(texts, &parcel.leased, target(connection.dialogue.capabilities())).await? {
        Ok(mut outgoing) => connection.send(&envelope(parcel, &outgoing), &mut outgoing.text, limit).await,
        Err(refusal) => Ok(connection.refuse(parcel.recipients.len(), refusal)),
    }
}

fn target(peer: &Capabilities) -> Target {
    if peer.eight_bit { Target::EightBit } else { Target::SevenBit }
}

/// What MAIL says besides the path: BODY (RFC 6152), SMTPUTF8 (RFC 6531 section 3.4) and SIZE (RFC 1870), as far as the host offers them.
fn envelope<'a, B>(parcel: &'a Parcel, outgoing: &Outgoing<B>) -> Envelope<'a> {
    let submission = &parcel.leased.submission;
    let recipients = parcel.recipients.iter().map(|recipient| &recipient.to).collect();
    let mut envelope = Envelope::new(&submission.reverse_path, recipients);
    (envelope.body, envelope.smtputf8, envelope.size) = (outgoing.body, submission.smtputf8, outgoing.size);
    (envelope.ret, envelope.envid) = (submission.ret, submission.envid.as_deref());
    envelope
}
