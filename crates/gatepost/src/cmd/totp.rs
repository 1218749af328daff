//! `gatepost totp`: the second factor of an account.

use std::path::Path;

use anyhow::{anyhow, bail};
use auth::recovery_code::{CODES, RecoveryCode};
use auth::second_factor::{self, Confirmation};
use auth::totp::Seed;
use config::Config;
use jiff::Timestamp;
use serde::Serialize;
use store::{Account, SecondFactors, Throttled};
use store_sqlite::SqliteStore;
use types::{Mailbox, Secret};
use zeroize::Zeroizing;

use crate::cmd::user::find;
use crate::output::{self, Format};
use crate::{actor, argument, open, prompt, qr, wiring};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Prepare a second factor: print what an authenticator app needs; it is on only after `confirm`
    Enroll {
        /// The account
        address: Mailbox,
        #[command(flatten)]
        format: Format,
    },
    /// Switch it on with a code that the app shows, and print recovery codes, once
    ///
    /// From then on the account password opens only the account itself, together with a code. Mail programs need
    /// app passwords.
    Confirm {
        /// The account
        address: Mailbox,
        /// The six digits
        #[arg(value_parser = argument::code)]
        code: String,
        #[command(flatten)]
        format: Format,
    },
    /// Show whether it is on, and how many recovery codes are left
    Status {
        /// The account
        address: Mailbox,
        #[command(flatten)]
        format: Format,
    },
    /// Make fresh recovery codes instead of those left, and print them, once
    RecoveryCodes {
        /// The account
        address: Mailbox,
        #[command(flatten)]
        format: Format,
    },
    /// Switch it off: the account password alone is enough again, for mail programs too
    Disable {
        /// The account
        address: Mailbox,
        /// Don't ask
        #[arg(long, short)]
        yes: bool,
    },
}

/// Works on the store that the configuration names.
///
/// # Errors
/// When it could not be done.
pub(crate) async fn run(config: &Path, command: Command) -> anyhow::Result<()> {
    let (config, store) = open::store(config).await?;
    let desk = Desk { config, store };
    let done = desk.on(command).await;
    desk.store.close().await;
    done
}

struct Desk {
    config: Config,
    store: SqliteStore,
}

impl Desk {
    async fn on(&self, command: Command) -> anyhow::Result<()> {
        match command {
            Command::Enroll { address, format } => self.enroll(&address, format).await,
            Command::Confirm { address, code, format } => self.confirm(&address, code, format).await,
            Command::Status { address, format } => self.status(&address, format).await,
            Command::RecoveryCodes { address, format } => self.recovery_codes(&address, format).await,
            Command::Disable { address, yes } => self.disable(&address, yes).await,
        }
    }

    async fn keyring(&self) -> anyhow::Result<auth::Keyring> {
        open::keyring(&self.config, self.store.accounts()).await
    }

    async fn enroll(&self, address: &Mailbox, format: Format) -> anyhow::Result<()> {
        let (store, keyring) = (self.store.accounts(), self.keyring().await?);
        let account = find(store, address).await?;
        let seed = second_factor::enroll(store, &keyring, account.id, &actor::act()).await;
        let seed = seed.map_err(|error| or_on(error, &account.address))?;
        let enrolled = Enrolled::of(&seed, &self.config.hostname, &account.address);
        let drawing = Zeroizing::new(qr::drawn(&enrolled.uri, output::colour(&std::io::stdout()))?);
        format.print(&enrolled, |enrolled| {
            let (uri, secret) = (&*enrolled.uri, &*enrolled.secret);
            format!("{}\n{uri}\n\nTo type instead: {}", *drawing, *grouped(secret))
        })?;
        format.remark(&format!(
            "it is not on yet: scan this with an authenticator app, then `gatepost totp confirm {} CODE`",
            account.address
        ));
        Ok(())
    }

    async fn confirm(&self, address: &Mailbox, code: String, format: Format) -> anyhow::Result<()> {
        let (store, keyring) = (self.store.accounts(), self.keyring().await?);
        let account = find(store, address).await?;
        let (code, policy) = (Secret::from(code), wiring::rules(&self.config.auth));
        let confirmation =
            second_factor::confirm(store, &keyring, &account, &code, &policy, &actor::act()).await?;
        let codes = confirmed(confirmation, &account)?;
        format.remark(&format!("two-factor authentication is on for {}", account.address));
        shown(&codes, format)
    }

    async fn status(&self, address: &Mailbox, format: Format) -> anyhow::Result<()> {
        let store = self.store.accounts();
        let account = find(store, address).await?;
        let found = store.second_factor(account.id).await?;
        let status = Status {
            address: account.address.to_string(),
            enrolled_at: found.as_ref().map(|factor| factor.enrolled_at),
            confirmed_at: found.as_ref().and_then(|factor| factor.confirmed_at),
            recovery_codes: found.as_ref().map_or(0, |factor| factor.recovery_codes),
        };
        format.print(&status, |status| {
            output::fields([
                ("address", status.address.clone()),
                ("second factor", status.state().to_owned()),
                ("enrolled", output::time_or(status.enrolled_at, "never")),
                ("confirmed", output::time_or(status.confirmed_at, "never")),
                ("recovery codes left", status.recovery_codes.to_string()),
            ])
        })
    }

