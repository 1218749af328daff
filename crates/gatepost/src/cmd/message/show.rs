//! `gatepost message show`: a message, each recipient, and whatever happened.

use desk::{Desk, view};

use crate::cmd::queue::{sender, state};
use crate::output::{self, Cell, Format};

pub(super) async fn run(desk: &Desk, name: &str, format: Format) -> anyhow::Result<()> {
    let trace = desk.show_sent(desk.find_named(name).await?).await?;
    format.print(&trace, text)
}

fn text(trace: &view::SentTrace) -> String {
    let message = &trace.message;
    let about = output::fields([
        ("id", message.id.clone().into()),
        ("message id", output::or_dash(message.message_id.as_ref()).into()),
        ("account", message.account.clone().into()),
        ("credential", output::or_dash(message.credential.as_ref()).into()),
        ("from", output::or_dash(message.ip.as_ref()).into()),
        ("tls", output::or_dash(message.tls.as_ref()).into()),
        ("session", output::or_dash(message.session.as_ref()).into()),
        ("sender", sender(&message.sender).into()),
        ("size", format!("{} octets", message.size).into()),
        ("accepted", output::time(message.accepted_at).into()),
        ("state", state(message.state)),
    ]);
    let recipients = output::table(
        ["RECIPIENT", "STATE", "ATTEMPTS", "DONE", "NEXT ATTEMPT", "HOST", "LAST REPLY"],
        message.recipients.iter().map(recipient),
    );
    let mut parts = vec![about, recipients];
    if !trace.failed_attempts.is_empty() {
        let heading = ["ATTEMPT", "RECIPIENT", "STATE", "HOST", "REPLY"];
        parts.push(output::table(heading, trace.failed_attempts.iter().map(attempt)));
    }
    if !trace.operations.is_empty() {
        parts.push(output::table(["DONE", "OPERATION", "BY"], trace.operations.iter().map(operation)));
    }
    parts.join("\n\n")
}

fn recipient(view::SentRecipient { known, done_at }: &view::SentRecipient) -> [Cell; 7] {
    [
        known.address.clone().into(),
        state(known.state),
        known.attempts.to_string().into(),
        output::time_or(*done_at, "-").into(),
        output::time_or(known.next_attempt_at, "-").into(),
        output::or_dash(known.last_host.as_ref()).into(),
        output::or_dash(known.last_reply.as_ref()).into(),
    ]
}

fn attempt(attempt: &view::FailedAttempt) -> [Cell; 5] {
    [
        output::time(attempt.time).into(),
        attempt.recipient.clone().into(),
        state(attempt.state),
        output::or_dash(attempt.host.as_ref()).into(),
        attempt.reply.clone().into(),
    ]
}

fn operation(done: &view::DoneOperation) -> [Cell; 3] {
    [output::time(done.time).into(), done.operation.to_owned().into(), done.by.clone().into()]
}
