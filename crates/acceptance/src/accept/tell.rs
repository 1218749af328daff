//! What the log says of a message: that it was accepted, known again, or refused.

use esmtp::{Durable, Rejection};
use types::SessionId;

use crate::body::Needs;
use crate::submitter::Submitter;

pub(super) fn accepted(session: SessionId, account: &Submitter, message: &Durable, size: u64, needs: &Needs) {
    let (id, Needs { repairs, message_id, .. }) = (message.name(), needs);
    let repaired = (!repairs.is_empty()).then(|| repairs.to_string());
    tracing::info!(event = "accepted", %session, queue.id = %id, message.id = message_id, account.address = %account, size, repaired, "{id} accepted");
}

pub(super) fn duplicate(session: SessionId, account: &Submitter, first: &Durable, size: u64, needs: &Needs) {
    let (id, message_id) = (first.name(), &needs.message_id);
    tracing::info!(event = "duplicate", %session, queue.id = %id, message.id = message_id, account.address = %account, size, "{id} was handed in again, and is not sent twice");
}

pub(super) fn refused(session: SessionId, submitter: Option<&Submitter>, reason: &Rejection) {
    let account = submitter.map(tracing::field::display);
    tracing::info!(event = "refused", %session, account.address = account, %reason, "refused");
}
