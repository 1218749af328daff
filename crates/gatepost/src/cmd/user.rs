//! `gatepost user`: makes and changes accounts.

use std::path::Path;

use anyhow::{Context as _, anyhow, bail};
use auth::challenge_key::Password;
use config::Config;
use rand::RngExt as _;
use store::{Account, Accounts, Sending};
use store_sqlite::{SqliteAccounts, SqliteStore};
use types::{AccountId, Mailbox};

use crate::cmd::queue::Operator;
use crate::import::Finds;
use crate::output::{self, Format};
use crate::prompt::{Chosen, NewPassword};
use crate::{actor, argument, clock, open, scram, wiring};

use self::limit::{Change, Standing};
use self::view::{User, disabled};

mod import;
mod limit;
mod view;
mod list;
mod remove;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Make an account; without a password it can be used by app passwords alone
    Add(Add),
    /// List the accounts by their addresses
    List(list::List),
    /// Show an account
    Show {
        /// The account
        address: Mailbox,
        #[command(flatten)]
        format: Format,
    },
    /// Set the account password; app passwords stay as they are
    Password {
        /// The account
        address: Mailbox,
        #[command(flatten)]
        password: NewPassword,
    },
    /// Give an account another address
    Rename {
        /// The account
        address: Mailbox,
        /// What its address is from now on
        new_address: Mailbox,
    },
    /// Change how much an account may send: a number, none for no limit, default for the configuration's; shows it
    Limit {
        /// The account
        address: Mailbox,
        #[command(flatten)]
        change: Change,
        #[command(flatten)]
        format: Format,
    },
    /// Keep an account from logging in, by whatever password; it loses nothing
    Disable {
        /// The account
        address: Mailbox,
    },
    /// Let a disabled account log in again
    Enable {
        /// The account
        address: Mailbox,
    },
    /// Bring accounts from another server, with the hashes of their passwords
    ///
    /// What cannot be taken is told line by line, and the rest is taken; the exit code is 1 then. The same command once more finishes what was left.
    Import(import::Import),
    /// Remove an account and its app passwords; what it has sent stays in the queue, and is delivered
    Remove(remove::Remove),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Add {
    /// The name to log in with, and the address to send as
    address: Mailbox,
    /// What people call the account
    #[arg(long, value_name = "TEXT", value_parser = argument::text)]
    name: Option<String>,
    /// Mark it as an administrator's. It means nothing yet: whoever can run these commands administers
    #[arg(long)]
    admin: bool,
    #[command(flatten)]
    password: NewPassword,
    #[command(flatten)]
    format: Format,
}

/// Works on the store that the configuration names.
///
/// # Errors
/// When it could not be done.
pub(crate) async fn run(config: &Path, command: Command) -> anyhow::Result<()> {
    let finds = match &command {
        Command::Import(args) => import::finds(args)?,
        _ => Box::new(std::iter::empty()),
    };
    let (config, store) = open::store(config).await?;
    let done = on(&config, &store, command, finds).await;
    store.close().await;
    done
}

/// `finds` is what there is to import: root may read what the owner of the store may not.
async fn on(config: &Config, whole: &SqliteStore, command: Command, finds: Finds) -> anyhow::Result<()> {
    let (limits, store) = (config.sending, whole.accounts());
    match command {
        Command::Add(args) => add(config, store, args).await,
        Command::List(args) => list::run(store, args).await,
        Command::Show { address, format } => show(store, limits, &address, format).await,
        Command::Password { address, password } => set_password(config, store, &address, password).await,
        Command::Rename { address, new_address } => rename(store, &address, &new_address).await,
        Command::Limit { address, change, format } => limit(store, limits, &address, &change, format).await,
        Command::Disable { address } => set_disabled(store, &address, true).await,
        Command::Enable { address } => set_disabled(store, &address, false).await,
        Command::Import(args) => import::run(config, store, args, finds).await,
        Command::Remove(args) => {
            let operator = Operator::new(whole.spool(), store, config);
            let account = find(store, args.address()).await?;
            remove::run(store, &operator, &account, args).await
        }
    }
}

/// The account with this address.
///
/// # Errors
/// When there is none, or the store can't tell.
pub(crate) async fn find(store: &impl Accounts, address: &Mailbox) -> anyhow::Result<Account> {
    let found = store.by_address(address).await?;
    found
        .with_context(|| format!("there is no account {address}; `gatepost user list` shows those there are"))
}

