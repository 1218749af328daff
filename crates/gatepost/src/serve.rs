//! The server as a whole: how it is put together, how it starts, changes and stops.

use std::future::Future;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use acceptance::Acceptance;
use anyhow::Context as _;
use auth::{Authenticator, Keyring};
use config::{Config, Listen};
use console::Watched;
use delivery::{Carrier, Committer, StsPolicies, TlsTally};
use desk::Health;
use sd_notify::NotifyState;
use store::Ledger as _;
use stores::{Claimed, Spool, Store};
use submission::Limits;
use submission::tls::{self, Identity};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use types::UtcTime;

use crate::descriptors::Descriptors;
use crate::finding::Finding;
use crate::lights::Meant;
use crate::opened::{Opened, Pair};
use crate::pages::Pages;
use crate::parts::Parts;
use crate::signals::{Signals, Wish, survive_file_size_limit};
use crate::tasks::{self, Bound, Door};
use crate::upkeep::Kept;
use crate::{clock, listen_error, open, reload, warnings, wiring};

/// A server whose listeners are bound; clients that connect are kept waiting until [`Server::run`].
pub(crate) struct Server {
    file: PathBuf,
    config: Config,
    parts: Parts,
    bound: Bound,
    signals: Signals,
}

impl Server {
    /// Puts everything together of what was opened, as the configuration in `file` says. TLS is warmed up while the store opens:
    /// either takes longer than all the rest.
    ///
    /// # Errors
    /// When the store cannot be used, the keys are not those of its secrets, or TLS cannot be offered.
    pub(crate) async fn start(file: &Path, opened: Opened) -> anyhow::Result<Server> {
        let signals = Signals::listen()?;
        survive_file_size_limit()?;
        let Opened {
            config,
            descriptors,
            store,
            masters,
            pair,
            backends,
            routes,
            resolver,
            sockets,
            web_sockets,
            status_socket,
        } = opened;
        let identity = in_background(move || warm_identity(pair));
        let (store, identity) = tokio::try_join!(open_store(store), identity)?;
        let keyring = Arc::new(Keyring::open(masters, store.accounts()).await?);
        let signing = wiring::signing(config.dkim, store.accounts().clone(), keyring.clone());
        let sts = Arc::new(StsPolicies::new(Box::new(store.accounts().clone()), clock::now));
        let tls_tally = Arc::new(TlsTally::new(clock::now));
        let carrying = wiring::carrying(
            &config,
            resolver.clone(),
            keyring.newest_key(),
            signing.clone(),
            (sts, tls_tally.clone()),
        );
        let carrier = Carrier::new(Arc::new(store.spool().clone()), routes, carrying)?;
        let judge = Arc::new(open::judge(&config, store.accounts(), keyring.clone(), backends)?);
        let acceptance = Arc::new(acceptance(&config, (&store, &keyring), judge.clone(), &carrier));
        let limits = descriptors.fit(wiring::limits(&config));
        let handlers = (judge.clone(), acceptance.clone());
        let door = door(&config, handlers, identity.clone(), limits, sockets)?;
        store.ledger().set_kept(!config.ledger.keep.is_zero());
        let (kept, handle) = (watch::Sender::new(Kept::of(&config)), door.handle());
        let tls_reports = watch::Sender::new(wiring::report_poster(&config, &resolver)?);
        let (front, back) =
            ((handle.clone(), identity.clone()), (carrier.clone(), store.spool().clone(), resolver.clone()));
        let health = Health::of(env!("CARGO_PKG_VERSION"), clock::now());
        let poster = Arc::new(wiring::webhook_poster(&config, &resolver)?);
        let ledger = store.ledger().clone();
        let watched = Watched::new(front, acceptance.clone(), back, poster.clone(), ledger, health.clone());
        let pages = Pages::of(&config, (&store, &keyring, &judge), watched, identity.as_ref(), web_sockets)?;
        let page_addresses = pages.as_ref().map_or(Ok(Vec::new()), Pages::addresses)?;
        let looked_at = watch::Sender::new(Meant::of(&config, identity.as_ref()));
        let parts = Parts {
            webhooks: poster,
            store,
            keyring,
            identity,
            judge,
            acceptance,
            carrier,
            signing,
            resolver,
            tls_tally,
            tls_reports,
            kept,
            handle,
            health,
            looked_at,
            console: pages.as_ref().map(Pages::console),
            page_addresses,
        };
        let bound = Bound { door, pages, status_socket };
        Ok(Server { file: file.to_owned(), config, parts, bound, signals })
    }

    /// What the server is made of.
    pub(crate) fn parts(&self) -> &Parts {
        &self.parts
    }

    /// Where it listens.
    pub(crate) fn listeners(&self) -> Vec<Listen> {
        self.parts.listeners(&self.config)
    }

