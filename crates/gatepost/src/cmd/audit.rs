//! `gatepost audit`: who logged in or tried to, and what was changed of accounts and credentials.

use std::net::IpAddr;
use std::path::Path;

use anyhow::Context as _;
use ipnet::IpNet;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use store::{Action, Audit, AuditEntry, AuditFilter, AuditResult, Via};
use types::{Domain, Mailbox};

use crate::argument::{self, Moment};
use crate::default_domain::completed;
use crate::output::{self, Cell, Format, Look};
use crate::{clock, open};

/// How many entries people are shown who do not say how many: what can be scrolled through.
const FOR_PEOPLE: u32 = 100;

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
    let done = match command {
        Command::List(args) => list(store.accounts(), args, config.auth.default_domain.as_ref()).await,
        Command::Prune => prune(store.accounts(), config.audit).await,
    };
    store.close().await;
    done
}

async fn list(audit: &impl Audit, args: List, default_domain: Option<&Domain>) -> anyhow::Result<()> {
    let format = args.format;
    let filter = args.filter(default_domain, clock::now());
    let entries = audit.entries(&filter).await?;
    let views: Vec<View<'_>> = entries.iter().map(View::of).collect();
    format.print(&views, |views| {
        output::table(
            [
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
            ],
            views.iter().map(View::row),
        )
    })?;
    if filter.limit.is_some_and(|limit| u32::try_from(views.len()) == Ok(limit)) {
        format.remark("there may be more; a larger --limit shows them");
    }
    Ok(())
}

async fn prune(audit: &impl Audit, config: config::Audit) -> anyhow::Result<()> {
    let keep = SignedDuration::try_from(config.keep)?;
    let now = clock::now();
    let before = now.checked_sub(keep).context("audit.keep goes back beyond the calendar")?;
    let pruned = audit.prune(before, now).await?;
    let entries = if pruned == 1 { "1 entry".to_owned() } else { format!("{pruned} entries") };
    output::line(&format!("removed {entries} from before {}", output::time(before)))
}

impl List {
    fn filter(self, default_domain: Option<&Domain>, now: Timestamp) -> AuditFilter {
        let default = self.format.is_for_people().then_some(FOR_PEOPLE);
        AuditFilter {
            account: self.user.map(|name| normal(completed(name, default_domain))),
            action: self.action,
            result: self.result,
            network: self.ip,
            since: self.since.map(|since| since.back_from(now)),
            limit: self.limit.or(default),
        }
    }
}

/// A name as the trail has it: somebody may have tried to log in by one that is no address.
pub(crate) fn normal(name: String) -> String {
    Mailbox::parse(&name).map_or(name, |address| address.normal())
}

/// An entry as `--json` shows it.
#[derive(Serialize)]
struct View<'a> {
    /// Of the last event.
    time: Timestamp,
    /// Of the first.
    first_time: Timestamp,
    action: &'static str,
    result: &'static str,
    reason: &'a str,
    account: Option<&'a str>,
    credential: Option<&'a str>,
    mechanism: Option<&'a str>,
    scope: Option<&'a str>,
    ip: Option<IpAddr>,
    tls: Option<&'a str>,
    session: Option<&'a str>,
    /// Who did it at the command line, where that is known.
    by: Option<&'a str>,
    /// Who did it, at the command line or elsewhere; nobody is known before a login.
    actor: Option<&'a str>,
    /// By which means.
    via: Option<&'static str>,
    count: u64,
}

impl<'a> View<'a> {
    fn of(entry: &'a AuditEntry) -> Self {
        let event = &entry.event;
        Self {
            time: event.at,
            first_time: entry.first_at,
            action: event.action.name(),
            result: event.result.name(),
            reason: &event.reason,
            account: event.account.as_deref(),
            credential: event.credential.as_deref(),
            mechanism: event.mechanism.as_deref(),
            scope: event.scope.as_deref(),
            ip: event.ip,
            tls: event.tls.as_deref(),
            session: event.session.as_deref(),
            by: event.actor.as_deref().filter(|_| event.via == Some(Via::Cli)),
            actor: event.actor.as_deref(),
            via: event.via.map(Via::name),
            count: entry.count,
        }
    }

    fn row(&self) -> [Cell; 11] {
        let failed = self.result == AuditResult::Failure.name();
        [
            output::time(self.time).into(),
            self.action.to_owned().into(),
            Cell::new(if failed { Look::Bad } else { Look::Plain }, self.result),
            self.reason.to_owned().into(),
            output::or_dash(self.account).into(),
            output::or_dash(self.credential).into(),
            output::or_dash(self.mechanism).into(),
            output::or_dash(self.ip).into(),
            output::or_dash(self.session).into(),
            output::or_dash(self.by).into(),
            self.count.to_string().into(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use store::{Act, AuditEvent};

    use super::*;

    #[test]
    fn the_json_of_an_event_has_the_promised_keys() {
        let at = "2026-11-21T12:00:00Z".parse().unwrap();
        let act = Act::command("frank", at);
        let event = AuditEvent::change(Action::PasswordSet, "alice@example.org", &act).about("password");
        let expected = serde_json::json!({
            "time": "2026-11-21T12:00:00Z", "first_time": "2026-11-21T12:00:00Z", "action": "password-set",
            "result": "success", "reason": "ok", "account": "alice@example.org", "credential": "password",
            "mechanism": null, "scope": null, "ip": null, "tls": null, "session": null, "by": "frank", "actor": "frank", "via": "cli", "count": 1,
        });
        assert_eq!(serde_json::to_value(View::of(&event.into())).unwrap(), expected);
    }

    #[test]
    fn a_name_is_looked_for_as_the_trail_has_it() {
        for (name, meant) in [("Alice@Example.ORG", "alice@example.org"), ("root", "root")] {
            assert_eq!(normal(name.to_owned()), meant);
        }
    }
}
