//! `gatepost app-password`: the passwords that mail programs log in with.

use std::collections::HashSet;
use std::net::IpAddr;
use std::path::Path;

use anyhow::bail;
use auth::challenge_key::{self, Password};
use auth::{Keyring, SessionRights, app_password};
use config::Config;
use ipnet::IpNet;
use jiff::Timestamp;
use rand::RngExt as _;
use serde::Serialize;
use store::{
    Account, Accounts, AppPassword, AppPasswords, ChallengeKeys, ChallengeKind, Identities, LastUse, Scope,
};
use store_sqlite::SqliteAccounts;
use types::{CredentialId, Mailbox, Mechanism, SenderPattern};
use zeroize::Zeroizing;

use crate::argument::{self, Moment};
use crate::cmd::user::find;
use crate::output::{self, Format};
use crate::{actor, clock, open, scram};

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
    let accounts = store.accounts();
    let done = match command {
        Command::Create(args) => create(accounts, &config, args).await,
        Command::List { address, format } => list(accounts, &address, format).await,
        Command::Revoke { address, which } => revoke(accounts, &address, &which).await,
    };
    store.close().await;
    done
}

async fn create(store: &SqliteAccounts, config: &Config, args: Create) -> anyhow::Result<()> {
    let keyring = open::keyring(config, store).await?;
    let at_most = config.auth.app_passwords_per_account;
    let account = find(store, &args.address).await?;
    see_covered(store, &account, &args.sender).await?;
    let act = actor::act();
    let (letters, password) = (app_password::generate(), made(account.id, &args, act.at)?);
    match store.create(&password, &keyring.app_passwords().digest(&letters), at_most, &act).await {
        Err(store::Error::TooMany) => {
            bail!(
                "{0} has {at_most} app passwords already; revoke one: `gatepost app-password list {0}`",
                account.address
            )
        }
        created => created?,
    }
    if args.cram_md5 {
        keep_cram_md5(store, &keyring, &account, (password.id, &letters)).await?;
    }
    scram::keep(config, store, &account, &Password::App(password.id, letters.clone())).await;
    let app_password = View::of(&password, args.cram_md5);
    let view = Created { app_password, password: letters.declassify() };
    args.format.print(&view, |_| letters.grouped().to_string())?;
    args.format.remark("this password is shown once; it is good with and without its spaces");
    if args.cram_md5 && !config.offers(Mechanism::CramMd5) {
        args.format.remark(
            "nobody can use it with CRAM-MD5 before \"CRAM-MD5\" is in the mechanisms of a [[listen]], or in auth.mechanisms",
        );
    }
    Ok(())
}

/// Keeps the letters for CRAM-MD5. An app password that was wanted for that is no use without.
async fn keep_cram_md5(
    store: &SqliteAccounts,
    keyring: &Keyring,
    account: &Account,
    app_password: (CredentialId, &app_password::AppPassword),
) -> anyhow::Result<()> {
    let kept = challenge_key::keep_cram_md5(store, keyring, account, app_password, clock::now()).await;
    if let Ok(true) = kept {
        return Ok(());
    }
    store.revoke(account.id, app_password.0, &actor::act()).await?;
    kept?;
    bail!("{} was changed meanwhile, and no app password is made; try again", account.address)
}

fn made(account: types::AccountId, args: &Create, now: Timestamp) -> anyhow::Result<AppPassword> {
    let mut scopes = args.scope.clone();
    scopes.dedup();
    Ok(AppPassword {
        id: CredentialId::new(clock::unix_ms(now), rand::rng().random()),
        account,
        label: args.label.clone(),
        scopes,
        networks: args.network.clone(),
        senders: distinct(&args.sender),
        created_at: now,
        expires_at: args.expires.map(|expiry| expiry.ahead_of(now)).transpose()?,
        last_used: None,
    })
}

/// Each once, as it was written first.
fn distinct(senders: &[SenderPattern]) -> Vec<SenderPattern> {
    let mut seen = HashSet::new();
    senders.iter().filter(|sender| seen.insert(sender.normal())).cloned().collect()
}