    async fn recovery_codes(&self, address: &Mailbox, format: Format) -> anyhow::Result<()> {
        let (store, keyring) = (self.store.accounts(), self.keyring().await?);
        let account = find(store, address).await?;
        let made = second_factor::replace_recovery_codes(store, &keyring, account.id, &actor::act()).await?;
        shown(&made.ok_or_else(|| off(&account.address))?, format)
    }

    async fn disable(&self, address: &Mailbox, yes: bool) -> anyhow::Result<()> {
        let store = self.store.accounts();
        let account = find(store, address).await?;
        let question = format!("Switch off two-factor authentication for {}?", account.address);
        prompt::confirm(&question, yes)?;
        if !store.disable_second_factor(account.id, &actor::act()).await? {
            return Err(off(&account.address));
        }
        output::line(&format!("two-factor authentication is off for {}", account.address))
    }
}

/// The recovery codes, or why there are none.
fn confirmed(confirmation: Confirmation, account: &Account) -> anyhow::Result<[RecoveryCode; CODES]> {
    let address = &account.address;
    match confirmation {
        Confirmation::Confirmed(codes) => Ok(codes),
        Confirmation::NotPrepared => {
            bail!("no second factor is prepared for {address}; first `gatepost totp enroll {address}`")
        }
        Confirmation::On => Err(on(address)),
        Confirmation::Wrong => bail!(
            "this is not the code of now, or it was used before; wait for the next one, and see that the \
             clocks of this machine and of the phone are right"
        ),
        Confirmation::Throttled(Throttled { until, .. }) => {
            bail!("too many wrong codes; try again after {}", output::time(until))
        }
        Confirmation::Damaged => bail!(
            "the seed of {address} does not open: it was damaged or moved, or its key is not in the key file; begin \
             again with `gatepost totp disable {address}` and `enroll`"
        ),
    }
}

fn or_on(error: store::Error, address: &Mailbox) -> anyhow::Error {
    match error {
        store::Error::AlreadyExists => on(address),
        error => error.into(),
    }
}

fn on(address: &Mailbox) -> anyhow::Error {
    anyhow!("two-factor authentication is on for {address} already; `gatepost totp disable {address}` first")
}

fn off(address: &Mailbox) -> anyhow::Error {
    anyhow!("two-factor authentication is not on for {address}; `gatepost totp enroll {address}` begins it")
}

/// What an authenticator app needs, as `--json` shows it.
#[derive(Serialize)]
struct Enrolled {
    #[serde(serialize_with = "text")]
    uri: Zeroizing<String>,
    #[serde(serialize_with = "text")]
    secret: Zeroizing<String>,
}

impl Enrolled {
    fn of(seed: &Seed, hostname: &str, address: &Mailbox) -> Self {
        Self { uri: seed.uri(hostname, address), secret: seed.base32() }
    }
}

fn text<S: serde::Serializer>(secret: &Zeroizing<String>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret)
}

/// In groups of four, as people type it.
fn grouped(secret: &str) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(secret.len() * 2));
    for (place, character) in secret.chars().enumerate() {
        if place > 0 && place % 4 == 0 {
            text.push(' ');
        }
        text.push(character);
    }
    text
}

/// The recovery codes, as `--json` shows them.
#[derive(Serialize)]
struct Codes<'a> {
    recovery_codes: Vec<&'a str>,
}

fn shown(codes: &[RecoveryCode; CODES], format: Format) -> anyhow::Result<()> {
    let codes = codes.each_ref().map(RecoveryCode::declassify);
    let codes = Codes { recovery_codes: codes.iter().map(|code| code.as_str()).collect() };
    format.print(&codes, |codes| codes.recovery_codes.join("\n"))?;
    format.remark(
        "keep these recovery codes in a safe place: each stands in once for the app, and they are shown once",
    );
    Ok(())
}

/// How things stand, as `--json` shows it.
#[derive(Serialize)]
struct Status {
    address: String,
    enrolled_at: Option<Timestamp>,
    confirmed_at: Option<Timestamp>,
    /// How many are left.
    recovery_codes: u32,
}

impl Status {
    fn state(&self) -> &'static str {
        match (self.enrolled_at, self.confirmed_at) {
            (_, Some(_)) => "on",
            (Some(_), None) => "prepared, not confirmed",
            (None, None) => "off",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_json_of_a_new_second_factor_has_the_promised_keys() {
        let seed = Seed::from_octets(Secret::new("12345678901234567890")).unwrap();
        let enrolled = Enrolled::of(&seed, "mail.example.org", &Mailbox::parse("alice@example.org").unwrap());
        assert_eq!(
            serde_json::to_value(enrolled).unwrap(),
            serde_json::json!({
                "uri": "otpauth://totp/mail.example.org:alice%40example.org?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=mail.example.org",
                "secret": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
            })
        );
    }

    #[test]
    fn a_seed_is_read_in_groups_of_four() {
        assert_eq!(*grouped("GEZDGNBVGY"), "GEZD GNBV GY");
    }
}
