//! `gatepost totp`: the second factor of an account.

use std::path::Path;

use desk::{Desk, view};
use types::{Mailbox, Secret};
use zeroize::Zeroizing;

use crate::output::{self, Format};
use crate::{actor, argument, open, prompt, qr, sealed};

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
    let desk = open::desk(&config, &store);
    let done = match command {
        Command::Enroll { address, format } => enroll(&desk, &address, format).await,
        Command::Confirm { address, code, format } => confirm(&desk, &address, code, format).await,
        Command::Status { address, format } => status(&desk, &address, format).await,
        Command::RecoveryCodes { address, format } => recovery_codes(&desk, &address, format).await,
        Command::Disable { address, yes } => disable(&desk, &address, yes).await,
    };
    store.close().await;
    done
}

async fn enroll(desk: &Desk, address: &Mailbox, format: Format) -> anyhow::Result<()> {
    let account = desk.find(address).await?;
    let (enrolled, old_key) = desk.prepare_second_factor(&actor::act(), &account).await?;
    sealed::tell_old_key(old_key);
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

async fn confirm(desk: &Desk, address: &Mailbox, code: String, format: Format) -> anyhow::Result<()> {
    let account = desk.find(address).await?;
    let codes = desk.confirm_second_factor(&actor::act(), &account, &Secret::from(code)).await?;
    format.remark(&format!("two-factor authentication is on for {}", account.address));
    shown(&codes, format)
}

async fn status(desk: &Desk, address: &Mailbox, format: Format) -> anyhow::Result<()> {
    let account = desk.find(address).await?;
    format.print(&desk.second_factor(&account).await?, |status| {
        output::fields([
            ("address", status.address.clone()),
            ("second factor", state(status).to_owned()),
            ("enrolled", output::time_or(status.enrolled_at, "never")),
            ("confirmed", output::time_or(status.confirmed_at, "never")),
            ("recovery codes left", status.recovery_codes.to_string()),
        ])
    })
}

async fn recovery_codes(desk: &Desk, address: &Mailbox, format: Format) -> anyhow::Result<()> {
    let account = desk.find(address).await?;
    shown(&desk.renew_recovery_codes(&actor::act(), &account).await?, format)
}

async fn disable(desk: &Desk, address: &Mailbox, yes: bool) -> anyhow::Result<()> {
    let account = desk.find(address).await?;
    let question = format!("Switch off two-factor authentication for {}?", account.address);
    prompt::confirm(&question, yes)?;
    desk.remove_second_factor(&actor::act(), &account).await?;
    output::line(&format!("two-factor authentication is off for {}", account.address))
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

fn shown(codes: &view::RecoveryCodes, format: Format) -> anyhow::Result<()> {
    format.print(codes, |codes| {
        codes.recovery_codes.iter().map(|code| code.as_str()).collect::<Vec<_>>().join("\n")
    })?;
    format.remark(
        "keep these recovery codes in a safe place: each stands in once for the app, and they are shown once",
    );
    Ok(())
}

fn state(status: &view::SecondFactor) -> &'static str {
    match (status.enrolled_at, status.confirmed_at) {
        (_, Some(_)) => "on",
        (Some(_), None) => "prepared, not confirmed",
        (None, None) => "off",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_read_in_groups_of_four() {
        assert_eq!(*grouped("GEZDGNBVGY"), "GEZD GNBV GY");
    }
}
