//! `gatepost queue show`: a message and each of its recipients.

use anyhow::Context as _;
use jiff::Timestamp;
use serde::Serialize;
use store::{Details, RecipientDetails, Spool};

use super::identifier::{Identifier, unknown};
use super::view::{View, next, sender, state};
use crate::output::{self, Cell, Format};

pub(super) async fn run(spool: &impl Spool, id: &Identifier, format: Format) -> anyhow::Result<()> {
    let id = id.resolve(spool).await?;
    let Details { entry, recipients } = spool.show(id).await?.with_context(|| unknown(id))?;
    let recipients: Vec<RecipientView<'_>> = recipients.iter().map(RecipientView::of).collect();
    format.print(&View::of(&entry, recipients), |view| {
        let about = output::fields([
            ("id", view.id.clone().into()),
            ("message id", output::or_dash(view.message_id).into()),
            ("account", view.account.to_owned().into()),
            ("credential", output::or_dash(view.credential).into()),
            ("sender", sender(view.sender).into()),
            ("size", format!("{} octets", view.size).into()),
            ("accepted", output::time(view.accepted_at).into()),
            ("state", state(view.state)),
            ("next attempt", next(view.held, view.next_attempt_at).into()),
        ]);
        let recipients = output::table(
            ["RECIPIENT", "STATE", "ATTEMPTS", "NEXT ATTEMPT", "HOST", "LAST REPLY"],
            view.recipients.iter().map(RecipientView::row),
        );
        format!("{about}\n\n{recipients}")
    })
}

/// A recipient as `--json` shows it.
#[derive(Serialize)]
struct RecipientView<'a> {
    address: &'a str,
    state: &'static str,
    attempts: u32,
    next_attempt_at: Option<Timestamp>,
    last_reply: Option<&'a str>,
    last_host: Option<&'a str>,
}

impl<'a> RecipientView<'a> {
    fn of(recipient: &'a RecipientDetails) -> Self {
        Self {
            address: &recipient.address,
            state: recipient.state.name(),
            attempts: recipient.attempts,
            next_attempt_at: recipient.next_attempt_at,
            last_reply: recipient.last_reply.as_deref(),
            last_host: recipient.last_host.as_deref(),
        }
    }

    fn row(&self) -> [Cell; 6] {
        [
            self.address.to_owned().into(),
            state(self.state),
            self.attempts.to_string().into(),
            output::time_or(self.next_attempt_at, "-").into(),
            output::or_dash(self.last_host).into(),
            output::or_dash(self.last_reply).into(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use store::RecipientState;

    use super::super::view::tests::entry;
    use super::*;

    #[test]
    fn the_json_of_one_entry_tells_each_recipient() {
        let recipient = RecipientDetails {
            address: "bob@example.net".to_owned(),
            state: RecipientState::Deferred,
            attempts: 2,
            next_attempt_at: None,
            last_reply: Some("451 4.3.0 later".to_owned()),
            last_host: Some("mx.example.net".to_owned()),
        };
        let shown = serde_json::to_value(View::of(&entry(), [RecipientView::of(&recipient)])).unwrap();
        let expected = serde_json::json!([{
            "address": "bob@example.net", "state": "deferred", "attempts": 2, "next_attempt_at": null,
            "last_reply": "451 4.3.0 later", "last_host": "mx.example.net",
        }]);
        assert_eq!(shown["recipients"], expected);
    }
}
