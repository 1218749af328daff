//! `gatepost queue retry`, `hold`, `release`, `bounce` and `remove`: for messages that are named, or that a filter finds.

use anyhow::bail;
use desk::{Desk, Expected, Operated, Trouble};
use store::Operation;
use types::{Domain, QueueId};

use super::filter::Filter;
use super::identifier::Identifier;
use super::show::sender;
use crate::cmd::hint;
use crate::prompt::ask;
use crate::{actor, clock, output};

/// The messages that are meant.
#[derive(Debug, clap::Args)]
pub(crate) struct Which {
    /// The messages; identifiers may be cut short
    #[arg(value_name = "ID", required_unless_present = "filter", conflicts_with = "filter")]
    ids: Vec<Identifier>,
    #[command(flatten)]
    filter: Filter,
    /// How many messages that should be: if they are as many, it is done without asking, otherwise nothing is
    #[arg(long, value_name = "NUMBER")]
    expect: Option<usize>,
    /// Don't ask
    #[arg(long, short)]
    yes: bool,
}

/// # Errors
/// When a message isn't there, they are not as many as expected, nobody agreed, or one that was named was left as it is.
pub(super) async fn run(
    desk: &Desk,
    operation: Operation,
    which: Which,
    default_domain: Option<&Domain>,
) -> anyhow::Result<()> {
    let Which { ids, filter, expect, yes } = which;
    let named = !ids.is_empty();
    let ids = if named {
        resolve(desk, &ids).await?
    } else {
        desk.find_messages(&filter.meaning(desk, default_domain, clock::now()).await?).await?
    };
    match expect {
        Some(expected) => Expected::Exactly(expected).see(ids.len())?,
        None if ids.is_empty() => {}
        None if named && !is_final(operation) => {}
        None if yes => {}
        None => ask(&question(desk, operation, named, &ids).await?, &instead(named, ids.len()))?,
    }
    let operated = desk.operate_on(&actor::act(), operation, &ids).await?;
    let told = if named { tell_each(&operated, operation) } else { tell_all(&operated, operation) };
    complete(operated, ids.len())?;
    told
}

/// Whether it can't be taken back.
fn is_final(operation: Operation) -> bool {
    match operation {
        Operation::Bounce | Operation::Remove | Operation::Undo | Operation::Stop => true,
        Operation::Retry | Operation::Hold | Operation::Release => false,
    }
}

/// Sees that an operation on so many messages was not broken off.
///
/// # Errors
/// What broke it off, and how many messages were left.
pub(crate) fn complete(operated: Operated, asked: usize) -> anyhow::Result<()> {
    let rest = asked.saturating_sub(operated.done.len() + operated.left.len());
    match operated.broken_off {
        None => Ok(()),
        Some(trouble) if rest == 0 => Err(trouble.into()),
        Some(trouble) => {
            let left = format!("nothing was done to {}", messages(rest, "more", "more"));
            Err(anyhow::Error::from(trouble).context(left))
        }
    }
}

/// All of them, before anything is done; each once.
async fn resolve(desk: &Desk, typed: &[Identifier]) -> Result<Vec<QueueId>, Trouble> {
    let mut ids = Vec::with_capacity(typed.len());
    for typed in typed {
        let id = typed.resolve(desk).await?;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    Ok(ids)
}

async fn question(
    desk: &Desk,
    operation: Operation,
    named: bool,
    ids: &[QueueId],
) -> Result<String, Trouble> {
    let verb = match operation {
        Operation::Retry => "Retry",
        Operation::Hold => "Hold",
        Operation::Release => "Release",
        Operation::Bounce => "Return to the sender",
        Operation::Remove => "Remove",
        Operation::Undo => "Take back",
        Operation::Stop => "Stop",
    };
    match ids {
        [id] if named => {
            let message = desk.show_message(*id).await?;
            let (sender, recipients) = (sender(&message.sender), message.recipients.len());
            Ok(format!("{verb} {id} from {sender}, {recipients} recipients?"))
        }
        ids => Ok(format!("{verb} {}?", messages(ids.len(), "", "").trim_end())),
    }
}

/// Tells what became of messages that were named.
fn tell_each(operated: &Operated, operation: Operation) -> anyhow::Result<()> {
    for id in &operated.done {
        output::line(&format!("{id} is {}", state(operation)))?;
    }
    operated.partly.iter().try_for_each(|held| output::line(&held.to_string()))?;
    match operated.left.as_slice() {
        [] => Ok(()),
        [only] => bail!("{}", hint::told(only)),
        [first, more @ ..] => {
            bail!("{}; and {} more", hint::told(first), messages(more.len(), "is left", "are left"))
        }
    }
}

/// Tells what became of messages that were found: to leave some of them is no failure.
fn tell_all(operated: &Operated, operation: Operation) -> anyhow::Result<()> {
    output::line(&format!("{} {}", messages(operated.done.len(), "is", "are"), state(operation)))?;
    if let Some(first) = operated.partly.first() {
        output::line(&format!(
            "{} not for all recipients; the first, {first}",
            messages(operated.partly.len(), "is", "are")
        ))?;
    }
    if let Some(first) = operated.left.first() {
        let left = messages(operated.left.len(), "is", "are");
        output::line(&format!("{left} left: {}", hint::told(first)))?;
    }
    Ok(())
}

/// What answers the question on the command line.
fn instead(named: bool, count: usize) -> String {
    if named { "--yes".to_owned() } else { format!("--expect {count} or --yes") }
}

/// So many messages and their verb.
pub(crate) fn messages(count: usize, is: &str, are: &str) -> String {
    if count == 1 { format!("1 message {is}") } else { format!("{count} messages {are}") }
}

/// What a message is afterwards.
fn state(operation: Operation) -> &'static str {
    match operation {
        Operation::Retry => "due now",
        Operation::Hold => "held",
        Operation::Release => "released",
        Operation::Bounce => "returned",
        Operation::Remove => "removed",
        Operation::Undo => "taken back",
        Operation::Stop => "stopped",
    }
}
