//! `gatepost user`: makes and changes accounts.

use std::path::Path;

use config::Config;
use desk::{Desk, NewAccount, view};
use store::AccountChange;
use stores::Store;
use types::Mailbox;
use zeroize::Zeroizing;

use crate::import::Finds;
use crate::output::{self, Cell, Format, Look};
use crate::prompt::{Given, NewPassword};
use crate::{actor, argument, open, scram};

use self::limit::Change;

mod import;
mod limit;
mod list;
mod remove;
mod undo;

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
    /// Call an account something, or nothing any more
    Name {
        /// The account
        address: Mailbox,
        /// What people call it; without it, nothing
        #[arg(value_name = "TEXT", value_parser = argument::text)]
        name: Option<String>,
    },
    /// Make an account an administrator's, or no longer so: whether the pages of administration open to it
    Admin {
        /// The account
        address: Mailbox,
        /// Whether it is to be one
        state: OnOff,
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
    /// Set how long the messages of an account can be taken back, and wait to leave: a time, 0s for never, default for the configuration's
    Undo {
        /// The account
        address: Mailbox,
        /// How long, such as 30s; at most submission.undo_max
        #[arg(value_name = "TIME|default")]
        time: undo::Wanted,
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

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(crate) enum OnOff {
    On,
    Off,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Add {
    /// The name to log in with, and the address to send as
    address: Mailbox,
    /// What people call the account
    #[arg(long, value_name = "TEXT", value_parser = argument::text)]
    name: Option<String>,
    /// Make it an administrator's: the pages of administration open to it
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
async fn on(config: &Config, store: &Store, command: Command, finds: Finds) -> anyhow::Result<()> {
    let desk = open::desk(config, store);
    match command {
        Command::Add(args) => add(&desk, args).await,
        Command::List(args) => list::run(&desk, args).await,
        Command::Show { address, format } => show(&desk, &address, format).await,
        Command::Password { address, password } => set_password(&desk, &address, password).await,
        Command::Rename { address, new_address } => rename(&desk, &address, &new_address).await,
        Command::Name { address, name } => set_name(&desk, &address, name).await,
        Command::Admin { address, state } => set_admin(&desk, &address, matches!(state, OnOff::On)).await,
        Command::Limit { address, change, format } => limit(&desk, &address, &change, format).await,
        Command::Undo { address, time } => set_undo(&desk, &address, time).await,
        Command::Disable { address } => bar(&desk, &address, true).await,
        Command::Enable { address } => bar(&desk, &address, false).await,
        Command::Import(args) => import::run(config, store.accounts(), args, finds).await,
        Command::Remove(args) => remove::run(&desk, args).await,
    }
}

async fn add(desk: &Desk, args: Add) -> anyhow::Result<()> {
    let Add { address, name, admin, password, format } = args;
    desk.see_free(&address).await?;
    let given = password.read()?;
    let password = given.as_ref().map(|given| given.chosen.clone());
    let (user, lack) = desk
        .add_account(&actor::act(), NewAccount { address: address.clone(), name, admin, password })
        .await?;
    scram::tell(&address, lack);
    let generated_password =
        given.as_ref().and_then(Given::to_show).map(|password| Zeroizing::new(password.to_owned()));
    let is_generated = generated_password.is_some();
    shown(&view::User { generated_password, ..user }, format)?;
    if is_generated {
        format.remark("this password is shown once");
    }
    Ok(())
}

async fn set_password(desk: &Desk, address: &Mailbox, password: NewPassword) -> anyhow::Result<()> {
    let account = desk.find(address).await?;
    let given = password.require()?;
    let lack = desk.change_password(&actor::act(), &account, &given.chosen).await?;
    scram::tell(&account.address, lack);
    match given.to_show() {
        Some(password) => {
            output::line(&format!("{} has a new password, shown once: {password}", account.address))
        }
        None => output::line(&format!("{} has a new password", account.address)),
    }
}

async fn rename(desk: &Desk, address: &Mailbox, new: &Mailbox) -> anyhow::Result<()> {
    let account = desk.find(address).await?;
    let change = AccountChange { address: Some(new.clone()), ..AccountChange::default() };
    desk.change_account(&actor::act(), &account, change).await?;
    output::line(&format!("{} is now {new}", account.address))
}

async fn set_name(desk: &Desk, address: &Mailbox, name: Option<String>) -> anyhow::Result<()> {
    let account = desk.find(address).await?;
    let said = match &name {
        Some(name) => format!("{} is called {name}", account.address),
        None => format!("{} has no name", account.address),
    };
    let change = AccountChange { name: Some(name), ..AccountChange::default() };
    desk.change_account(&actor::act(), &account, change).await?;
    output::line(&said)
}

async fn set_admin(desk: &Desk, address: &Mailbox, admin: bool) -> anyhow::Result<()> {
    let account = desk.find(address).await?;
    let is_last = !admin && desk.is_last_administrator(&account).await?;
    let change = AccountChange { admin: Some(admin), ..AccountChange::default() };
    desk.change_account(&actor::act(), &account, change).await?;
    let state = if admin { "an administrator" } else { "no administrator" };
    output::line(&format!("{} is {state}", account.address))?;
    if is_last {
        output::line("there is no administrator now: nobody opens the pages of administration")?;
    }
    Ok(())
}

async fn show(desk: &Desk, address: &Mailbox, format: Format) -> anyhow::Result<()> {
    let account = desk.find(address).await?;
    shown(&desk.show_account(&account).await?, format)
}

async fn limit(desk: &Desk, address: &Mailbox, change: &Change, format: Format) -> anyhow::Result<()> {
    let account = desk.find(address).await?;
    desk.change_limits(&actor::act(), &account, &change.changes()).await?;
    format.print(&desk.sending_of(&account).await?, |sending| output::fields(limit::lines(sending)))
}

async fn set_undo(desk: &Desk, address: &Mailbox, time: undo::Wanted) -> anyhow::Result<()> {
    let account = desk.find(address).await?;
    desk.choose_undo(&actor::act(), &account, time.0).await?;
    let text = undo::text(time.0.map(|time| time.as_secs()));
    output::line(&format!("messages of {} can be taken back: {text}", account.address))
}

async fn bar(desk: &Desk, address: &Mailbox, disabled: bool) -> anyhow::Result<()> {
    let account = desk.find(address).await?;
    desk.bar_account(&actor::act(), &account, disabled).await?;
    let state = if disabled { "disabled" } else { "enabled" };
    output::line(&format!("{} is {state}", account.address))
}

fn shown(user: &view::User, format: Format) -> anyhow::Result<()> {
    format.print(user, |user| {
        let fields = [
            ("address", user.address.clone().into()),
            ("name", output::or_dash(user.name.as_ref()).into()),
            ("admin", output::yes_no(user.admin).into()),
            ("disabled", disabled(user)),
            ("password", if user.password { "set" } else { "none, app passwords only" }.to_owned().into()),
            ("app passwords", user.app_passwords.to_string().into()),
            ("second factor", if user.totp { "on" } else { "off" }.to_owned().into()),
            ("created", output::time(user.created_at).into()),
            ("last login", output::time_or(user.last_login_at, "never").into()),
            ("messages can be taken back", undo::text(user.undo_seconds).into()),
        ];
        let generated = user.generated_password.as_ref();
        let generated = generated.map(|password| ("new password", password.to_string().into()));
        let lines = user.sending.iter().flat_map(limit::lines).map(|(name, text)| (name, text.into()));
        output::fields(fields.into_iter().chain(generated).chain(lines))
    })
}

/// Whether it is disabled, as people read it.
fn disabled(user: &view::User) -> Cell {
    let look = if user.disabled { Look::Doubtful } else { Look::Plain };
    Cell::new(look, output::yes_no(user.disabled))
}
