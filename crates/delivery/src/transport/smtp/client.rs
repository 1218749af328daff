//! Mail that is handed to a fixed host by whoever waits for the verdict, such as `gatepost send`: without a queue, and message by
//! message over one connection.

use bytes::Bytes;
use esmtp::dialogue::{Broken, Capabilities, Enhanced, Envelope, Mechanism, Reply, Verdict};
use store::{Body, SpoolError};
use tokio::time::Instant;

use super::connect::Opener;
use super::time_limit::up_to_the_end;
use super::trouble::{Logins, Trouble};
use super::wire::{Connection, Sent};
use crate::next_host::{NextHost, NextHostError};

/// A client of one host, with at most one connection to it.
#[derive(Debug)]
pub struct SmtpClient {
    opener: Opener,
    connection: Option<Connection>,
}

impl SmtpClient {
    /// A client that is not connected yet, and introduces itself as `hostname` (RFC 5321 section 4.1.1.1).
    ///
    /// # Errors
    /// [`NextHostError`], if the host cannot be used as it is configured.
    pub fn new(next_host: &NextHost, hostname: &str) -> Result<SmtpClient, NextHostError> {
        Ok(SmtpClient { opener: Opener::new(next_host, hostname)?.by_scram(), connection: None })
    }

    /// Sees to it that there is a connection on which mail can be sent: with TLS and logged in as the host is configured. One that the
    /// host has closed, or that has served for many messages, is replaced. Returns what the host offers.
    ///
    /// # Errors
    /// [`Trouble`] says what stands in the way.
    pub async fn open(&mut self) -> Result<&Capabilities, Trouble> {
        let connection = match self.usable().await {
            Some(connection) => connection,
            None => self.connected().await?,
        };
        Ok(self.connection.insert(connection).dialogue.capabilities())
    }

    /// How we are logged in, if we are.
    pub fn mechanism(&self) -> Option<Mechanism> {
        self.connection.as_ref()?.dialogue.mechanism()
    }

    /// A new connection. SCRAM is refused by hosts that offer it and have no keys for this password, such as one that was made before; then it is
    /// shown to the host, which has proved its name.
    async fn connected(&mut self) -> Result<Connection, Trouble> {
        let by_scram = self.opener.is_by_scram();
        match self.opener.open().await {
            Err(Trouble::Broken(Broken::LoginRefused(reply)))
                if reply.code() == 535 && by_scram && !self.opener.is_by_scram() =>
            {
                self.opener.logins = Logins::default();
                self.opener.open().await
            }
            opened => opened,
        }
    }

    async fn usable(&mut self) -> Option<Connection> {
        let mut connection = self.connection.take()?;
        if connection.is_worn_out() {
            connection.quit().await;
            return None;
        }
        let is_quiet = connection.is_ready() && matches!(connection.overhear().await, Ok(false));
        is_quiet.then_some(connection)
    }

    /// Sends a message over the connection that is open; a verdict for each recipient, in their order. `None` if the host had closed
    /// the connection before it was told of the message, or if there is none: nothing has happened then, and it may be opened anew.
    ///
    /// Whether a host that has not answered has the message is not known if the [stage](Reply::stage) of a deferral that is
    /// [ours](Reply::is_ours) is [`Stage::FinalReply`](esmtp::dialogue::Stage::FinalReply), or if the verdict is unclear (RFC 1047).
    pub async fn send(&mut self, envelope: &Envelope<'_>, text: Bytes) -> Option<Vec<Verdict>> {
        let mut connection = self.connection.take()?;
        let recipients = envelope.recipients.len();
        let limit = Instant::now() + up_to_the_end(recipients);
        let sent = connection.send(envelope, &mut Whole(Some(text)), limit).await;
        let Sent { verdicts, untouched, .. } = sent.unwrap_or_else(|error| unreadable(&error, recipients));
        if connection.is_ready() {
            self.connection = Some(connection);
        }
        (!untouched).then_some(verdicts)
    }

    /// Says QUIT, if there is a connection.
    pub async fn quit(self) {
        if let Some(connection) = self.connection {
            connection.quit().await;
        }
    }
}

/// A text that is in memory, which can always be read.
struct Whole(Option<Bytes>);

impl Body for Whole {
    async fn next_chunk(&mut self) -> Result<Option<Bytes>, SpoolError> {
        Ok(self.0.take())
    }
}

fn unreadable(error: &SpoolError, recipients: usize) -> Sent {
    let reply = Reply::ours(451, Enhanced(4, 3, 0), error.to_string());
    let verdicts = vec![Verdict::Deferred(reply); recipients];
    Sent::unsent(verdicts)
}
