//! `gatepost check`: says what is wrong with the set-up, serving nothing.

use std::path::Path;

use auth::MasterKeys;
use config::Config;
use submission::tls::{CertificateFacts, Identity};
use types::Mechanism;

use crate::output::Format;
use crate::{clock, storage_privacy, warnings, wiring};

use self::report::Report;

mod report;

mod store;

mod maildirs;

mod connect;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Also try the next hosts, up to the login there (nothing is sent), whoever is asked about logins, and the DNS
    #[arg(long)]
    connect: bool,
    /// Exit with 1 if there is a warning
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    format: Format,
}

/// Clients that know the mechanism and fail by it, before they have said a word of it.
const CANNOT_BIND: &str = "SCRAM-SHA-256-PLUS is offered: mutt and neomutt as Debian has them take it first, and cannot bind it to TLS; with \
                           smtp_authenticators = \"plain\" in their configuration they log in";

/// Reads everything that `serve` would read, and goes on after an error, so that all of them are told at once.
///
/// # Errors
/// When something is wrong that would keep the server from starting or from delivering; with `--strict` also when there is
/// a warning.
pub(crate) async fn run(file: &Path, args: &Args) -> anyhow::Result<()> {
    let mut report = Report::of(file, args.connect);
    match Config::load(file) {
        Ok(config) => examine(&config, args.connect, &mut report).await,
        Err(error) => report.configuration(&error),
    }
    report.print(args.format)?;
    report.verdict(args.strict)
}

async fn examine(config: &Config, connect: bool, report: &mut Report) {
    let certificate = report.keep("certificate", "tls.certificate", certificate(config)).flatten();
    report.warn(warnings::about(config, certificate.as_ref(), clock::now()));
    if config.offers(Mechanism::ScramSha256Plus) {
        report.note(CANNOT_BIND.to_owned());
    }
    let keys = MasterKeys::load(&config.storage.master_key_file);
    let keys = report.keep("master-key", "storage.master_key_file", keys.map_err(Into::into));
    report.keep("master-key", "storage.master_key_file", storage_privacy::key_is_apart(&config.storage));
    report.keep("store", "storage.url", storage_privacy::store_is_private(&config.storage.directory));
    store::examine(config, keys.is_some(), report).await;
    let backends = report.keep("backend", "auth.backends", wiring::backends(config));
    let routes = report.keep("delivery", "delivery", wiring::routes(&config.delivery));
    let resolver = report.keep("dns", "dns", wiring::resolver(&config.dns));
    maildirs::examine(&config.delivery, report);
    if connect {
        connect::examine(config, backends.unwrap_or_default(), routes, resolver, report).await;
    }
}

fn certificate(config: &Config) -> anyhow::Result<Option<CertificateFacts>> {
    let Some(tls) = &config.tls else { return Ok(None) };
    Ok(Some(Identity::load(&tls.certificate, &tls.private_key)?.facts()?))
}
