//! `gatepost throttle`: who is locked out after failed logins, and letting them in.

use std::path::Path;

use desk::{Desk, Whom, view};
use store::ThrottleFilter;

use crate::output::{self, Cell, Format, Listing};
use crate::{actor, open};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// List who is locked out, and until when
    List {
        #[command(flatten)]
        format: Format,
    },
    /// Forget the failures of an account or from an address, and so let them in
    Clear {
        /// An account, or an IP address; of an IPv6 address its /64 is meant
        #[arg(value_name = "ADDRESS|IP")]
        whom: Whom,
    },
}

/// Works on the store that the configuration names.
///
/// # Errors
/// When it could not be done.
pub(crate) async fn run(config: &Path, command: Command) -> anyhow::Result<()> {
    let (config, store) = open::store(config).await?;
    let desk = open::desk(&config, &store);
    let done = match command {
        Command::List { format } => list(&desk, format).await,
        Command::Clear { whom } => clear(&desk, &whom).await,
    };
    store.close().await;
    done
}

async fn list(desk: &Desk, format: Format) -> anyhow::Result<()> {
    let listing = Listing::new(format, ["KIND", "KEY", "FAILURES", "UNTIL"]);
    let everybody = ThrottleFilter::default();
    listing.pages(async |page| desk.locked_out(&everybody, page).await, row).await
}

fn row(view: &view::LockOut) -> [Cell; 4] {
    [
        view.kind.to_owned().into(),
        view.key.clone().into(),
        view.failures.to_string().into(),
        output::time(view.until).into(),
    ]
}

async fn clear(desk: &Desk, whom: &Whom) -> anyhow::Result<()> {
    output::line(&match desk.let_in(&actor::act(), whom).await? {
        0 => format!("no failures were counted for {whom}"),
        1 => format!("1 counter of {whom} is cleared"),
        cleared => format!("{cleared} counters of {whom} are cleared"),
    })
}