    /// Serves until SIGTERM or SIGINT, then ends without loss: no new connections, running transactions end, running
    /// deliveries end, the store closes.
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let Server { file, mut config, mut parts, bound, mut signals } = self;
        let stop = CancellationToken::new();
        let tasks = tasks::begin(&config, &parts, bound, &stop);
        // Who is told that the server is ready finds it on the list of nodes.
        stop.run_until_cancelled(parts.carrier.tried_to_join()).await;
        tell_ready(&config, &parts);
        tell_warnings(&config, &parts);
        while stop.run_until_cancelled(signals.next()).await == Some(Wish::Reload) {
            notify(&[NotifyState::Reloading], NotifyState::monotonic_usec_now().ok());
            let (now, changed) = reload::reload(&file, config, &mut parts).await;
            config = now;
            if changed {
                tell_warnings(&config, &parts);
            }
            notify(&[NotifyState::Ready], None);
        }
        tracing::info!(
            event = "stopping",
            "stopping; running transactions have {:?}",
            config.limits.shutdown_grace
        );
        notify(&[NotifyState::Stopping], None);
        stop.cancel();
        let ended = tasks::ended(tasks).await;
        parts.acceptance.end();
        parts.store.close().await;
        tracing::info!(event = "stopped", "stopped");
        ended.context("a part of the server has failed")
    }
}

fn acceptance(
    config: &Config,
    (store, keyring): (&Store, &Keyring),
    judge: Arc<Authenticator>,
    carrier: &Arc<Carrier<Spool>>,
) -> Acceptance {
    let (rules, committer) = (wiring::rules_of_mail(config), Committer::new(carrier.clone()));
    let (accounts, blind_digests) = (store.accounts().clone(), keyring.blind_digests());
    Acceptance::new(rules, judge, accounts, blind_digests, committer, clock::now)
}

async fn open_store(store: Claimed) -> anyhow::Result<Store> {
    Ok(store.open().await?)
}

fn warm_identity(pair: Option<Pair>) -> anyhow::Result<Option<Identity>> {
    let Some(pair) = pair else { return Ok(None) };
    let identity = pair.identity()?;
    tls::warm_up(&identity)?;
    Ok(Some(identity))
}

/// Begins at once, whether it is waited for or not.
fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> anyhow::Result<T> + Send + 'static,
) -> impl Future<Output = anyhow::Result<T>> {
    let work = tokio::task::spawn_blocking(work);
    async { work.await? }
}

fn door(
    config: &Config,
    (judge, acceptance): (Arc<Authenticator>, Arc<Acceptance>),
    identity: Option<Identity>,
    limits: Limits,
    sockets: Vec<TcpListener>,
) -> anyhow::Result<Door> {
    let without_login = Arc::clone(&acceptance);
    let mut builder = Door::builder(wiring::settings(config), judge, acceptance)
        .limits(limits)
        .login_is_optional(move |session| without_login.takes_without_login(session))
        .clock(|| UtcTime::from_unix(clock::now().as_second()));
    if let (Some(identity), Some(tls)) = (identity, &config.tls) {
        builder = builder.tls(identity, tls.min_version);
    }
    for (socket, listen) in sockets.into_iter().zip(&config.listen) {
        builder = builder.socket(socket, wiring::listener(listen));
    }
    builder.bind().map_err(listen_error::told)
}

fn tell_ready(config: &Config, parts: &Parts) {
    let listen = parts.addresses(config);
    tracing::info!(event = "ready", listen, version = env!("CARGO_PKG_VERSION"), "ready");
    notify(&[NotifyState::Ready], None);
}

/// What `check` warns of, and what is known of this process alone.
fn tell_warnings(config: &Config, parts: &Parts) {
    let facts = parts.identity.as_ref().and_then(|identity| identity.facts().ok());
    let warnings = warnings::about(config, facts.as_ref(), clock::now());
    let mut told = Vec::new();
    for Finding { code, key, text } in warnings.into_iter().chain(warnings_of_process(config)) {
        tracing::warn!(event = "setup.warning", code, key = key.as_deref(), "{text}");
        told.push(text);
    }
    parts.health.set_up(wiring::as_meant(config), told);
}

fn warnings_of_process(config: &Config) -> Vec<Finding> {
    let mut warnings = Vec::new();
    if rustix::process::geteuid().is_root() {
        let text = "the server runs as root, which it never needs: see config/gatepost.service";
        warnings.push(Finding::new("runs-as-root", text));
    }
    let descriptors = Descriptors::for_server(config);
    if let Descriptors::Only { allowed, .. } = descriptors {
        let (connections, room) =
            (config.limits.connections, descriptors.fit(wiring::limits(config)).connections);
        let text = format!(
            "limits.connections is {connections}, but the system allows {allowed} open files (LimitNOFILE, ulimit -n): \
             more than {room} connections at a time are turned away"
        );
        warnings.push(Finding::of_key("open-files", "limits.connections", text));
    }
    warnings
}

/// Tells systemd, if it started us; without it this does nothing.
fn notify(states: &[NotifyState<'_>], more: Option<NotifyState<'_>>) {
    let states: Vec<_> = states.iter().cloned().chain(more).collect();
    if let Err(error) = sd_notify::notify(&states) {
        tracing::warn!(event = "notify.failed", %error, "cannot tell the service manager");
    }
}
