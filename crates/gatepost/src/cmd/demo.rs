//! `gatepost demo`: the main job with nothing to set up.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use config::{Config, ListenTls};

use crate::serve::Server;
use crate::{clock, log, output};

use self::commands::Facts;
use self::directory::Directory;

mod directory;

mod certificate;

mod account;

mod commands;

/// What the server calls itself.
const HOSTNAME: &str = "mail.example.test";

/// Who may log in.
const ADDRESS: &str = "demo@example.test";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where everything is kept; a second start finds it there
    #[arg(long, value_name = "DIR", default_value = "gatepost-demo")]
    pub(crate) dir: PathBuf,
}

/// Serves local ports from `dir`, which is made if it isn't there.
///
/// # Errors
/// When the directory can't be made, or a port is taken.
pub(crate) async fn run(dir: &Path) -> anyhow::Result<()> {
    let directory = Directory::prepare(dir, clock::now())?;
    let file = directory.configuration();
    let config = Config::load(&file)?;
    let _log = log::start(config.log)?;
    let server = Server::start(&file, config.clone()).await?;
    print(&server, &config, &directory).await?;
    server.run().await
}

async fn print(server: &Server, config: &Config, directory: &Directory) -> anyhow::Result<()> {
    let accounts = server.parts().store.accounts();
    let password =
        account::fresh_password(config, accounts, &server.parts().keyring, ADDRESS, clock::now()).await?;
    let (ca, outbox) = (directory.ca(), directory.outbox());
    let text = commands::text(&Facts {
        address: ADDRESS,
        password: &password,
        starttls: address(server, ListenTls::StartTls)?,
        implicit: address(server, ListenTls::Implicit)?,
        ca: &ca,
        outbox: &outbox,
    });
    output::raw(text.as_bytes())
}

fn address(server: &Server, tls: ListenTls) -> anyhow::Result<SocketAddr> {
    let found = server.listeners().into_iter().find(|listener| listener.tls == tls);
    let listener = found
        .context("the demo's gatepost.toml lacks one of its two listeners; delete it to have it back")?;
    Ok(listener.address)
}
