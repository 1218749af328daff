//! The tasks of a running server, which go on beside each other.

use std::future::Future;
use std::io;
use std::os::unix::net::UnixListener;
use std::sync::Arc;

use acceptance::Acceptance;
use auth::Authenticator;
use config::Config;
use delivery::Committer;
use futures_util::future::join_all;
use tokio::sync::Semaphore;
use tokio::task::{JoinError, JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::lights::{self, Lights};
use crate::pages::{self, Pages};
use crate::parts::Parts;
use crate::tls_reports::{self, TlsReports};
use crate::webhooks::Webhooks;
use crate::{open, operations, status_socket, upkeep};

/// Where mail is handed in.
pub(crate) type Door = submission::Server<Arc<Authenticator>, Arc<Acceptance>>;

/// What is bound: whoever connects there is kept waiting until the tasks begin.
pub(crate) struct Bound {
    pub(crate) door: Door,
    pub(crate) pages: Option<Pages>,
    pub(crate) status_socket: io::Result<UnixListener>,
}

/// Begins them all. Each ends once it is told to stop.
pub(crate) fn begin(
    config: &Config,
    parts: &Parts,
    bound: Bound,
    stop: &CancellationToken,
) -> Vec<JoinHandle<()>> {
    let Bound { door, pages, status_socket } = bound;
    let (carrier, spool) = (&parts.carrier, parts.store.spool().clone());
    let upkeep = upkeep::run(parts.store.clone(), parts.kept.subscribe(), stop.clone());
    let (directory, health) = (config.storage.directory.clone(), parts.health.clone());
    vec![
        spawn(carrier.clone().run(stop.clone()), stop),
        spawn(carrier.clone().keep_policies(stop.clone()), stop),
        spawn(tls_reports(config, parts).run(stop.clone()), stop),
        spawn(Webhooks::of(config, parts).run(stop.clone()), stop),
        spawn(door.serve(stop.clone()), stop),
        spawn(pages::run(pages, config.limits.shutdown_grace, stop.clone()), stop),
        spawn(upkeep, stop),
        spawn(operations::run(carrier.clone(), spool, stop.clone()), stop),
        spawn(lights::run(watched_by_lights(config, parts), stop.clone()), stop),
        spawn(status_socket::run(status_socket, directory, health, stop.clone()), stop),
        spawn(keep_refusals_alike(parts.judge.clone(), stop.clone()), stop),
    ]
}

/// Waits until all of these have ended.
///
/// # Errors
/// When one has panicked.
pub(crate) async fn ended(tasks: Vec<JoinHandle<()>>) -> Result<(), JoinError> {
    join_all(tasks).await.into_iter().collect()
}

fn tls_reports(config: &Config, parts: &Parts) -> TlsReports {
    TlsReports {
        ledger: parts.store.ledger().clone(),
        tally: parts.tls_tally.clone(),
        resolver: parts.resolver.clone(),
        committer: Committer::new(parts.carrier.clone()),
        hostname: config.hostname.clone(),
        posting: Arc::new(Semaphore::new(tls_reports::POSTS)),
        poster: parts.tls_reports.subscribe(),
    }
}

fn watched_by_lights(config: &Config, parts: &Parts) -> Lights {
    Lights {
        health: parts.health.clone(),
        store: parts.store.clone(),
        desk: open::desk(config, &parts.store).with_keyring(parts.keyring.clone()),
        judge: parts.judge.clone(),
        carrier: parts.carrier.clone(),
        resolver: parts.resolver.clone(),
        handle: parts.handle.clone(),
        meant: parts.looked_at.subscribe(),
        page_addresses: parts.page_addresses.clone(),
    }
}

async fn keep_refusals_alike(judge: Arc<Authenticator>, stop: CancellationToken) {
    stop.run_until_cancelled(judge.keep_refusals_alike()).await;
}

/// Runs a part of the server. When one ends, by a panic even, all stop: a server that takes mail and carries none looks
/// well from outside.
fn spawn(part: impl Future<Output = ()> + Send + 'static, stop: &CancellationToken) -> JoinHandle<()> {
    let guard = stop.clone().drop_guard();
    tokio::spawn(async move {
        let _guard = guard;
        part.await;
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_part_that_fails_stops_the_server() {
        let stop = CancellationToken::new();
        let lasting = spawn(stop.clone().cancelled_owned(), &stop);
        tokio::task::yield_now().await;
        assert!(!stop.is_cancelled());
        let failing = spawn(async { panic!("a fault of ours") }, &stop);
        assert!(failing.await.is_err());
        lasting.await.unwrap();
    }
}
