//! `gatepost auth`: explains what comes of a login.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;

use anyhow::bail;
use auth::{Attempt, Door, LoginOutcome, Origin, Proof};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use config::Config;
use serde::Serialize;
use store::{Accounts as _, ChallengeKind, ThrottleKey};
use stores::Store;
use types::Secret;

use crate::output::{Cell, Format, Look};
use crate::prompt::GivenPassword;
use crate::{actor, open, output, wiring};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Judge a password as a login would, and say which credential matched or why none did
    ///
    /// It is the very same check, throttles and audit trail included: wrong passwords tried here count. The exit code is 0 if the login is
    /// accepted, else 1.
    Test(Test),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Test {
    /// The name to log in with
    address: String,
    /// What to log in for: handing in mail, or the account itself
    #[arg(long, value_name = "SCOPE", default_value = "smtp", value_parser = doors())]
    scope: Door,
    /// The code of the second factor, or a recovery code, which is used up by this
    #[arg(long, value_name = "CODE")]
    code: Option<String>,
    /// By what: a mechanism that shows the password (PLAIN, LOGIN), or one that answers a challenge with it
    #[arg(long, value_name = "NAME", default_value = "PLAIN", value_parser = mechanisms())]
    mechanism: Shown,
    /// Judge as if the login came from this address
    #[arg(long, value_name = "ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    ip: IpAddr,
    #[command(flatten)]
    password: GivenPassword,
    #[command(flatten)]
    format: Format,
}

fn doors() -> impl TypedValueParser<Value = Door> {
    PossibleValuesParser::new(Door::ALL.map(Door::name))
        .try_map(|name| Door::ALL.into_iter().find(|door| door.name() == name).ok_or("unknown scope"))
}

/// How a mechanism shows that somebody has a password.
#[derive(Clone, Copy, Debug)]
enum Shown {
    InClear,
    ByAnswer(ChallengeKind),
}

/// What there is to choose from, as EHLO has it.
const MECHANISMS: [(&str, Shown); 5] = [
    ("PLAIN", Shown::InClear),
    ("LOGIN", Shown::InClear),
    ("CRAM-MD5", Shown::ByAnswer(ChallengeKind::CramMd5)),
    ("SCRAM-SHA-256", Shown::ByAnswer(ChallengeKind::ScramSha256)),
    ("SCRAM-SHA-256-PLUS", Shown::ByAnswer(ChallengeKind::ScramSha256)),
];

fn mechanisms() -> impl TypedValueParser<Value = Shown> {
    PossibleValuesParser::new(MECHANISMS.map(|(name, _)| name)).try_map(|given| {
        let found = MECHANISMS.into_iter().find(|(name, _)| *name == given);
        found.map(|(_, shown)| shown).ok_or("unknown mechanism")
    })
}

/// Works on the store that the configuration names.
///
/// # Errors
/// When the login is refused, or could not be judged.
pub(crate) async fn run(config: &Path, command: Command) -> anyhow::Result<()> {
    let Command::Test(args) = command;
    let (config, store) = open::store(config).await?;
    let done = test(&config, &store, args).await;
    store.close().await;
    done
}

async fn test(config: &Config, store: &Store, args: Test) -> anyhow::Result<()> {
    let Test { address, scope: door, code, mechanism, ip, password, format } = args;
    let keyring = Arc::new(open::keyring(config, store.accounts()).await?);
    let judge = open::judge(config, store.accounts(), keyring, wiring::backends(config)?)?;
    let (password, code) = (password.read()?, code.map(Secret::from));
    let answers = match mechanism {
        Shown::InClear => None,
        Shown::ByAnswer(kind) => Some(kind),
    };
    let proof = Proof::Password { password, code };
    let attempt = Attempt { authzid: None, username: Some(address), proof, door, answers };
    let origin = Origin::examined(ip, actor::act());
    let outcome = judge.examine(attempt, &origin).await;
    store.accounts().flush().await?;
    tell(&outcome, format)
}

/// What came of it, as `--json` shows it.
#[derive(Serialize)]
struct View {
    accepted: bool,
    credential: Option<String>,
    reason: &'static str,
}

fn tell(outcome: &LoginOutcome, format: Format) -> anyhow::Result<()> {
    let accepted = matches!(outcome, LoginOutcome::Accepted(_));
    let view = View { accepted, credential: outcome.credential(), reason: outcome.reason() };
    format.print(&view, |view| {
        output::fields([
            (
                "accepted",
                Cell::new(if view.accepted { Look::Good } else { Look::Bad }, output::yes_no(view.accepted)),
            ),
            ("credential", output::or_dash(view.credential.as_deref()).into()),
            ("reason", view.reason.to_owned().into()),
        ])
    })?;
    match outcome {
        LoginOutcome::Accepted(_) => Ok(()),
        LoginOutcome::Refused(refusal) => bail!("refused: {}", refusal.reason),
        LoginOutcome::Throttled(throttled) => bail!(
            "not judged: too many failures of {} until {}; `gatepost throttle clear {}` ends that",
            throttled.key,
            output::time(throttled.until),
            cleared_by(&throttled.key)
        ),
        LoginOutcome::Unavailable(fault) => bail!("not judged: {fault}"),
    }
}

/// What `throttle clear` takes to clear this.
fn cleared_by(key: &ThrottleKey) -> String {
    key.account.clone().unwrap_or_else(|| key.to_string())
}