/// Sees that the account may use all these senders: an app password may allow less, never more.
async fn see_covered(
    store: &impl Identities,
    account: &Account,
    senders: &[SenderPattern],
) -> anyhow::Result<()> {
    let identities = store.identities(account.id).await?;
    let identities = identities.into_iter().map(|identity| identity.sender).collect();
    let all =
        SessionRights { address: account.address.clone(), identities, senders: Vec::new(), until: None };
    let names = auth::Names::of(&all);
    let Some(foreign) = senders.iter().find(|sender| !names.cover(sender)) else { return Ok(()) };
    let own =
        [vec![all.address.to_string()], all.identities.iter().map(ToString::to_string).collect()].concat();
    bail!("{} may not send as {foreign}, only as {}", account.address, own.join(", "))
}

async fn list(
    store: &(impl Accounts + AppPasswords + ChallengeKeys),
    address: &Mailbox,
    format: Format,
) -> anyhow::Result<()> {
    let account = find(store, address).await?;
    let passwords = store.of_account(account.id).await?;
    let for_cram_md5 = store.app_passwords_with_challenge_key(ChallengeKind::CramMd5, account.id).await?;
    let view = |password| View::of(password, for_cram_md5.contains(&password.id));
    let views: Vec<View<'_>> = passwords.iter().map(view).collect();
    format.print(&views, |views| {
        output::table(
            [
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
            ],
            views.iter().map(|view| {
                [
                    view.id.clone(),
                    view.label.to_owned(),
                    view.scopes.join(", "),
                    output::list_or(view.networks, "any"),
                    output::list_or(&view.senders, "any"),
                    output::yes_no(view.cram_md5),
                    output::time(view.created_at),
                    output::time_or(view.expires_at, "never"),
                    output::time_or(view.last_used_at, "never"),
                    output::or_dash(view.last_used_ip),
                ]
            }),
        )
    })
}

async fn revoke(
    store: &(impl Accounts + AppPasswords),
    address: &Mailbox,
    which: &str,
) -> anyhow::Result<()> {
    let account = find(store, address).await?;
    let (id, label) = pick(&store.of_account(account.id).await?, which, address)?;
    if !store.revoke(account.id, id, &actor::act()).await? {
        bail!("{}", none_such(address, which));
    }
    output::line(&format!("{id} ({label}) is revoked"))
}

/// The one that is meant: by its whole identifier, else by its label, else by the beginning of its identifier.
fn pick(passwords: &[AppPassword], which: &str, address: &Mailbox) -> anyhow::Result<(CredentialId, String)> {
    let range = CredentialId::beginning_with(which).ok();
    let whole = range.as_ref().filter(|range| range.start() == range.end()).map(|range| *range.start());
    let labelled = || passwords.iter().filter(|password| password.label == which).collect::<Vec<_>>();
    let begun = || {
        let begins = |id: CredentialId| range.as_ref().is_some_and(|range| range.contains(&id));
        passwords.iter().filter(|password| begins(password.id)).collect::<Vec<_>>()
    };
    let found = passwords.iter().filter(|password| Some(password.id) == whole).collect::<Vec<_>>();
    let found = [found, labelled(), begun()].into_iter().find(|found| !found.is_empty());
    match found.as_deref() {
        Some([only]) => Ok((only.id, only.label.clone())),
        Some(several) => {
            let ids: Vec<String> = several.iter().map(|password| password.id.to_string()).collect();
            bail!(
                "{address} has {} app passwords {which:?}: {}; name one by its identifier",
                ids.len(),
                ids.join(", ")
            )
        }
        None => bail!("{}", none_such(address, which)),
    }
}

fn none_such(address: &Mailbox, which: &str) -> String {
    format!(
        "{address} has no app password {which:?}; `gatepost app-password list {address}` shows those there are"
    )
}