async fn add(config: &Config, store: &SqliteAccounts, args: Add) -> anyhow::Result<()> {
    if store.by_address(&args.address).await?.is_some() {
        return Err(taken(&args.address));
    }
    let password = args.password.read(&args.address, args.name.as_deref())?;
    let password_hash = match &password {
        Some(password) => Some(wiring::hasher(config)?.hash(password.secret.clone()).await?),
        None => None,
    };
    let act = actor::act();
    let account = Account {
        name: args.name,
        admin: args.admin,
        password_hash,
        ..Account::new(AccountId::new(clock::unix_ms(act.at), rand::rng().random()), args.address, act.at)
    };
    store.add(&account, &act).await.map_err(|error| or_taken(error, &account.address))?;
    let Some(Chosen { secret, generated }) = password else { return shown(User::of(&account), args.format) };
    scram::keep(config, store, &account, &Password::Account(secret.clone())).await;
    let generated_password = secret.declassify_str().filter(|_| generated);
    shown(User { generated_password, ..User::of(&account) }, args.format)?;
    if generated {
        args.format.remark("this password is shown once");
    }
    Ok(())
}

async fn set_password(
    config: &Config,
    store: &SqliteAccounts,
    address: &Mailbox,
    password: NewPassword,
) -> anyhow::Result<()> {
    let account = find(store, address).await?;
    let Chosen { secret, generated } = password.require(&account.address, account.name.as_deref())?;
    let hash = wiring::hasher(config)?.hash(secret.clone()).await?;
    store.set_password(account.id, &hash, &actor::act()).await?;
    // Somebody may have set another since.
    let account = store.by_id(account.id).await?.filter(|now| now.password_hash.as_deref() == Some(&*hash));
    let Some(account) = account else { bail!("{address} was given another password meanwhile") };
    scram::keep(config, store, &account, &Password::Account(secret.clone())).await;
    match secret.declassify_str().filter(|_| generated) {
        Some(password) => {
            output::line(&format!("{} has a new password, shown once: {password}", account.address))
        }
        None => output::line(&format!("{} has a new password", account.address)),
    }
}

async fn rename(store: &impl Accounts, address: &Mailbox, new: &Mailbox) -> anyhow::Result<()> {
    let account = find(store, address).await?;
    store.rename(account.id, new, &actor::act()).await.map_err(|error| or_taken(error, new))?;
    output::line(&format!("{} is now {new}", account.address))
}

async fn show(
    store: &(impl Accounts + Sending),
    limits: config::Sending,
    address: &Mailbox,
    format: Format,
) -> anyhow::Result<()> {
    let account = find(store, address).await?;
    let sending = Some(Standing::read(store, limits, &account).await?);
    shown(User { sending, ..User::of(&account) }, format)
}

async fn limit(
    store: &(impl Accounts + Sending),
    limits: config::Sending,
    address: &Mailbox,
    change: &Change,
    format: Format,
) -> anyhow::Result<()> {
    let account = find(store, address).await?;
    change.make(store, &account).await?;
    let standing = Standing::read(store, limits, &account).await?;
    format.print(&standing, |standing| output::fields(standing.lines()))
}

async fn set_disabled(store: &impl Accounts, address: &Mailbox, disabled: bool) -> anyhow::Result<()> {
    let account = find(store, address).await?;
    store.set_disabled(account.id, disabled, &actor::act()).await?;
    let state = if disabled { "disabled" } else { "enabled" };
    output::line(&format!("{} is {state}", account.address))
}

fn or_taken(error: store::Error, address: &Mailbox) -> anyhow::Error {
    match error {
        store::Error::AlreadyExists => taken(address),
        error => error.into(),
    }
}

fn taken(address: &Mailbox) -> anyhow::Error {
    anyhow!("there is an account {address} already; `gatepost user show {address}` shows it")
}

fn shown(user: User<'_>, format: Format) -> anyhow::Result<()> {
    format.print(&user, |user| {
        let fields = [
            ("address", user.address.clone().into()),
            ("name", output::or_dash(user.name).into()),
            ("admin (no effect yet)", output::yes_no(user.admin).into()),
            ("disabled", disabled(user)),
            ("password", if user.password { "set" } else { "none, app passwords only" }.to_owned().into()),
            ("second factor", if user.totp { "on" } else { "off" }.to_owned().into()),
            ("created", output::time(user.created_at).into()),
            ("last login", output::time_or(user.last_login_at, "never").into()),
        ];
        let generated = user.generated_password.map(|password| ("new password", password.to_owned().into()));
        let lines = user.sending.iter().flat_map(Standing::lines).map(|(name, text)| (name, text.into()));
        output::fields(fields.into_iter().chain(generated).chain(lines))
    })
}
