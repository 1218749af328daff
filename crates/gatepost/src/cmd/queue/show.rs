//! `gatepost queue show`: a message and each of its recipients.

use desk::{Desk, view};
use jiff::Timestamp;
use store::RecipientState;

use super::identifier::Identifier;
use crate::output::{self, Cell, Format, Look};

pub(super) async fn run(desk: &Desk, id: &Identifier, format: Format) -> anyhow::Result<()> {
    let message = desk.show_message(id.resolve_settled(desk).await?).await?;
    format.print(&message, |message| {
        let about = output::fields([
            ("id", message.id.clone().into()),
            ("message id", output::or_dash(message.message_id.as_ref()).into()),
            ("account", message.account.clone().into()),
            ("credential", output::or_dash(message.credential.as_ref()).into()),
            ("sender", sender(&message.sender).into()),
            ("envid", output::or_dash(message.envid.as_ref()).into()),
            ("ret", output::or_dash(message.ret.as_ref()).into()),
            ("size", format!("{} octets", message.size).into()),
            ("accepted", output::time(message.accepted_at).into()),
            ("state", state(message.state)),
            ("not before", output::time_or(message.not_before, "-").into()),
            ("deliver by", deliver_by(message).into()),
            ("priority", message.priority.to_string().into()),
            ("tls required", output::or_dash(message.tls_required.as_ref()).into()),
            ("next attempt", next(message.held, message.next_attempt_at).into()),
        ]);
        let recipients = output::table(
            ["RECIPIENT", "STATE", "NOTIFY", "ATTEMPTS", "NEXT ATTEMPT", "HOST", "LAST REPLY"],
            message.recipients.iter().map(row),
        );
        format!("{about}\n\n{recipients}")
    })
}

/// By when, and what is done then.
fn deliver_by(message: &view::Message<Vec<view::QueuedRecipient>>) -> String {
    let by = output::time_or(message.deliver_by, "-");
    match message.by_mode.as_deref() {
        Some(mode) if mode.starts_with('R') => format!("{by}, or it is returned"),
        Some(_) => format!("{by}, or its sender is told"),
        None => by,
    }
}

fn row(view::QueuedRecipient { known, notify, .. }: &view::QueuedRecipient) -> [Cell; 7] {
    [
        known.address.clone().into(),
        state(known.state),
        output::or_dash(notify.as_ref()).into(),
        known.attempts.to_string().into(),
        output::time_or(known.next_attempt_at, "-").into(),
        output::or_dash(known.last_host.as_ref()).into(),
        output::or_dash(known.last_reply.as_ref()).into(),
    ]
}

/// A sender as people read it.
pub(crate) fn sender(sender: &str) -> String {
    if sender.is_empty() { "<>".to_owned() } else { sender.to_owned() }
}

/// A state as people read it.
pub(crate) fn state(state: &str) -> Cell {
    let look = state.parse().map_or(Look::Plain, |state| match state {
        RecipientState::Queued => Look::Plain,
        RecipientState::Deferred | RecipientState::Held => Look::Doubtful,
        RecipientState::Delivered => Look::Good,
        RecipientState::Failed => Look::Bad,
    });
    Cell::new(look, state)
}

/// When a message is tried next, as people read it.
pub(super) fn next(held: bool, at: Option<Timestamp>) -> String {
    if held { "held".to_owned() } else { output::time_or(at, "none") }
}
