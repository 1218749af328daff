//! `gatepost queue`: what has been accepted and is not yet delivered.

use std::path::Path;

use anyhow::{Context as _, bail};
use config::Delivery;
use jiff::Timestamp;
use serde::Serialize;
use store::{Details, Entry, RecipientDetails, RecipientState, Spool, Stats};
use types::QueueId;

use crate::output::{self, Format};
use crate::prompt::confirm;
use crate::{clock, open, wiring};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// List the messages, oldest first
    List {
        #[command(flatten)]
        format: Format,
    },
    /// Show a message and each of its recipients
    Show {
        id: QueueId,
        #[command(flatten)]
        format: Format,
    },
    /// Try a message again now, also at recipients that were refused for good
    Retry { id: QueueId },
    /// Keep a message from being delivered until it is released
    Hold { id: QueueId },
    /// Let a held message go
    Release { id: QueueId },
    /// Remove a message undelivered; nobody is told
    Remove {
        id: QueueId,
        /// Don't ask
        #[arg(long, short)]
        yes: bool,
    },
    /// The queue in figures
    Stats {
        #[command(flatten)]
        format: Format,
    },
}

/// Works on the store that the configuration names.
///
/// # Errors
/// When it could not be done.
pub(crate) async fn run(config: &Path, command: Command) -> anyhow::Result<()> {
    let (config, store) = open::store(config).await?;
    let done = on(store.spool(), &config.delivery, command).await;
    store.close().await;
    done
}

async fn on(spool: &impl Spool, delivery: &Delivery, command: Command) -> anyhow::Result<()> {
    match command {
        Command::List { format } => list(spool, format).await,
        Command::Show { id, format } => show(spool, id, format).await,
        Command::Retry { id } => retry(spool, id).await,
        Command::Hold { id } => done(spool.hold(id).await?, id, "is held"),
        Command::Release { id } => release(spool, delivery, id).await,
        Command::Remove { id, yes } => remove(spool, id, yes).await,
        Command::Stats { format } => stats(spool, format).await,
    }
}

async fn list(spool: &impl Spool, format: Format) -> anyhow::Result<()> {
    let entries = spool.list().await?;
    let views: Vec<EntryView<'_, u32>> =
        entries.iter().map(|entry| EntryView::of(entry, entry.recipients)).collect();
    format.print(&views, |views| {
        output::table(
            ["ID", "ACCOUNT", "SENDER", "RECIPIENTS", "SIZE", "ACCEPTED", "NEXT ATTEMPT"],
            views.iter().map(|view| {
                [
                    view.id.clone(),
                    view.account.to_owned(),
                    sender(view.sender),
                    view.recipients.to_string(),
                    view.size.to_string(),
                    output::time(view.accepted_at),
                    next(view.held, view.next_attempt_at),
                ]
            }),
        )
    })
}

async fn show(spool: &impl Spool, id: QueueId, format: Format) -> anyhow::Result<()> {
    let Details { entry, recipients } = spool.show(id).await?.with_context(|| unknown(id))?;
    let recipients: Vec<RecipientView<'_>> = recipients.iter().map(RecipientView::of).collect();
    format.print(&EntryView::of(&entry, recipients), |view| {
        let about = output::fields([
            ("id", view.id.clone()),
            ("account", view.account.to_owned()),
            ("sender", sender(view.sender)),
            ("size", format!("{} octets", view.size)),
            ("accepted", output::time(view.accepted_at)),
            ("next attempt", next(view.held, view.next_attempt_at)),
        ]);
        let recipients = output::table(
            ["RECIPIENT", "STATE", "ATTEMPTS", "NEXT ATTEMPT", "HOST", "LAST REPLY"],
            view.recipients.iter().map(|recipient| {
                [
                    recipient.address.to_owned(),
                    recipient.state.to_owned(),
                    recipient.attempts.to_string(),
                    output::time_or(recipient.next_attempt_at, "-"),
                    output::or_dash(recipient.last_host),
                    output::or_dash(recipient.last_reply),
                ]
            }),
        );
        format!("{about}\n\n{recipients}")
    })
}

async fn retry(spool: &impl Spool, id: QueueId) -> anyhow::Result<()> {
    if spool.show(id).await?.with_context(|| unknown(id))?.entry.held {
        bail!("{id} is held; `gatepost queue release {id}` lets it go");
    }
    done(spool.retry(id, clock::now()).await?, id, "is due now")
}

/// Says which recipients it lets go. The others would be held again by their route, and are left as they are.
async fn release(spool: &impl Spool, delivery: &Delivery, id: QueueId) -> anyhow::Result<()> {
    let recipients = spool.show(id).await?.with_context(|| unknown(id))?.recipients;
    let (stay, go): (Vec<&str>, Vec<&str>) = recipients
        .iter()
        .filter(|recipient| is_waiting(recipient.state))
        .map(|recipient| recipient.address.as_str())
        .partition(|address| wiring::holds(delivery, address));
    if !stay.is_empty() && go.is_empty() {
        bail!("{id} stays held: {}", by_their_route(&stay));
    }
    done(spool.release(id, clock::now()).await?, id, "is released")?;
    if stay.is_empty() { Ok(()) } else { output::line(&format!("not for all: {}", by_their_route(&stay))) }
}

