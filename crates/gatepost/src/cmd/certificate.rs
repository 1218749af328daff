//! `gatepost certificate`: what clients log in with by EXTERNAL.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use config::Config;
use desk::{Desk, ShownCertificate, Trouble, view};
use submission::tls::{CertificateDer, pem};
use types::{Fingerprint, Mailbox, Mechanism};

use crate::argument;
use crate::output::{self, Cell, Format, Listing};
use crate::{actor, error_line, open};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Let an account log in with a certificate, whoever has signed it
    Add(Add),
    /// List the certificates of an account
    List {
        /// The account
        address: Mailbox,
        #[command(flatten)]
        format: Format,
    },
    /// Remove a certificate; a session that uses it ends at its next command
    Remove {
        /// The account
        address: Mailbox,
        /// As `list` shows it
        fingerprint: Fingerprint,
    },
}

#[derive(Debug, clap::Args)]
#[command(
    override_usage = "gatepost certificate add [OPTIONS] --label <TEXT> <ADDRESS> <FILE|--fingerprint <HEX>>"
)]
pub(crate) struct Add {
    /// The account
    address: Mailbox,
    #[command(flatten)]
    which: Which,
    /// Where it will be used, to know it by later
    #[arg(long, value_name = "TEXT", value_parser = argument::text)]
    label: String,
    #[command(flatten)]
    format: Format,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Which {
    /// The certificate, PEM; of several in it the first
    file: Option<PathBuf>,
    /// Its SHA-256 instead, as `openssl x509 -noout -fingerprint -sha256` has it
    #[arg(long, value_name = "HEX")]
    fingerprint: Option<Fingerprint>,
}

/// Works on the store that the configuration names.
///
/// # Errors
/// When it could not be done.
pub(crate) async fn run(config: &Path, command: Command) -> anyhow::Result<()> {
    // Root may read what the owner of the store may not.
    let shown = match &command {
        Command::Add(args) => args.which.read()?,
        Command::List { .. } | Command::Remove { .. } => None,
    };
    let (config, store) = open::store(config).await?;
    let desk = open::desk(&config, &store);
    let done = match command {
        Command::Add(args) => add(&desk, &config, args, shown).await,
        Command::List { address, format } => list(&desk, &address, format).await,
        Command::Remove { address, fingerprint } => remove(&desk, &address, fingerprint).await,
    };
    store.close().await;
    done
}

/// What is named on the command line.
enum Shown {
    /// The certificate in this file.
    File(PathBuf, CertificateDer<'static>),
    Fingerprint(Fingerprint),
}

async fn add(desk: &Desk, config: &Config, args: Add, shown: Option<Shown>) -> anyhow::Result<()> {
    let account = desk.find(&args.address).await?;
    let shown = shown.context("name a file, or a --fingerprint")?;
    let trusted = desk.trust_certificate(&actor::act(), &account, args.label, shown.as_shown()).await;
    let certificate = trusted.map_err(|trouble| shown.told(trouble))?;
    let may = |view: &view::Certificate| format!("{} may log in with {}", account.address, view.fingerprint);
    args.format.print(&certificate, may)?;
    lacks(config).into_iter().for_each(|lack| args.format.remark(lack));
    Ok(())
}

impl Which {
    /// What is named, if anything is.
    fn read(&self) -> anyhow::Result<Option<Shown>> {
        match (&self.file, self.fingerprint) {
            (Some(file), _) => Ok(Some(Shown::File(file.clone(), read(file)?))),
            (None, fingerprint) => Ok(fingerprint.map(Shown::Fingerprint)),
        }
    }
}

impl Shown {
    fn as_shown(&self) -> ShownCertificate<'_> {
        match self {
            Shown::File(_, certificate) => ShownCertificate::Der(certificate),
            Shown::Fingerprint(fingerprint) => ShownCertificate::Fingerprint(*fingerprint),
        }
    }

    /// What went wrong, with the name of the file that it is about.
    fn told(&self, trouble: Trouble) -> anyhow::Error {
        match (self, trouble) {
            (Shown::File(file, _), Trouble::NoCertificate) => {
                anyhow!("the certificate {} cannot be understood", file.display())
            }
            (Shown::File(file, _), Trouble::Expired(end)) => {
                let end = output::time(end);
                anyhow!("the certificate {} expired at {end}; add its successor", file.display())
            }
            (_, trouble) => trouble.into(),
        }
    }
}

/// The first certificate in a PEM file.
fn read(file: &Path) -> anyhow::Result<CertificateDer<'static>> {
    let certificates = pem::certificates(file).map_err(|error| unread(error, file))?;
    certificates.into_iter().next().with_context(|| format!("{} holds no certificate", file.display()))
}

/// Why there is no certificate in the file, and what to do about it.
fn unread(error: pem::PemError, file: &Path) -> anyhow::Error {
    let in_der = !matches!(error, pem::PemError::Unreadable { .. });
    let said = error_line::of(&error.into());
    let remedy = format!(
        "; if it is DER, `openssl x509 -inform der -in {} -out client.pem` makes PEM of it",
        file.display()
    );
    anyhow!("{said}{}", if in_der { &remedy } else { "" })
}

/// What keeps every certificate from being of use.
fn lacks(config: &Config) -> Vec<&'static str> {
    let asked_for = config.listen.iter().any(|listen| listen.client_certificates);
    let lacks = [
        (!asked_for, "no listener asks for certificates yet: `client_certificates = true` in a [[listen]]"),
        (
            !config.offers(Mechanism::External),
            "nobody can log in with it before \"EXTERNAL\" is in the mechanisms of a [[listen]], or in auth.mechanisms",
        ),
    ];
    lacks.into_iter().filter(|(lacking, _)| *lacking).map(|(_, lack)| lack).collect()
}

async fn list(desk: &Desk, address: &Mailbox, format: Format) -> anyhow::Result<()> {
    let account = desk.find(address).await?;
    let heading = ["FINGERPRINT", "LABEL", "CREATED", "EXPIRES", "LAST USED", "FROM"];
    let listing = Listing::new(format, heading);
    listing.pages(async |page| desk.certificates(&account, page).await, row).await
}

fn row(view: &view::Certificate) -> [Cell; 6] {
    [
        view.fingerprint.clone().into(),
        view.label.clone().into(),
        output::time(view.created_at).into(),
        output::time_or(view.expires_at, "-").into(),
        output::time_or(view.last_used_at, "never").into(),
        output::or_dash(view.last_used_ip).into(),
    ]
}

async fn remove(desk: &Desk, address: &Mailbox, fingerprint: Fingerprint) -> anyhow::Result<()> {
    let account = desk.find(address).await?;
    desk.distrust_certificate(&actor::act(), &account, fingerprint).await?;
    output::line(&format!("{} may no longer log in with {fingerprint}", account.address))
}
