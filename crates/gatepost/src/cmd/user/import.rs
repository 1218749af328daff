//! `gatepost user import`: brings accounts from another server, with the hashes of their passwords.
//!
//! What can't be taken is told on stderr, line by line, and the rest is taken; accounts that are there already are
//! left as they are, so that the same command once more finishes what broke off.

mod intake;

use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use config::Config;
use stores::Accounts;
use types::{Domain, Secret};

use crate::import::{Finds, Found, Terms, csv, dovecot, wildduck};
use crate::output::Format;
use crate::{actor, open, wiring};
use intake::{Intake, Tally};

/// How many accounts are hashed at once, at most: enough for every core, and few enough not to be turned away.
const AT_ONCE: usize = 32;

#[derive(Debug, clap::Args)]
pub(crate) struct Import {
    /// What the other server had; `-` is standard input. WildDuck has several: users, asps and addresses
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// In which form
    #[arg(long = "format", value_name = "FORM")]
    form: Form,
    /// Completes names that have no domain
    #[arg(long, value_name = "DOMAIN", value_parser = Domain::parse)]
    domain: Option<Domain>,
    /// The scheme of passwords that name none, as Dovecot's `default_pass_scheme`
    #[arg(long, value_name = "SCHEME", default_value = "CRYPT")]
    default_scheme: String,
    /// Holds the `totp.secret` of WildDuck's configuration, with which seeds are encrypted
    #[arg(long, value_name = "FILE")]
    totp_secret_file: Option<PathBuf>,
    /// Check everything and write nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    format: Format,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Form {
    /// A passwd-file: `user:{SCHEME}hash:…`
    Dovecot,
    /// The collections users, asps and addresses, as mongoexport writes them
    #[value(name = "wildduck")]
    WildDuck,
    /// Columns address, name, password_hash or password, disabled, admin, under a heading
    Csv,
}

/// Brings what can be brought.
///
/// # Errors
/// When a file or the store fails, or something was not taken.
pub(crate) async fn run(
    config: &Config,
    store: &Accounts,
    args: Import,
    mut finds: Finds,
) -> anyhow::Result<()> {
    // What WildDuck has needs keys, and so does SCRAM; a dry run makes none.
    let (wildduck, scram) = (matches!(args.form, Form::WildDuck), config.offers_scram());
    let keyring = match (wildduck || scram) && !args.dry_run {
        true => Some(open::keyring(config, store).await?),
        false => None,
    };
    let mut intake = Intake::new(store, keyring, wiring::hasher(config)?, args.dry_run, actor::act());
    intake.scram = scram;
    loop {
        let some: Vec<Found> = finds.by_ref().take(AT_ONCE).collect::<anyhow::Result<_>>()?;
        if some.is_empty() {
            return told(&args, &intake.tally);
        }
        intake.take(some).await?;
    }
}

fn told(args: &Import, tally: &Tally) -> anyhow::Result<()> {
    args.format.print(tally, Tally::shown)?;
    match tally.flaws() {
        0 => Ok(()),
        1 => bail!("1 entry was not imported, see above; fix it and run the same command again"),
        flaws => {
            bail!("{flaws} entries were not imported, see above; fix them and run the same command again")
        }
    }
}

/// All that stands in the files, to be read on the way; they are open.
///
/// # Errors
/// When a file can't be read, or what is asked for does not fit together.
pub(super) fn finds(args: &Import) -> anyhow::Result<Finds> {
    if args.totp_secret_file.is_some() && !matches!(args.form, Form::WildDuck) {
        bail!("--totp-secret-file goes with --format wildduck alone; leave it out");
    }
    let terms = Terms { domain: args.domain.clone(), scheme: args.default_scheme.clone() };
    if auth::ImportedPassword::parse("", &terms.scheme).err() == Some(auth::StoredError::UnknownScheme) {
        bail!("the scheme {:?} is not known; name one as Dovecot does, such as SHA512-CRYPT", terms.scheme);
    }
    match args.form {
        Form::WildDuck => wildduck(args, &terms),
        Form::Dovecot => {
            each(args, move |file, reader| Ok(Box::new(dovecot::read(file, reader, terms.clone()))))
        }
        Form::Csv => each(args, move |file, reader| Ok(Box::new(csv::read(file, reader, terms.clone())?))),
    }
}

/// The finds of one file after the other. All are opened before any is read.
fn each(
    args: &Import,
    read: impl Fn(Arc<str>, Box<dyn BufRead>) -> anyhow::Result<Finds>,
) -> anyhow::Result<Finds> {
    let finds = args.files.iter().map(|path| read(name(path), opened(path)?));
    let finds: Vec<Finds> = finds.collect::<anyhow::Result<_>>()?;
    Ok(Box::new(finds.into_iter().flatten()))
}

fn wildduck(args: &Import, terms: &Terms) -> anyhow::Result<Finds> {
    let secret = args.totp_secret_file.as_deref().map(totp_secret).transpose()?;
    let mut export = wildduck::Export::default();
    for path in &args.files {
        export.add(&name(path), opened(path)?, terms, secret.as_ref())?;
    }
    Ok(export.finds())
}

fn name(path: &Path) -> Arc<str> {
    if path == Path::new("-") { "-".into() } else { path.display().to_string().into() }
}

fn opened(path: &Path) -> anyhow::Result<Box<dyn BufRead>> {
    if path == Path::new("-") {
        if io::stdin().is_terminal() {
            eprintln!("reading from the terminal; end with Ctrl-D");
        }
        return Ok(Box::new(BufReader::new(io::stdin())));
    }
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(Box::new(BufReader::new(file)))
}

/// One line, as the configuration has it between the quotes.
fn totp_secret(path: &Path) -> anyhow::Result<Secret> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    Ok(Secret::from(line.strip_suffix('\r').unwrap_or(line).to_owned()))
}
