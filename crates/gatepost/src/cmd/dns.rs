//! `gatepost dns`: the records that the set-up wants for a domain.

use std::path::Path;

use anyhow::bail;
use desk::view::{DnsVerdict, WantedRecord};
use types::Domain;

use crate::output::{self, Format};
use crate::{argument, open, wiring};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The domain whose mail leaves here
    #[arg(value_parser = argument::domain)]
    domain: Domain,
    /// Ask the DNS what it has of them
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    format: Format,
}

/// Works on the store that the configuration names.
///
/// # Errors
/// When it could not be done, or the DNS lacks a record.
pub(crate) async fn run(config: &Path, args: Args) -> anyhow::Result<()> {
    let (config, store) = open::store(config).await?;
    let desk = open::desk(&config, &store);
    let records = match args.check {
        true => desk.checked_dns_records(&args.domain, &wiring::resolver(&config.dns)?).await,
        false => desk.dns_records(&args.domain).await,
    };
    store.close().await;
    let records = records?;
    if !args.check {
        args.format.print(&records, |records| zone(records))?;
        args.format
            .remark(&format!("besides, each address of this server needs a PTR record: {}", config.hostname));
        return Ok(());
    }
    args.format.print(&records, |records| table(records))?;
    told(&records, args.format)
}

/// As a zone file has them.
fn zone(records: &[WantedRecord]) -> String {
    let line = |wanted: &WantedRecord| format!("; {}\n{}", wanted.purpose, wanted.record);
    records.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn table(records: &[WantedRecord]) -> String {
    output::table(["FOR", "NAME", "TYPE", "VERDICT", "FOUND"], records.iter().map(row))
}

fn row(wanted: &WantedRecord) -> [String; 5] {
    let found = match (&wanted.found, &wanted.error) {
        (Some(found), _) => output::list_or(found, "nothing"),
        (None, Some(error)) => error.clone(),
        (None, None) => "-".to_owned(),
    };
    [
        wanted.purpose.to_owned(),
        wanted.record.name.clone(),
        wanted.record.kind.to_owned(),
        output::or_dash(wanted.verdict.map(DnsVerdict::name)),
        output::beginning(&output::harmless(&found), FOUND),
    ]
}

/// How much is shown of what was found.
const FOUND: usize = 80;

/// Whether all is well; else what to publish.
fn told(records: &[WantedRecord], format: Format) -> anyhow::Result<()> {
    let wrong: Vec<_> =
        records.iter().filter(|wanted| wanted.verdict.is_some_and(DnsVerdict::is_wrong)).collect();
    let lacking = |wanted: &&&WantedRecord| wanted.verdict != Some(DnsVerdict::Unknown);
    for wanted in wrong.iter().filter(lacking) {
        format.remark(&format!("wanted: {}", wanted.record));
    }
    match wrong.len() {
        0 => Ok(()),
        number => bail!(
            "{number} of {} records are not as they should be; publish them, and ask again",
            records.len()
        ),
    }
}
