//! `gatepost app-password`: the passwords that mail programs log in with.

use std::path::Path;

use config::Config;
use desk::{AppPasswordWish, Desk, view};
use ipnet::IpNet;
use store::Scope;
use types::{Mailbox, Mechanism, SenderPattern};

use crate::argument::{self, Moment};
use crate::output::{self, Cell, Format, Listing};
use crate::{actor, open, scram, sealed};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Make an app password and print it, once
    Create(Create),
    /// List the app passwords of an account
    List {
        /// The account
        address: Mailbox,
        #[command(flatten)]
        format: Format,
    },
    /// Revoke an app password; a session that uses it ends at its next command
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
    /// The account
    address: Mailbox,
    /// Where it will be used, to know it by later
    #[arg(long, value_name = "TEXT", value_parser = argument::text)]
    label: String,
    /// What it is good for
    #[arg(long, value_name = "SCOPE", default_value = "smtp", value_parser = argument::scopes())]
    scope: Vec<Scope>,
    /// When it stops working: 90d, 1h30m, a day like 2027-01-31 or an RFC 3339 time; never, if not given
    #[arg(long, value_name = "END")]
    expires: Option<Moment>,
    /// Where it may be used from: a network or an address; everywhere, if not given
    #[arg(long, value_name = "CIDR", value_parser = argument::network)]
    network: Vec<IpNet>,
    /// Whom it may send as: an address, or *@domain; everybody that the account may, if not given
    #[arg(long, value_name = "SENDER")]
    sender: Vec<SenderPattern>,
    /// Let it be used with CRAM-MD5, too; for that the password itself is kept, sealed
    #[arg(long)]
    cram_md5: bool,
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
        Command::Create(args) => create(&desk, &config, args).await,
        Command::List { address, format } => list(&desk, &address, format).await,
        Command::Revoke { address, which } => revoke(&desk, &address, &which).await,
    };
    store.close().await;
    done
}

async fn create(desk: &Desk, config: &Config, args: Create) -> anyhow::Result<()> {
    let account = desk.find(&args.address).await?;
    let act = actor::act();
    let wish = AppPasswordWish {
        label: args.label,
        scopes: args.scope,
        networks: args.network,
        senders: args.sender,
        expires_at: args.expires.map(|expiry| expiry.ahead_of(act.at)).transpose()?,
        cram_md5: args.cram_md5,
    };
    let (created, lacks) = desk.create_app_password(&act, &account, &wish).await?;
    scram::tell(&account.address, lacks.scram);
    sealed::tell_old_key(lacks.sealing);
    args.format.print(&created, |created| created.grouped.to_string())?;
    args.format.remark("this password is shown once; it is good with and without its spaces");
    if args.cram_md5 && !config.offers(Mechanism::CramMd5) {
        args.format.remark(
            "nobody can use it with CRAM-MD5 before \"CRAM-MD5\" is in the mechanisms of a [[listen]], or in auth.mechanisms",
        );
    }
    Ok(())
}

async fn list(desk: &Desk, address: &Mailbox, format: Format) -> anyhow::Result<()> {
    let account = desk.find(address).await?;
    let heading = [
        "ID",
        "LABEL",
        "SCOPES",
        "NETWORKS",
        "SENDERS",
        "CRAM-MD5",
        "CREATED",
        "EXPIRES",
        "LAST USED",
        "FROM",
    ];
    let listing = Listing::new(format, heading);
    listing.pages(async |page| desk.app_passwords(&account, page).await, row).await
}

fn row(view: &view::AppPassword) -> [Cell; 10] {
    [
        view.id.clone().into(),
        view.label.clone().into(),
        view.scopes.join(", ").into(),
        output::list_or(&view.networks, "any").into(),
        output::list_or(&view.senders, "any").into(),
        output::yes_no(view.cram_md5).into(),
        output::time(view.created_at).into(),
        output::time_or(view.expires_at, "never").into(),
        output::time_or(view.last_used_at, "never").into(),
        output::or_dash(view.last_used_ip).into(),
    ]
}

async fn revoke(desk: &Desk, address: &Mailbox, which: &str) -> anyhow::Result<()> {
    let account = desk.find(address).await?;
    let revoked = desk.revoke_app_password(&actor::act(), &account, which).await?;
    output::line(&format!("{} ({}) is revoked", revoked.id, revoked.label))
}
