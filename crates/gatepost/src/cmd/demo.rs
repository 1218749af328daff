//! `gatepost demo`: the main job with nothing to set up.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context as _;
use config::Config;
use types::ListenTls;

use crate::listen_error::ListenError;
use crate::opened::Opened;
use crate::serve::Server;
use crate::{clock, log, open, output, runtime};

use self::commands::Facts;
use self::directory::Directory;

mod directory;

mod certificate;

mod account;

mod commands;

/// Who may log in.
const ADDRESS: &str = "demo@example.test";

/// Who administers, on the pages.
const ADMINISTRATOR: &str = "admin@example.test";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where everything is kept; a second start finds it there
    #[arg(long, value_name = "DIR", default_value = "gatepost-demo")]
    dir: PathBuf,
    /// The port with STARTTLS; implicit TLS has the next one, and the pages the one behind it. Kept for the next start [2587, 2465, 2580]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=65533))]
    port: Option<u16>,
}

/// Serves local ports from `--dir`, which is made if it isn't there. The log goes into a file there: the terminal is for people.
///
/// # Errors
/// When the directory can't be made, or a port is taken.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let directory = Directory::prepare(&args.dir, clock::now())?;
    let file = directory.configuration();
    if let Some(port) = args.port {
        directory.move_to_port(&Config::load(&file)?, port)?;
    }
    let config = Config::load(&file)?;
    let opened = Opened::open(config.clone()).map_err(with_another_port)?;
    let _log = log::start_in(config.log, &directory.log())?;
    runtime::block_on(async {
        let server = Server::start(&file, opened).await?;
        print(&server, &config, &directory).await?;
        server.run().await
    })
}

async fn print(server: &Server, config: &Config, directory: &Directory) -> anyhow::Result<()> {
    let parts = server.parts();
    let desk = open::desk(config, &parts.store).with_keyring(parts.keyring.clone());
    let password = account::fresh_app_password(&desk, ADDRESS).await?;
    let pages = config.web.as_ref().filter(|web| !web.listen.is_empty()).map(|web| web.base_url.to_string());
    let account_password = account::fresh_password(&desk, ADDRESS, false).await?;
    let administrator_password = account::fresh_password(&desk, ADMINISTRATOR, true).await?;
    let (ca, outbox) = (directory.ca(), directory.outbox());
    let text = commands::text(&Facts {
        address: ADDRESS,
        password: &password,
        pages: pages.as_deref(),
        account_password: &account_password,
        administrator: ADMINISTRATOR,
        administrator_password: &administrator_password,
        starttls: address(server, ListenTls::StartTls)?,
        implicit: address(server, ListenTls::Implicit)?,
        ca: &ca,
        outbox: &outbox,
        log: &directory.log(),
        command: &std::env::current_exe().unwrap_or_else(|_| "gatepost".into()),
        configuration: &directory.configuration(),
    });
    output::raw(text.as_bytes())
}

/// What is to be done about a port that is taken is said in the words of this command.
fn with_another_port(error: anyhow::Error) -> anyhow::Error {
    match error.downcast_ref::<ListenError>().and_then(ListenError::taken) {
        Some(address) => anyhow::anyhow!(
            "another program has {address}; stop it, or choose another port with --port, such as `--port {}`",
            address.port().saturating_add(1000)
        ),
        None => error,
    }
}

fn address(server: &Server, tls: ListenTls) -> anyhow::Result<SocketAddr> {
    let found = server.listeners().into_iter().find(|listener| listener.tls == tls);
    let listener = found
        .context("the demo's gatepost.toml lacks one of its two listeners; delete it to have it back")?;
    Ok(listener.address)
}
