//! Handing a message to one host: over a connection that was kept, or a new one, which is kept in its turn.

use std::sync::Arc;

use esmtp::dialogue::{Capabilities, Envelope, Stage};
use store::{Spool, SpoolError};
use tokio::time::{Instant, timeout_at};
use types::TlsRequired;

use super::connect::Opener;
use super::pool::Idle;
use super::proven::Proof;
use super::trouble::Trouble;
use super::wire::{Connection, Sent};
use crate::parcel::{Attempt, Parcel};
use crate::transport::outgoing::{self, Outgoing, Takes};
use crate::transport::texts::Texts;

/// What a message came to that was sent.
pub(super) fn attempt(parcel: &Parcel, opener: &Opener, sent: Sent) -> Attempt {
    let attempt = Attempt::new(parcel, Some(opener.shown().to_owned()), sent.verdicts);
    Attempt { answered: sent.answered, tls: Some(sent.tls.map_or("none", Proof::name)), ..attempt }
}

/// Sends the message over a connection that was kept, or else over a new one. Trouble is what keeps a connection from coming about: it is no
/// word on the message.
pub(super) async fn hand_over<S: Spool>(
    opener: &Opener,
    idle: &Arc<Idle>,
    parcel: &Parcel,
    texts: &Texts<S>,
    limit: Instant,
) -> Result<Result<Sent, Trouble>, SpoolError> {
    if let Some(connection) = idle.take().await {
        let sent = send(connection, idle, parcel, texts, limit).await?;
        if !sent.untouched {
            return Ok(Ok(sent));
        }
    }
    if let Some(refusal) = opener.logins.refused_lately() {
        return Ok(Err(refusal));
    }
    match timeout_at(limit, opener.open()).await {
        Ok(Ok(connection)) => send(connection, idle, parcel, texts, limit).await.map(Ok),
        Ok(Err(trouble)) => Ok(Err(trouble)),
        Err(_) => Ok(Err(Trouble::TooSlow(Stage::Hello))),
    }
}

/// Sends the message over this connection, and keeps it if it can be used again. Nobody waits for a farewell.
async fn send<S: Spool>(
    mut connection: Connection,
    idle: &Arc<Idle>,
    parcel: &Parcel,
    texts: &Texts<S>,
    limit: Instant,
) -> Result<Sent, SpoolError> {
    let sent = send_over(&mut connection, parcel, texts, limit).await;
    if connection.is_worn_out() {
        tokio::spawn(connection.quit());
    } else if connection.is_ready() {
        idle.keep(connection);
    }
    sent
}

/// Sends the message in a form that the host at the other end can take, as its EHLO says (RFC 5321 section 4.1.1.1).
async fn send_over<S: Spool>(
    connection: &mut Connection,
    parcel: &Parcel,
    texts: &Texts<S>,
    limit: Instant,
) -> Result<Sent, SpoolError> {
    match outgoing::open(texts, &parcel.leased, takes(connection.dialogue.capabilities())).await? {
        Ok(mut outgoing) => connection.send(&envelope(parcel, &outgoing), &mut outgoing.text, limit).await,
        Err(refusal) => Ok(connection.refuse(parcel.recipients.len(), refusal)),
    }
}

fn takes(peer: &Capabilities) -> Takes {
    Takes { eight_bit: peer.eight_bit, binary: peer.takes_binary(), utf8_header: peer.smtputf8 }
}

/// What MAIL says besides the path: BODY (RFC 6152), SMTPUTF8 (RFC 6531 section 3.4) and SIZE (RFC 1870), as far as the host offers them.
fn envelope<'a, B>(parcel: &'a Parcel, outgoing: &Outgoing<B>) -> Envelope<'a> {
    let submission = &parcel.leased.submission;
    let recipients = parcel.recipients.iter().map(|recipient| &recipient.to).collect();
    let mut envelope = Envelope::new(&submission.reverse_path, recipients);
    (envelope.body, envelope.smtputf8, envelope.size) = (outgoing.body, outgoing.smtputf8, outgoing.size);
    (envelope.ret, envelope.envid) = (submission.ret, submission.envid.as_deref());
    (envelope.deliver_by, envelope.priority) = (parcel.deliver_by, submission.priority);
    envelope.require_tls = submission.tls_required == TlsRequired::Yes;
    envelope
}
