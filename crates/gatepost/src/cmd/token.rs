//! `gatepost token`: what programs ask the API with.

use std::path::Path;

use desk::{Desk, TokenWish, view};
use ipnet::IpNet;
use types::{Mailbox, Scope};

use crate::argument::{self, Moment};
use crate::output::{self, Format};
use crate::{actor, open};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Make an API token and print it, once
    Create(Create),
    /// List the API tokens of an account, oldest first
    List {
        /// The account
        address: Mailbox,
        #[command(flatten)]
        format: Format,
    },
    /// Revoke an API token; the next request with it is refused
    Revoke {
        /// The account
        address: Mailbox,
        /// Its label, or its identifier as `list` shows it, which may be cut short
        #[arg(value_name = "LABEL|ID")]
        which: String,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct Create {
    /// The account: its token opens what the account may, and no more
    address: Mailbox,
    /// Where it will be used, to know it by later
    #[arg(long, value_name = "TEXT", value_parser = argument::text)]
    label: String,
    /// What it is good for; several, if written several times. A `:write` includes its `:read`
    #[arg(long, value_name = "SCOPE", required = true, value_parser = argument::token_scopes())]
    scope: Vec<Scope>,
    /// When it stops working: 90d, 1h30m, a day like 2027-01-31 or an RFC 3339 time; after 90 days, if not given
    #[arg(long, value_name = "END")]
    expires: Option<Moment>,
    /// Where it may be used from: a network or an address; everywhere, if not given
    #[arg(long, value_name = "CIDR", value_parser = argument::network)]
    network: Vec<IpNet>,
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
        Command::Create(args) => create(&desk, args).await,
        Command::List { address, format } => list(&desk, &address, format).await,
        Command::Revoke { address, which } => revoke(&desk, &address, &which).await,
    };
    store.close().await;
    done
}

async fn create(desk: &Desk, args: Create) -> anyhow::Result<()> {
    let account = desk.find(&args.address).await?;
    let act = actor::act();
    let wish = TokenWish {
        label: args.label,
        scopes: args.scope,
        networks: args.network,
        expires_at: args.expires.map(|expiry| expiry.ahead_of(act.at)).transpose()?,
    };
    let created = desk.create_token(&act, &account, &wish).await?;
    args.format.print(&created, |created| created.token.to_string())?;
    args.format.remark("this token is shown once; programs send it as `Authorization: Bearer TOKEN`");
    Ok(())
}

async fn list(desk: &Desk, address: &Mailbox, format: Format) -> anyhow::Result<()> {
    let account = desk.find(address).await?;
    let tokens = desk.tokens(&account).await?;
    format.print(&tokens, |tokens| {
        let heading = ["ID", "LABEL", "SCOPES", "NETWORKS", "CREATED", "EXPIRES", "LAST USED", "FROM"];
        output::table(heading, tokens.iter().map(row))
    })
}

fn row(view: &view::ApiToken) -> [String; 8] {
    [
        view.id.clone(),
        view.label.clone(),
        output::list_or(&view.scopes, "-"),
        output::list_or(&view.networks, "any"),
        output::time(view.created_at),
        output::time(view.expires_at),
        output::time_or(view.last_used_at, "never"),
        output::or_dash(view.last_used_ip),
    ]
}

async fn revoke(desk: &Desk, address: &Mailbox, which: &str) -> anyhow::Result<()> {
    let account = desk.find(address).await?;
    let revoked = desk.revoke_token(&actor::act(), &account, which).await?;
    output::line(&format!("{} ({}) is revoked", revoked.id, revoked.label))
}
