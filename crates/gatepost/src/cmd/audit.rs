//! `gatepost audit`: who logged in or tried to, and what was changed of accounts and credentials.

use std::path::Path;

use desk::{Desk, audited_name, view};
use ipnet::IpNet;
use jiff::Timestamp;
use store::{Action, AuditFilter, AuditResult, Page};
use types::Domain;

use crate::argument::{self, Moment};
use crate::default_domain::completed;
use crate::output::{self, Cell, Format, Listing, Look};
use crate::{clock, open};

/// How many entries people are shown who do not say how many: what can be scrolled through.
const FOR_PEOPLE: u32 = 100;

/// How many entries are read at a time.
const PAGE: u32 = 500;

const HEADING: [&str; 11] = [
    "TIME",
    "ACTION",
    "RESULT",
    "REASON",
    "ACCOUNT",
    "CREDENTIAL",
    "MECHANISM",
    "IP",
    "SESSION",
    "BY",
    "COUNT",
];

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// List logins and changes, newest first; events alike within an hour are one entry with a count
    List(List),
    /// Forget what is older than audit.keep says; a running server does so by itself
    Prune,
}

#[derive(Debug, clap::Args)]
pub(crate) struct List {
    /// Only those about this account, which need not exist
    #[arg(long, value_name = "ADDRESS")]
    user: Option<String>,
    /// Only those of this kind
    #[arg(long, value_parser = argument::action())]
    action: Option<Action>,
    /// Only those that came to this
    #[arg(long, value_parser = argument::audit_result())]
    result: Option<AuditResult>,
    /// Only what was done by this one: an account, or a user of the system
    #[arg(long, value_name = "ACTOR")]
    actor: Option<String>,
    /// Only those from this network or address
    #[arg(long, value_name = "CIDR", value_parser = argument::network)]
    ip: Option<IpNet>,
    /// Only those since then: 24h, 7d, a day like 2027-01-31 or an RFC 3339 time
    #[arg(long, value_name = "BEGIN")]
    since: Option<Moment>,
    /// So many at most; if not given, 100 as text and all as JSON
    #[arg(long, value_name = "NUMBER")]
    limit: Option<u32>,
    #[command(flatten)]
    format: Format,
}

/// Works on the store that the configuration names.
///
/// # Errors
/// When it could not be done.
pub(crate) async fn run(config: &Path, command: Command) -> anyhow::Result<()> {
    let (config, store) = open::store(config).await?;
    let desk = open::desk(&config, &store);
    let done = match command {
        Command::List(args) => list(&desk, args, config.auth.default_domain.as_ref()).await,
        Command::Prune => prune(&desk).await,
    };
    store.close().await;
    done
}

async fn list(desk: &Desk, args: List, default_domain: Option<&Domain>) -> anyhow::Result<()> {
    let (format, limit) = (args.format, args.limit());
    let filter = args.filter(default_domain, clock::now());
    let mut listing = Listing::new(format, HEADING);
    let (mut left, mut after) = (limit.unwrap_or(u32::MAX), None);
    loop {
        let page = desk.audit(&filter, Page { after, limit: left.min(PAGE) }).await?;
        left = left.saturating_sub(u32::try_from(page.items.len())?);
        after = page.last;
        let is_read = listing.page(&page.items, row)?;
        if left == 0 || after.is_none() || !is_read {
            listing.end()?;
            break;
        }
    }
    if left == 0 {
        format.remark("there may be more; a larger --limit shows them");
    }
    Ok(())
}

async fn prune(desk: &Desk) -> anyhow::Result<()> {
    let (pruned, before) = desk.forget_old_audit().await?;
    let entries = if pruned == 1 { "1 entry".to_owned() } else { format!("{pruned} entries") };
    output::line(&format!("removed {entries} from before {}", output::time(before)))
}

impl List {
    fn limit(&self) -> Option<u32> {
        self.limit.or(self.format.is_for_people().then_some(FOR_PEOPLE))
    }

    fn filter(self, default_domain: Option<&Domain>, now: Timestamp) -> AuditFilter {
        AuditFilter {
            account: self.user.map(|name| audited_name(completed(name, default_domain))),
            action: self.action,
            result: self.result,
            actor: self.actor,
            network: self.ip,
            since: self.since.map(|since| since.back_from(now)),
            ..AuditFilter::default()
        }
    }
}

fn row(entry: &view::AuditEntry) -> [Cell; 11] {
    let failed = entry.result == AuditResult::Failure.name();
    [
        output::time(entry.time).into(),
        entry.action.to_owned().into(),
        Cell::new(if failed { Look::Bad } else { Look::Plain }, entry.result),
        entry.reason.clone().into(),
        output::or_dash(entry.account.as_ref()).into(),
        output::or_dash(entry.credential.as_ref()).into(),
        output::or_dash(entry.mechanism.as_ref()).into(),
        output::or_dash(entry.ip).into(),
        output::or_dash(entry.session.as_ref()).into(),
        output::or_dash(entry.by.as_ref()).into(),
        entry.count.to_string().into(),
    ]
}
