//! `--connect`: other servers are tried, as far as that changes nothing there.

use std::time::Duration;

use anyhow::Context as _;
use auth::Backend;
use config::{Config, HostPort, Via};
use delivery::{NextHost, Routes, try_host};
use futures_util::future::join_all;
use tokio::net::lookup_host;
use tokio::time::timeout;

use super::report::Report;
use crate::clock;
use crate::finding::Finding;
use crate::warnings::{leads_here, loops};

/// How long a name may take to be resolved, and a next host from the connection to the login: somebody is waiting.
const PATIENCE: Duration = Duration::from_secs(30);

/// Everybody is tried at the same time.
pub(super) async fn examine(
    config: &Config,
    backends: Vec<Backend>,
    routes: Option<Routes>,
    report: &mut Report,
) {
    let hosts: Vec<&NextHost> = routes.iter().flat_map(Routes::hosts).collect();
    let (name, back, hosts, backends) = tokio::join!(
        hostname(config),
        join_all(next_hosts(config).map(|(key, host)| comes_back(config, key, host))),
        join_all(hosts.into_iter().map(|host| next_host(host, &config.hostname))),
        join_all(backends.iter().map(|one| backend(one, &config.hostname))),
    );
    report.warn(name);
    report.warn(back.into_iter().flatten());
    for error in hosts.into_iter().flatten().chain(backends.into_iter().flatten()) {
        report.error(error);
    }
}

/// Clients look for the server under its name.
async fn hostname(config: &Config) -> Option<Finding> {
    let hostname = &config.hostname;
    let error = addresses(hostname, 0).await.err()?;
    let text = format!(
        "the hostname {hostname} cannot be resolved ({error:#}): clients that look for it find nobody; enter its \
         address in the DNS"
    );
    Some(Finding::of_key("dns-hostname", "hostname", text))
}

fn next_hosts(config: &Config) -> impl Iterator<Item = (&'static str, &HostPort)> {
    let routes = config.delivery.routes.iter().map(|route| ("delivery.route.via", &route.via));
    std::iter::once(("delivery.via", &config.delivery.via)).chain(routes).filter_map(|(key, via)| match via {
        Via::Smtp(host) | Via::Smtps(host) => Some((key, host)),
        Via::Maildir(_) | Via::Hold => None,
    })
}

/// Whether the DNS leads from this name to ourselves. Of an address that is seen without it.
async fn comes_back(config: &Config, key: &'static str, host: &HostPort) -> Option<Finding> {
    let is_name =
        host.host.parse::<std::net::IpAddr>().is_err() && !host.host.eq_ignore_ascii_case(&config.hostname);
    let found = addresses(&host.host, host.port).await.ok().filter(|_| is_name)?;
    let ours = found.iter().any(|ip| leads_here(config, *ip, host.port));
    ours.then(|| Finding::of_key("delivery-own-host", key, loops(key, host)))
}

async fn addresses(host: &str, port: u16) -> anyhow::Result<Vec<std::net::IpAddr>> {
    let found = timeout(PATIENCE, lookup_host((host, port))).await.context("no answer")??;
    Ok(found.map(|address| address.ip()).collect())
}

/// As a delivery would begin.
async fn next_host(host: &NextHost, hostname: &str) -> Option<Finding> {
    let tried = timeout(PATIENCE, try_host(host, hostname)).await;
    let tried = tried.with_context(|| format!("no answer within {} seconds", PATIENCE.as_secs()));
    let error = tried.and_then(|tried| tried.map_err(Into::into)).err()?;
    let text = format!("mail cannot be handed to {}:{}: {error:#}", host.host, host.port);
    Some(Finding::of_key("smarthost", "delivery", text))
}

/// What is wrong with those who are asked about logins.
async fn backend(backend: &Backend, hostname: &str) -> Vec<Finding> {
    match backend {
        Backend::Accounts => Vec::new(),
        Backend::OAuth(providers) => {
            let faults = providers.reach(clock::now()).await.into_iter();
            faults.map(|fault| Finding::of_error("provider", "oauth.provider", &fault.into())).collect()
        }
        Backend::Http(handler) => {
            let fault = handler.reach(hostname).await.err();
            fault
                .map(|fault| Finding::of_error("http-handler", "auth.http", &fault.into()))
                .into_iter()
                .collect()
        }
    }
}
