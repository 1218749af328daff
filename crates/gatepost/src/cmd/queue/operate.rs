//! `gatepost queue retry`, `hold`, `release` and `remove`: for messages that are named, or that a filter finds.

use std::collections::HashSet;

use anyhow::{Context as _, bail};
use config::Config;
use store::{Accounts as _, Action, Audit as _, AuditEvent, Operated, Operation, Page, QueueFilter, Spool};
use store_sqlite::{SqliteAccounts, SqliteSpool};
use types::QueueId;

use super::filter::Filter;
use super::hindrance::Hindrance;
use super::identifier::{Identifier, unknown};
use super::view::sender;
use crate::cmd::audit::normal;
use crate::prompt::ask;
use crate::{actor, clock, output};

/// How many messages are changed in one transaction: in a moment in which the server does not wait long.
const TOGETHER: usize = 200;

/// How many identifiers are read at a time.
const PAGE: u32 = 10_000;

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

/// Works on the queue, and tells the audit trail.
pub(crate) struct Operator<'a> {
    spool: &'a SqliteSpool,
    accounts: &'a SqliteAccounts,
    config: &'a Config,
}

/// What came of it.
#[derive(Debug, Default)]
struct Report {
    done: Vec<QueueId>,
    /// Of those that were done in part.
    notes: Vec<String>,
    /// Why messages were left as they are.
    left: Vec<String>,
}

impl<'a> Operator<'a> {
    pub(crate) fn new(spool: &'a SqliteSpool, accounts: &'a SqliteAccounts, config: &'a Config) -> Self {
        Self { spool, accounts, config }
    }

    /// # Errors
    /// When a message isn't there, they are not as many as expected, nobody agreed, or one that was named was left as it is.
    pub(super) async fn run(&self, operation: Operation, which: Which) -> anyhow::Result<()> {
        let Which { ids, filter, expect, yes } = which;
        let named = !ids.is_empty();
        let ids = if named {
            self.resolve(&ids).await?
        } else {
            let default_domain = self.config.auth.default_domain.as_ref();
            let filter = filter.meaning(self.accounts, default_domain, clock::now()).await?;
            self.find(&filter).await?
        };
        match expect {
            Some(expected) if expected != ids.len() => {
                bail!("nothing is done: {} found, not {expected}", messages(ids.len(), "is", "are"))
            }
            Some(_) => {}
            None if ids.is_empty() => {}
            None if named && operation != Operation::Remove => {}
            None if yes => {}
            None => ask(&self.question(operation, named, &ids).await?, &instead(named, ids.len()))?,
        }
        let report = self.operate(operation, &ids).await?;
        if named { report.tell_each(operation) } else { report.tell_all(operation) }
    }

    /// Every message that the filter lets through.
    ///
    /// # Errors
    /// When the store can't tell.
    pub(crate) async fn find(&self, filter: &QueueFilter) -> anyhow::Result<Vec<QueueId>> {
        let (mut found, mut page) = (Vec::new(), Page::first(PAGE));
        loop {
            let ids = self.spool.ids(filter, page).await?;
            page.after = ids.last().copied();
            if page.after.is_none() {
                return Ok(found);
            }
            found.extend(ids);
        }
    }

    /// Does it to all of them, and enters it into the audit trail.
    ///
    /// # Errors
    /// When the store fails; what was done until then is done.
    pub(crate) async fn perform(
        &self,
        operation: Operation,
        ids: &[QueueId],
    ) -> anyhow::Result<Vec<Operated>> {
        let act = actor::act();
        let mut all_done = Vec::with_capacity(ids.len());
        for ids in ids.chunks(TOGETHER) {
            let done = self.spool.operate(operation, ids.to_vec(), &act).await?;
            for Operated { account, .. } in &done {
                let event = AuditEvent::change(action(operation), normal(account.clone()), &act);
                self.accounts.note(event);
            }
            all_done.extend(done);
            self.accounts.flush().await.context("it was done, but the audit trail can't be written")?;
        }
        Ok(all_done)
    }

    async fn operate(&self, operation: Operation, ids: &[QueueId]) -> anyhow::Result<Report> {
        let (mut report, mut free) = (Report::default(), Vec::with_capacity(ids.len()));
        for id in ids {
            match self.hindrance(operation, *id).await? {
                Some(Hindrance::Of(reason)) => {
                    report.left.push(reason);
                    continue;
                }
                Some(Hindrance::OfSome(note)) => report.notes.push(note),
                None => {}
            }
            free.push(*id);
        }
        report.done = self.perform(operation, &free).await?.iter().map(|done| done.id).collect();
        if report.done.len() < free.len() {
            let done: HashSet<QueueId> = report.done.iter().copied().collect();
            report.left.extend(free.iter().filter(|id| !done.contains(id)).map(unknown));
        }
        Ok(report)
    }

    async fn hindrance(&self, operation: Operation, id: QueueId) -> anyhow::Result<Option<Hindrance>> {
        if matches!(operation, Operation::Hold | Operation::Remove) {
            return Ok(None);
        }
        let message = self.spool.show(id).await?;
        Ok(message.and_then(|message| Hindrance::find(operation, &message, &self.config.delivery)))
    }

    /// All of them, before anything is done; each once.
    async fn resolve(&self, typed: &[Identifier]) -> anyhow::Result<Vec<QueueId>> {
        let mut ids = Vec::with_capacity(typed.len());
        for typed in typed {
            let id = typed.resolve(self.spool).await?;
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        Ok(ids)
    }

    async fn question(&self, operation: Operation, named: bool, ids: &[QueueId]) -> anyhow::Result<String> {
        let verb = match operation {
            Operation::Retry => "Retry",
            Operation::Hold => "Hold",
            Operation::Release => "Release",
            Operation::Remove => "Remove",
        };
        match ids {
            [id] if named => {
                let entry = self.spool.show(*id).await?.with_context(|| unknown(id))?.entry;
                Ok(format!("{verb} {id} from {}, {} recipients?", sender(&entry.sender), entry.recipients))
            }
            ids => Ok(format!("{verb} {}?", messages(ids.len(), "", "").trim_end())),
        }
    }
}

impl Report {
    /// For messages that were named.
    fn tell_each(&self, operation: Operation) -> anyhow::Result<()> {
        for id in &self.done {
            output::line(&format!("{id} is {}", state(operation)))?;
        }
        self.notes.iter().try_for_each(|note| output::line(note))?;
        match self.left.as_slice() {
            [] => Ok(()),
            [only] => bail!("{only}"),
            [first, more @ ..] => bail!("{first}; and {} more", messages(more.len(), "is left", "are left")),
        }
    }

    /// For messages that were found: to leave some of them is no failure.
    fn tell_all(&self, operation: Operation) -> anyhow::Result<()> {
        output::line(&format!("{} {}", messages(self.done.len(), "is", "are"), state(operation)))?;
        if let Some(first) = self.notes.first() {
            output::line(&format!(
                "{} not for all recipients; the first, {first}",
                messages(self.notes.len(), "is", "are")
            ))?;
        }
        if let Some(first) = self.left.first() {
            output::line(&format!("{} left: {first}", messages(self.left.len(), "is", "are")))?;
        }
        Ok(())
    }
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
        Operation::Remove => "removed",
    }
}

fn action(operation: Operation) -> Action {
    match operation {
        Operation::Retry => Action::QueueRetry,
        Operation::Hold => Action::QueueHold,
        Operation::Release => Action::QueueRelease,
        Operation::Remove => Action::QueueRemove,
    }
}
