//! SIGHUP: the configuration is read again, with every file that it names, and connections and messages stay.
//!
//! All of it or nothing: everything that can fail is prepared first, and if any of it does, that is told, and the server goes
//! on as it was. Settings of sessions are for those that begin from now on; those that run keep theirs.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use auth::{Backend, Keyring, MasterKeys};
use config::{Config, Web};
use delivery::{ReportPoster, Ways};
use dns::Resolver;
use store::Ledger as _;
use stores::Accounts;
use submission::ListenerChange;
use submission::tls::{Identity, TlsError};

use crate::descriptors::Descriptors;
use crate::lights::Meant;
use crate::listen_error::ListenError;
use crate::parts::Parts;
use crate::upkeep::Kept;
use crate::wiring::NamedFile;
use crate::{listen_error, log, open, wiring};

/// The configuration that holds from now on: what `file` says, or `old` if that is no use. Whether it is another.
pub(crate) async fn reload(file: &Path, old: Config, parts: &mut Parts) -> (Config, bool) {
    match Prepared::read(file, &old, parts).await {
        Ok(prepared) => {
            let now = prepared.apply(&old, parts).await;
            let listen = parts.addresses(&now);
            tracing::info!(
                event = "reloaded",
                listen,
                "the configuration and the files that it names were read again"
            );
            (now, true)
        }
        Err(error) => {
            let error: &dyn std::error::Error = error.as_ref();
            tracing::error!(
                event = "reload.failed",
                error,
                "nothing has changed: the new configuration cannot be used"
            );
            (old, false)
        }
    }
}

/// A new configuration that is known to be good, and what was made from it.
struct Prepared {
    config: Config,
    /// The keys whose changes have to wait for a restart.
    waiting: Vec<&'static str>,
    masters: Arc<MasterKeys>,
    identity: Option<Identity>,
    backends: Vec<Backend>,
    ways: Ways,
    resolver: Resolver,
    poster: Option<Arc<ReportPoster>>,
    listeners: ListenerChange,
}

impl Prepared {
    async fn read(file: &Path, old: &Config, parts: &Parts) -> anyhow::Result<Prepared> {
        let new = Config::load(file)?;
        let placed = |error| placed(file, error);
        let waiting = needing_restart(old, &new);
        let (hostname, storage) = (old.hostname.clone(), old.storage.clone());
        let web = web_at_reload(old.web.as_ref(), new.web.as_ref());
        let config = Config { hostname, storage, web, ..new };
        let masters = masters(&config, parts).await.map_err(placed)?;
        let backends = wiring::backends(&config).map_err(placed)?;
        let identity = identity(&config).map_err(placed)?;
        let resolver = wiring::resolver(&config.dns).map_err(placed)?;
        let routes = wiring::routes(&config.delivery).map_err(placed)?;
        let poster = wiring::report_poster(&config, &parts.resolver).map_err(placed)?;
        let ways = parts
            .carrier
            .prepare(routes, config.limits.shutdown_grace)
            .map_err(|error| placed(error.into()))?;
        let listeners = listeners(&config, identity.as_ref(), parts).map_err(placed)?;
        Ok(Prepared { config, waiting, masters, identity, backends, ways, resolver, poster, listeners })
    }

    async fn apply(self, old: &Config, parts: &mut Parts) -> Config {
        let now = self.config;
        for key in self.waiting {
            tracing::warn!(event = "reload.partial", key, "a change of {key} takes effect at the next start");
        }
        take_up_keys(self.masters, parts).await;
        match (&parts.identity, self.identity) {
            (Some(present), Some(new)) => present.replace(&new),
            (None, Some(new)) => parts.identity = Some(new),
            (_, None) => {}
        }
        let descriptors = Descriptors::for_server(&now);
        parts.handle.replace(wiring::settings(&now), descriptors.fit(wiring::limits(&now)));
        if let Err(error) = parts.judge.replace(wiring::policy(&now), self.backends) {
            let error: &dyn std::error::Error = &error;
            tracing::error!(event = "reload.partial", key = "auth", error, "logins are judged as before");
        }
        parts.acceptance.replace(wiring::rules_of_mail(&now));
        if let Some(console) = &parts.console {
            console.replace(open::desk(&now, &parts.store).with_keyring(parts.keyring.clone()));
        }
        parts.resolver.replace(&self.resolver);
        parts.carrier.replace(self.ways);
        parts.signing.switch(now.dkim.sign);
        parts.tls_reports.send_replace(self.poster);
        parts.kept.send_replace(Kept::of(&now));
        parts.looked_at.send_replace(Meant::of(&now, parts.identity.as_ref()));
        parts.store.ledger().set_kept(!now.ledger.keep.is_zero());
        if old.log.level != now.log.level && !log::change_level(now.log.level) {
            tracing::warn!(
                event = "reload.partial",
                key = "log.level",
                "log.level has no effect while RUST_LOG is set"
            );
        }
        if let Err(error) = self.listeners.apply().await {
            let (error, advice) = (&error as &dyn std::error::Error, listen_error::advice(&error));
            tracing::error!(
                event = "reload.partial",
                key = "listen",
                error,
                "a listener is missing; {advice}"
            );
        }
        now
    }
}

