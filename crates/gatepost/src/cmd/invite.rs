//! `gatepost invite`: a link with which the owner of an account chooses its password.

use std::path::Path;

use config::duration;
use desk::{INVITATION_LEAST, INVITATION_MOST};
use jiff::SignedDuration;
use types::Mailbox;

use crate::output::{self, Format};
use crate::{actor, open};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The account, which has to be there
    address: Mailbox,
    /// How long the link is good: 5m to 7d
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = good_for)]
    expires: SignedDuration,
    /// The second factor is lost: its code is not asked for, and it goes
    #[arg(long)]
    second_factor_lost: bool,
    #[command(flatten)]
    format: Format,
}

/// Works on the store that the configuration names.
///
/// # Errors
/// When it could not be done.
pub(crate) async fn run(config: &Path, args: Args) -> anyhow::Result<()> {
    let (config, store) = open::store(config).await?;
    let desk = open::desk(&config, &store);
    let done = async {
        let account = desk.find(&args.address).await?;
        let new = desk.invite(&actor::act(), &account, args.expires, args.second_factor_lost).await?;
        args.format.print(&new, |new| new.link.to_string())?;
        if args.second_factor_lost && !new.invitation.second_factor_lost {
            args.format.remark(&format!("{} has no second factor that could be lost", account.address));
        }
        if account.disabled {
            args.format.remark(&format!(
                "{address} is disabled: the link opens nothing before `gatepost user enable {address}`",
                address = account.address
            ));
        }
        let until = output::time(new.invitation.expires_at);
        args.format.remark(&format!(
            "this link is shown once, and good until {until}: pass it on to the owner of {} and nobody else",
            account.address
        ));
        Ok(())
    };
    let done = done.await;
    store.close().await;
    done
}

/// A length of time that an invitation can be good for.
fn good_for(given: &str) -> Result<SignedDuration, String> {
    let time = duration(given).and_then(|time| SignedDuration::try_from(time).ok());
    time.filter(|time| (INVITATION_LEAST..=INVITATION_MOST).contains(time))
        .ok_or_else(|| "write 5m to 7d, such as 24h".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invitation_is_good_for_five_minutes_to_a_week() {
        for (given, minutes) in [("5m", 5), ("24h", 24 * 60), ("7d", 7 * 24 * 60)] {
            assert_eq!(good_for(given), Ok(SignedDuration::from_mins(minutes)), "{given}");
        }
        for given in ["", "4m59s", "7d1s", "soon", "-1h", "99999999999999999s"] {
            assert!(good_for(given).is_err(), "{given}");
        }
    }
}