/// An app password as `--json` shows it.
#[derive(Serialize)]
struct View<'a> {
    id: String,
    label: &'a str,
    scopes: Vec<&'static str>,
    networks: &'a [IpNet],
    /// In whose names it may send; in all that the account may, if empty.
    senders: Vec<String>,
    /// Whether it can be used with CRAM-MD5.
    cram_md5: bool,
    created_at: Timestamp,
    expires_at: Option<Timestamp>,
    last_used_at: Option<Timestamp>,
    last_used_ip: Option<IpAddr>,
}

/// The same when it is made, with the sixteen letters.
#[derive(Serialize)]
struct Created<'a> {
    #[serde(flatten)]
    app_password: View<'a>,
    #[serde(serialize_with = "letters")]
    password: Zeroizing<String>,
}

fn letters<S: serde::Serializer>(password: &Zeroizing<String>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(password)
}

impl<'a> View<'a> {
    fn of(password: &'a AppPassword, cram_md5: bool) -> Self {
        let last_used = password.last_used.as_ref();
        Self {
            id: password.id.to_string(),
            label: &password.label,
            scopes: password.scopes.iter().map(|scope| scope.name()).collect(),
            networks: &password.networks,
            senders: password.senders.iter().map(ToString::to_string).collect(),
            cram_md5,
            created_at: password.created_at,
            expires_at: password.expires_at,
            last_used_at: last_used.map(|LastUse { at, .. }| *at),
            last_used_ip: last_used.map(|LastUse { ip, .. }| *ip),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(n: u8, label: &str) -> AppPassword {
        AppPassword {
            id: CredentialId::from_bytes([n; 16]),
            account: types::AccountId::from_bytes([1; 16]),
            label: label.to_owned(),
            scopes: vec![Scope::Smtp],
            networks: Vec::new(),
            senders: Vec::new(),
            created_at: "2026-11-21T12:00:00Z".parse().unwrap(),
            expires_at: None,
            last_used: None,
        }
    }

    #[test]
    fn an_app_password_is_named_by_its_label_or_its_identifier() {
        let passwords = [named(1, "phone"), named(2, "laptop"), named(3, "laptop"), named(4, "0")];
        let address = Mailbox::parse("alice@example.org").unwrap();
        let picked = |which: &str| pick(&passwords, which, &address).map(|(id, _)| id.as_bytes()[0]);
        assert_eq!(picked("phone").unwrap(), 1);
        assert_eq!(picked("0").unwrap(), 4, "a label before the beginning of an identifier");
        let id = passwords[2].id.to_string();
        assert_eq!(picked(&id).unwrap(), 3);
        assert_eq!(picked(id.get(..20).unwrap()).unwrap(), 3);
        let said = picked("laptop").unwrap_err().to_string();
        assert!(said.contains("has 2 app passwords") && said.contains(&id), "{said}");
        assert!(picked("tablet").is_err());
    }

    #[test]
    fn the_json_of_a_new_app_password_has_the_promised_keys() {
        let password = AppPassword {
            id: CredentialId::from_bytes([0; 16]),
            account: types::AccountId::from_bytes([1; 16]),
            label: "phone".to_owned(),
            scopes: vec![Scope::Smtp],
            networks: vec!["192.0.2.0/24".parse().unwrap()],
            senders: vec!["*@example.org".parse().unwrap()],
            created_at: "2026-11-21T12:00:00Z".parse().unwrap(),
            expires_at: None,
            last_used: None,
        };
        let letters = Zeroizing::new("abcdefghijklmnop".to_owned());
        let expected = serde_json::json!({
            "id": "00000000000000000000000000", "label": "phone", "scopes": ["smtp"],
            "networks": ["192.0.2.0/24"], "senders": ["*@example.org"], "cram_md5": true, "created_at": "2026-11-21T12:00:00Z",
            "expires_at": null, "last_used_at": null, "last_used_ip": null, "password": "abcdefghijklmnop",
        });
        let created = Created { app_password: View::of(&password, true), password: letters };
        assert_eq!(serde_json::to_value(created).unwrap(), expected);
    }
}
