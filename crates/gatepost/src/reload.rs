//! SIGHUP: the configuration and the certificate are read again, and connections stay.
//!
//! All of it or nothing: if either is wrong, that is told, and a server that serves goes on as it was. Settings of
//! sessions are for those that begin from now on; those that run keep theirs.

use std::path::Path;

use auth::Backend;
use config::Config;

use crate::descriptors::Descriptors;
use crate::parts::Parts;
use crate::wiring;

/// The configuration that holds from now on: what `file` says, or `old` if that is no use.
pub(crate) fn reload(file: &Path, old: Config, parts: &Parts) -> Config {
    match read(file, parts) {
        Ok((new, row)) => {
            warn_of_what_stays(&old, &new);
            let now = live(old, new);
            let descriptors = Descriptors::for_connections(now.limits.connections);
            parts.handle.replace(wiring::settings(&now), descriptors.fit(wiring::limits(&now)));
            parts.judge.replace(wiring::policy(&now.auth), row);
            parts.acceptance.replace(&now);
            tracing::info!(event = "reloaded", "configuration and certificate were read again");
            now
        }
        Err(error) => {
            let error: &dyn std::error::Error = error.as_ref();
            tracing::error!(
                event = "reload.failed",
                error,
                "configuration and certificate stay as they were"
            );
            old
        }
    }
}

/// The configuration and its backends, once they are known to be good, and the certificate, which is in use from then
/// on.
fn read(file: &Path, parts: &Parts) -> anyhow::Result<(Config, Vec<Backend>)> {
    let new = Config::load(file)?;
    let row = wiring::backends(&new)?;
    if let (Some(identity), Some(tls)) = (&parts.identity, &new.tls) {
        identity.reload(&tls.certificate, &tls.private_key)?;
    }
    Ok((new, row))
}

/// Of the new configuration, what can change while the server runs; the rest of the old one.
fn live(old: Config, new: Config) -> Config {
    Config {
        tls: new.tls,
        auth: new.auth,
        oauth: new.oauth,
        limits: new.limits,
        submission: new.submission,
        sending: new.sending,
        ..old
    }
}

fn warn_of_what_stays(old: &Config, new: &Config) {
    for key in needing_restart(old, new) {
        tracing::warn!(event = "reload.partial", key, "a change of {key} takes effect at the next start");
    }
}

fn needing_restart(old: &Config, new: &Config) -> Vec<&'static str> {
    let min_version = |config: &Config| config.tls.as_ref().map(|tls| tls.min_version);
    let changes = [
        ("hostname", old.hostname != new.hostname),
        ("storage", old.storage != new.storage),
        ("tls.min_version", min_version(old) != min_version(new)),
        ("listen", old.listen != new.listen),
        ("delivery", old.delivery != new.delivery),
        ("audit", old.audit != new.audit),
        ("log", old.log != new.log),
    ];
    changes.into_iter().filter(|(_, changed)| *changed).map(|(key, _)| key).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "hostname = \"a.test\"\n[storage]\nurl = \"sqlite:s\"\nmaster_key_file = \"k\"\n\
        [tls]\ncertificate = \"c\"\nprivate_key = \"k\"\n[delivery]\nvia = \"hold\"\n";

    fn parse(text: &str) -> Config {
        Config::parse(text, Path::new("/etc/gatepost/gatepost.toml")).unwrap()
    }

    #[test]
    fn a_change_that_has_to_wait_is_named() {
        for (from, to, key) in [
            ("a.test", "b.test", "hostname"),
            ("sqlite:s", "sqlite:t", "storage"),
            ("private_key = \"k\"\n", "private_key = \"k\"\nmin_version = \"1.3\"\n", "tls.min_version"),
            ("\"hold\"", "\"maildir:m\"", "delivery"),
        ] {
            assert_eq!(needing_restart(&parse(OLD), &parse(&OLD.replace(from, to))), [key]);
        }
        let more = |more: &str| parse(&format!("{OLD}{more}"));
        assert_eq!(needing_restart(&parse(OLD), &more("[log]\nlevel = \"warn\"\n")), ["log"]);
    }

    #[test]
    fn limits_and_rules_change_at_once() {
        let new = parse(&format!(
            "{OLD}[limits]\nrecipients = 7\n[submission]\nremove_bcc = false\n\
             [sending]\nmessages_per_day = 9\n[log]\nlevel = \"warn\"\n"
        ));
        let now = live(parse(OLD), new);
        assert_eq!((now.limits.recipients, now.submission.remove_bcc), (7, false));
        assert_eq!(now.sending.messages_per_day, Some(9));
        assert_eq!(now.log, parse(OLD).log);
    }
}
