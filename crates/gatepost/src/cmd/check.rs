//! `gatepost check`: says what is wrong with the set-up, serving nothing.

use std::io;
use std::path::Path;

use anyhow::Context as _;
use auth::MasterKey;
use config::{Config, Login, Via};
use store_sqlite::{Mode, SqliteStore};
use submission::tls::{CertificateFacts, Identity};

use crate::{clock, doubts, output};

/// Reads everything that `serve` would read, and goes on after a fault, so that all of them are told at once.
///
/// # Errors
/// When something is wrong that would keep the server from starting or from delivering.
pub(crate) async fn run(file: &Path) -> anyhow::Result<()> {
    let config = Config::load(file)?;
    let certificate = certificate(&config);
    let facts = certificate.as_ref().ok().and_then(Option::as_ref);
    for doubt in doubts::about(&config, facts, clock::now()) {
        output::line(&format!("warning: {doubt}"))?;
    }
    let faults: Vec<anyhow::Error> = [
        certificate.map(drop),
        MasterKey::load(&config.storage.master_key_file).map(drop).map_err(Into::into),
        store(&config.storage.directory).await,
        delivery(&config),
    ]
    .into_iter()
    .filter_map(Result::err)
    .collect();
    tell(file, &faults)
}

fn tell(file: &Path, faults: &[anyhow::Error]) -> anyhow::Result<()> {
    for fault in faults {
        output::line(&format!("fault: {fault:#}"))?;
    }
    match faults.len() {
        0 => output::line(&format!("{}: all is well", file.display())),
        1 => anyhow::bail!("the fault above keeps the server from working; mend it"),
        number => anyhow::bail!("the {number} faults above keep the server from working; mend them"),
    }
}

fn certificate(config: &Config) -> anyhow::Result<Option<CertificateFacts>> {
    let Some(tls) = &config.tls else { return Ok(None) };
    Ok(Some(Identity::load(&tls.certificate, &tls.private_key)?.facts()?))
}

/// A store that is not there yet is made by the first start, and must not be made here: `check` may be run by somebody
/// else than the server.
async fn store(directory: &Path) -> anyhow::Result<()> {
    if !directory.join("accounts.db").exists() {
        return output::line(&format!(
            "note: the store {} will be made by the first start",
            directory.display()
        ));
    }
    SqliteStore::open(directory, Mode::Command).await?.close().await;
    Ok(())
}

fn delivery(config: &Config) -> anyhow::Result<()> {
    let delivery = &config.delivery;
    if let Some(Login { password_file, .. }) = &delivery.login {
        readable("delivery.password_file", password_file)?;
    }
    if let Some(ca) = &delivery.tls_ca {
        readable("delivery.tls_ca", ca)?;
    }
    for via in std::iter::once(&delivery.via).chain(delivery.routes.iter().map(|route| &route.via)) {
        maildir(via)?;
    }
    Ok(())
}

fn readable(key: &str, path: &Path) -> anyhow::Result<()> {
    std::fs::File::open(path).map(drop).with_context(|| format!("{key}: cannot read {}", path.display()))
}

/// A Maildir may be made by the first delivery, but a file in its place never goes away.
fn maildir(via: &Via) -> anyhow::Result<()> {
    let Via::Maildir(path) = via else { return Ok(()) };
    match std::fs::metadata(path) {
        Ok(found) if !found.is_dir() => anyhow::bail!("the Maildir {} is not a directory", path.display()),
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot read the Maildir {}", path.display()))
        }
        Ok(_) | Err(_) => Ok(()),
    }
}