/// The key file as it is now. A change of its path has to wait for a restart.
async fn masters(config: &Config, parts: &Parts) -> anyhow::Result<Arc<MasterKeys>> {
    let named = || NamedFile::new(&config.storage.master_key_file, "[storage]");
    let masters = Arc::new(MasterKeys::load(&config.storage.master_key_file).with_context(named)?);
    Keyring::check(&masters, parts.store.accounts()).await.with_context(named)?;
    seal_nothing(&parts.keyring.dropped_by(&masters), parts.store.accounts()).await.with_context(named)?;
    Ok(masters)
}

/// A key may go from the file when nothing is sealed under it.
async fn seal_nothing(keys: &[u32], store: &Accounts) -> anyhow::Result<()> {
    if keys.is_empty() {
        return Ok(());
    }
    let secrets = desk::secrets_by_key(store).await?;
    match keys.iter().find_map(|key| secrets.get_key_value(key)) {
        None => Ok(()),
        Some((key, secrets)) => bail!(
            "master key {key}, which has sealed {secrets} of the secrets, is not in the key file any more: put its line back from your copy of the file \
             (`gatepost key activate` has the newest key seal them)"
        ),
    }
}

/// Once the reload is told, `key activate` may rely on the new key.
async fn take_up_keys(masters: Arc<MasterKeys>, parts: &Parts) {
    parts.keyring.turn_to(masters);
    if let Err(error) = parts.carrier.tell_newest_key().await {
        let error: &dyn std::error::Error = &error;
        tracing::warn!(
            event = "reload.partial",
            key = "storage.master_key_file",
            error,
            "the master keys are taken up; `gatepost key activate` will know it once the store answers"
        );
    }
}

/// A listener that stays has the certificate that is replaced in place, a new one is given it.
fn listeners(config: &Config, new: Option<&Identity>, parts: &Parts) -> anyhow::Result<ListenerChange> {
    let identity = parts.identity.as_ref().or(new);
    let oldest = config.tls.as_ref().map(|tls| tls.min_version);
    let listeners = config.listen.iter().map(wiring::listener).collect();
    parts.handle.prepare_listeners(listeners, identity.zip(oldest)).map_err(listen_error::told)
}

fn identity(config: &Config) -> anyhow::Result<Option<Identity>> {
    let Some(tls) = &config.tls else { return Ok(None) };
    let identity = Identity::load(&tls.certificate, &tls.private_key).map_err(|error| {
        let path = match &error {
            TlsError::Pem(error) => error.path(),
            _ => &tls.certificate,
        };
        let named = NamedFile::new(path, "[tls]");
        anyhow::Error::from(error).context(named)
    });
    identity.map(Some)
}

/// The error with where `file` says what is wrong.
fn placed(file: &Path, error: anyhow::Error) -> anyhow::Error {
    let listener = || error.downcast_ref::<ListenError>().and_then(ListenError::address);
    let place = match (error.downcast_ref::<NamedFile>(), listener()) {
        (Some(named), _) => config::place_of_path(file, named.path()),
        (None, Some(address)) => config::place_of(file, |text| text.parse() == Ok(address)),
        (None, None) => file.display().to_string(),
    };
    error.context(place)
}

/// `[web]` from now on: it is as it was but for what mail programs find by themselves, which pages are asked for anew each time.
fn web_at_reload(old: Option<&Web>, new: Option<&Web>) -> Option<Web> {
    old.map(|old| Web { clients: new.and_then(|new| new.clients.clone()), ..old.clone() })
}

/// The keys that have changed, and wait for a restart.
fn needing_restart(old: &Config, new: &Config) -> Vec<&'static str> {
    let changes = [
        ("hostname", old.hostname != new.hostname),
        ("storage", old.storage != new.storage),
        ("log.format", old.log.format != new.log.format),
        ("web", web_at_reload(old.web.as_ref(), new.web.as_ref()) != new.web),
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
        for (from, to, keys) in [
            ("a.test", "b.test", &["hostname"][..]),
            ("sqlite:s", "sqlite:t", &["storage"]),
            ("private_key = \"k\"\n", "private_key = \"k\"\nmin_version = \"1.3\"\n", &[]),
            ("\"hold\"", "\"maildir:m\"", &[]),
        ] {
            assert_eq!(needing_restart(&parse(OLD), &parse(&OLD.replace(from, to))), keys);
        }
        let more = |more: &str| parse(&format!("{OLD}{more}"));
        assert_eq!(needing_restart(&parse(OLD), &more("[log]\nformat = \"json\"\n")), ["log.format"]);
        assert_eq!(needing_restart(&parse(OLD), &more("[web]\nbase_url = \"https://a.test\"\n")), ["web"]);
        assert!(needing_restart(&parse(OLD), &more("[log]\nlevel = \"warn\"\n")).is_empty());
        let pages = "[web]\nbase_url = \"https://a.test\"\n";
        let clients = "[web.clients]\ndomains = [\"a.test\"]\nimap = \"imaps://a.test\"\n";
        let (without, with) = (more(pages), more(&format!("{pages}{clients}")));
        assert!(needing_restart(&without, &with).is_empty() && needing_restart(&with, &without).is_empty());
        assert_eq!(web_at_reload(without.web.as_ref(), with.web.as_ref()), with.web);
    }
}
