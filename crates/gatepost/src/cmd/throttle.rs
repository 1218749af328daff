//! `gatepost throttle`: who is locked out after failed logins, and letting them in.

use std::path::Path;

use auth::Policy;
use config::Config;
use jiff::Timestamp;
use serde::Serialize;
use store::{Allowance, Counted, ThrottleKind, Throttles};

use crate::argument::Whom;
use crate::output::{self, Format};
use crate::{actor, clock, open, wiring};

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
    let done = match command {
        Command::List { format } => list(store.accounts(), &config, format).await,
        Command::Clear { whom } => clear(store.accounts(), &whom).await,
    };
    store.close().await;
    done
}

async fn list(throttles: &impl Throttles, config: &Config, format: Format) -> anyhow::Result<()> {
    let counted = throttles.counted(clock::now()).await?;
    format.print(&locked_out(&counted, &wiring::rules(&config.auth)), |views| {
        output::table(
            ["KIND", "KEY", "FAILURES", "UNTIL"],
            views.iter().map(|view| {
                [view.kind.to_owned(), view.key.clone(), view.failures.to_string(), output::time(view.until)]
            }),
        )
    })
}

/// Those who have used up what is allowed now, which may be another number than when they did.
fn locked_out(counted: &[Counted], policy: &Policy) -> Vec<View> {
    let used_up = |counted: &&Counted| allowance(counted.key.kind, policy).is_used_up(&counted.marks);
    counted.iter().filter(used_up).map(View::of).collect()
}

fn allowance(kind: ThrottleKind, policy: &Policy) -> Allowance {
    match kind {
        ThrottleKind::Password => policy.password,
        ThrottleKind::Totp => policy.totp,
        ThrottleKind::PasswordDay | ThrottleKind::TotpDay => policy.day,
        ThrottleKind::Network => policy.network,
    }
}

async fn clear(throttles: &impl Throttles, whom: &Whom) -> anyhow::Result<()> {
    let (name, cleared) = match whom {
        Whom::Account(address) => {
            (address.to_string(), throttles.clear_account(address, &actor::act()).await?)
        }
        Whom::Network(network) => {
            (network.to_string(), throttles.clear_network(network, &actor::act()).await?)
        }
    };
    output::line(&match cleared {
        0 => format!("no failures were counted for {name}"),
        1 => format!("1 counter of {name} is cleared"),
        cleared => format!("{cleared} counters of {name} are cleared"),
    })
}

/// A lock-out as `--json` shows it.
#[derive(Serialize)]
struct View {
    kind: &'static str,
    key: String,
    failures: usize,
    until: Timestamp,
}

impl View {
    fn of(counted: &Counted) -> Self {
        Self {
            kind: counted.key.kind.name(),
            key: counted.key.to_string(),
            failures: counted.marks.len(),
            until: counted.until,
        }
    }
}

#[cfg(test)]
mod tests {
    use store::{Mark, ThrottleKey};

    use super::*;

    /// A counter with these marks, each an account and a secret.
    fn counted(kind: ThrottleKind, marks: impl IntoIterator<Item = (u8, u8)>) -> Counted {
        let (account, network) = match kind {
            ThrottleKind::Network => (None, Some("2001:db8:1:2::/64".parse().unwrap())),
            ThrottleKind::PasswordDay | ThrottleKind::TotpDay => (Some("alice@example.org".to_owned()), None),
            ThrottleKind::Password | ThrottleKind::Totp => {
                (Some("alice@example.org".to_owned()), Some("192.0.2.7/32".parse().unwrap()))
            }
        };
        let mark = |(account, secret)| Mark { account: [account; 8], secret: [secret; 8] };
        Counted {
            key: ThrottleKey { kind, account, network },
            marks: marks.into_iter().map(mark).collect(),
            until: "2026-11-21T12:00:00Z".parse().unwrap(),
        }
    }

    #[test]
    fn those_are_locked_out_who_have_used_up_what_is_allowed() {
        let all = [
            counted(ThrottleKind::Password, (0..4).map(|n| (0, n))),
            counted(ThrottleKind::Password, (0..5).map(|n| (0, n))),
            counted(ThrottleKind::Totp, (0..5).map(|n| (0, n))),
            counted(ThrottleKind::Network, (0..19).flat_map(|n| [(n, 0), (n, 1)])),
            counted(ThrottleKind::Network, (0..20).map(|n| (n, 0))),
        ];
        let expected = serde_json::json!([
            {
                "kind": "password", "key": "alice@example.org from 192.0.2.7", "failures": 5,
                "until": "2026-11-21T12:00:00Z",
            },
            { "kind": "network", "key": "2001:db8:1:2::/64", "failures": 20, "until": "2026-11-21T12:00:00Z" },
        ]);
        let shown = locked_out(&all, &wiring::rules(&config::Auth::default()));
        assert_eq!(serde_json::to_value(shown).unwrap(), expected);
    }
}