fn is_waiting(state: RecipientState) -> bool {
    matches!(state, RecipientState::Queued | RecipientState::Deferred | RecipientState::Held)
}

fn by_their_route(recipients: &[&str]) -> String {
    format!(
        "mail for {} is held by its route; give that another `via` in [delivery], restart the server, and release it then",
        recipients.join(", ")
    )
}

async fn remove(spool: &impl Spool, id: QueueId, yes: bool) -> anyhow::Result<()> {
    let entry = spool.show(id).await?.with_context(|| unknown(id))?.entry;
    let question = format!("Remove {id} from {}, {} recipients?", sender(&entry.sender), entry.recipients);
    confirm(&question, yes)?;
    done(spool.remove(id).await?, id, "is removed")
}

async fn stats(spool: &impl Spool, format: Format) -> anyhow::Result<()> {
    format.print(&StatsView::of(&spool.stats().await?), |stats| {
        output::fields([
            ("messages", stats.entries.to_string()),
            ("octets", stats.octets.to_string()),
            ("queued", stats.queued.to_string()),
            ("deferred", stats.deferred.to_string()),
            ("held", stats.held.to_string()),
            ("failed", stats.failed.to_string()),
            ("oldest", output::time_or(stats.oldest_accepted_at, "-")),
        ])
    })
}

fn done(found: bool, id: QueueId, state: &str) -> anyhow::Result<()> {
    if !found {
        bail!(unknown(id));
    }
    output::line(&format!("{id} {state}"))
}

fn unknown(id: QueueId) -> String {
    format!("there is no message {id} in the queue; `gatepost queue list` shows those there are")
}

fn sender(sender: &str) -> String {
    if sender.is_empty() { "<>".to_owned() } else { sender.to_owned() }
}

fn next(held: bool, at: Option<Timestamp>) -> String {
    if held { "held".to_owned() } else { output::time_or(at, "none") }
}

/// An entry as `--json` shows it: `list` counts the recipients, `show` tells each.
#[derive(Serialize)]
struct EntryView<'a, R> {
    id: String,
    account: &'a str,
    sender: &'a str,
    size: u64,
    accepted_at: Timestamp,
    next_attempt_at: Option<Timestamp>,
    held: bool,
    recipients: R,
}

impl<'a, R> EntryView<'a, R> {
    fn of(entry: &'a Entry, recipients: R) -> Self {
        Self {
            id: entry.id.to_string(),
            account: &entry.account,
            sender: &entry.sender,
            size: entry.size,
            accepted_at: entry.accepted_at,
            next_attempt_at: entry.next_attempt_at,
            held: entry.held,
            recipients,
        }
    }
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
}

/// The figures as `--json` shows them: messages and octets, then recipients by state.
#[derive(Serialize)]
struct StatsView {
    entries: u64,
    octets: u64,
    queued: u64,
    deferred: u64,
    held: u64,
    failed: u64,
    oldest_accepted_at: Option<Timestamp>,
}

impl StatsView {
    fn of(stats: &Stats) -> Self {
        let Stats { entries, octets, queued, deferred, held, failed, oldest } = *stats;
        Self { entries, octets, queued, deferred, held, failed, oldest_accepted_at: oldest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        Entry {
            id: QueueId::from_bytes([0; 16]),
            account: "alice@example.org".to_owned(),
            sender: "alice@example.org".to_owned(),
            size: 2048,
            accepted_at: "2026-11-21T12:00:00Z".parse().unwrap(),
            next_attempt_at: Some("2026-11-21T12:05:00Z".parse().unwrap()),
            held: false,
            recipients: 1,
        }
    }

    #[test]
    fn the_json_of_the_list_counts_the_recipients() {
        let expected = serde_json::json!({
            "id": "00000000000000000000000000", "account": "alice@example.org", "sender": "alice@example.org",
            "size": 2048, "accepted_at": "2026-11-21T12:00:00Z", "next_attempt_at": "2026-11-21T12:05:00Z",
            "held": false, "recipients": 1,
        });
        assert_eq!(serde_json::to_value(EntryView::of(&entry(), 1)).unwrap(), expected);
    }

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
        let shown = serde_json::to_value(EntryView::of(&entry(), [RecipientView::of(&recipient)])).unwrap();
        let expected = serde_json::json!([{
            "address": "bob@example.net", "state": "deferred", "attempts": 2, "next_attempt_at": null,
            "last_reply": "451 4.3.0 later", "last_host": "mx.example.net",
        }]);
        assert_eq!(shown["recipients"], expected);
    }
}
