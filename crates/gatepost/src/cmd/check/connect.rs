//! `--connect`: other servers are tried, as far as that changes nothing there.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use auth::Backend;
use config::{Config, HostPort, Via};
use delivery::{NextHost, Routes, TryError, try_domain, try_host, try_socket};
use dns::Resolver;
use futures_util::future::join_all;
use tokio::net::lookup_host;
use tokio::time::timeout;
use types::Domain;

use super::report::Report;
use crate::finding::Finding;
use crate::warnings::{leads_here, loops};
use crate::{clock, wiring};

/// How long a name may take to be resolved, and a next host from the connection to the login: somebody is waiting.
const PATIENCE: Duration = Duration::from_secs(30);

/// Everybody is tried at the same time.
pub(super) async fn examine(
    config: &Config,
    backends: Vec<Backend>,
    routes: Option<Routes>,
    resolver: Option<Resolver>,
    report: &mut Report,
) {
    let hosts: Vec<&NextHost> = routes.iter().flat_map(Routes::hosts).collect();
    let sockets: Vec<&Path> = routes.iter().flat_map(Routes::sockets).collect();
    let (name, mail_hosts, back, hosts, sockets, backends) = tokio::join!(
        hostname(config),
        mail_hosts(config, resolver),
        join_all(next_hosts(config).map(|(key, host)| comes_back(config, key, host))),
        join_all(hosts.into_iter().map(|host| next_host(host, &config.hostname))),
        join_all(sockets.into_iter().map(|path| socket(path, &config.hostname))),
        join_all(backends.iter().map(|one| backend(one, &config.hostname))),
    );
    report.warn(name);
    report.warn(mail_hosts);
    report.warn(back.into_iter().flatten());
    for error in hosts.into_iter().chain(sockets).flatten().chain(backends.into_iter().flatten()) {
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

/// Whether the mail hosts of others can be found and reached, tried with those of the domain above our name: where mail for its people goes.
async fn mail_hosts(config: &Config, resolver: Option<Resolver>) -> Vec<Finding> {
    let is_used = config.delivery.ways().any(|(_, way)| way.via == Via::Mx);
    let Some(resolver) = resolver.filter(|_| is_used) else { return Vec::new() };
    let (unproven, unreached) = tokio::join!(unproven(&resolver), unreached(config, &resolver));
    unproven.into_iter().chain(unreached).collect()
}

async fn unproven(resolver: &Resolver) -> Option<Finding> {
    let text = "the name servers pass on no DNSSEC signatures, or no right ones: what the DNS says of mail hosts is taken unproven; let \
                [dns] servers name one that does, such as unbound on this machine";
    (!resolver.proves().await).then(|| Finding::of_key("dns-unproven", "dns.servers", text))
}

async fn unreached(config: &Config, resolver: &Resolver) -> Option<Finding> {
    let (_, above) = config.hostname.split_once('.')?;
    let domain = Domain::parse(above).ok()?;
    let rules = wiring::mail_hosts(&config.delivery.mx);
    let tried = timeout(PATIENCE, try_domain(&domain, resolver, &rules, &config.hostname)).await;
    match tried {
        Ok(Ok(())) => None,
        Ok(Err(TryError::Trouble(trouble))) => {
            let text = format!("the mail hosts of {domain} cannot be found: {trouble}");
            Some(Finding::of_key("dns-no-answer", "dns.servers", text))
        }
        Ok(Err(error @ TryError::MailHost { .. })) => Some(refusing(&domain, &error)),
        Ok(Err(error)) => Some(blocked(&domain, &error.to_string())),
        Err(_) => Some(blocked(&domain, &format!("no answer within {} seconds", PATIENCE.as_secs()))),
    }
}

fn refusing(domain: &Domain, error: &TryError) -> Finding {
    let text = format!(
        "the mail hosts of {domain} can be reached, and take no mail from here ({error}): if others do not either, see whether the address of \
         this machine is on a list of bad ones, and has a name in the DNS (PTR)"
    );
    Finding::of_key("delivery-mail-host", "delivery.via", text)
}

fn blocked(domain: &Domain, trouble: &str) -> Finding {
    let text = format!(
        "no mail host of {domain} can be reached ({trouble}): if it is so with every domain, the provider of this machine blocks port 25; ask \
         it to open that, or write via = \"smtp://host:port\" with a host that carries mail on"
    );
    Finding::of_key("delivery-port-25", "delivery.via", text)
}

fn next_hosts(config: &Config) -> impl Iterator<Item = (&'static str, &HostPort)> {
    config.delivery.ways().filter_map(|(keys, way)| match &way.via {
        Via::Smtp(host) | Via::Smtps(host) | Via::Lmtp(host) => Some((keys.via, host)),
        Via::Mx | Via::LmtpUnix(_) | Via::Maildir(_) | Via::Hold => None,
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
    unusable(&format!("{}:{}", host.host, host.port), try_host(host, hostname)).await
}

/// As a delivery would begin.
async fn socket(path: &Path, hostname: &str) -> Option<Finding> {
    unusable(&path.display().to_string(), try_socket(path, hostname)).await
}

async fn unusable(whom: &str, trial: impl Future<Output = Result<(), TryError>>) -> Option<Finding> {
    let tried = timeout(PATIENCE, trial).await;
    let tried = tried.with_context(|| format!("no answer within {} seconds", PATIENCE.as_secs()));
    let error = tried.and_then(|tried| tried.map_err(Into::into)).err()?;
    Some(Finding::of_key("smarthost", "delivery", format!("mail cannot be handed to {whom}: {error:#}")))
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
