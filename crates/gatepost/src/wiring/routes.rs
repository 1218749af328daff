//! Where accepted mail goes, and when it is tried again.

use std::sync::Arc;

use config::{Config, Delivery, HostPort, Login, Mx};
use delivery::{MxRules, NextHost, Route, Routes, Schedule, Signing, Via, Way};
use dns::{Families, Resolver};
use esmtp::dialogue::Credentials;
use store::MasterKeyId;
use tokio::sync::watch;

use super::files::{self, Trust};
use crate::clock;

pub(crate) fn carrying(
    config: &Config,
    resolver: Resolver,
    newest_key: watch::Receiver<MasterKeyId>,
    signing: Arc<Signing>,
) -> delivery::Settings {
    delivery::Settings {
        hostname: config.hostname.clone(),
        resolver,
        grace: config.limits.shutdown_grace,
        newest_key,
        signing,
        now: clock::now,
    }
}

/// The ways of `[delivery]`. Its login is for the host of `via` alone: another host has no business with it.
///
/// # Errors
/// When the password for the next host, or the CA, cannot be read.
pub(crate) fn routes(delivery: &Delivery) -> anyhow::Result<Routes> {
    let login = delivery.login.as_ref().map(login).transpose()?;
    let trust = files::trust(delivery.tls_ca.as_deref(), "delivery.tls_ca")?;
    Ok(ways(delivery, &trust, login))
}

/// The same, but for what it takes to go them: which way mail takes is asked of these, and none of it is carried.
pub(crate) fn bare_routes(delivery: &Delivery) -> Routes {
    ways(delivery, &Trust::new(), None)
}

fn ways(delivery: &Delivery, trust: &Trust, login: Option<Credentials>) -> Routes {
    let way = |via: &config::Via, login| Way {
        schedule: schedule(delivery),
        ..self::via(via, delivery, trust, login).into()
    };
    let routes = delivery.routes.iter().map(|route| Route {
        domains: route.domains.clone(),
        senders: Vec::new(),
        way: way(&route.via, None),
    });
    let routes = routes.collect();
    Routes::new(way(&delivery.via, login), routes)
}

fn schedule(delivery: &Delivery) -> Schedule {
    let retry = delivery.retry;
    Schedule { first: retry.first, max: retry.max, give_up: retry.give_up, tell_delay: delivery.delay_notice }
}

fn via(via: &config::Via, delivery: &Delivery, trust: &Trust, login: Option<Credentials>) -> Via {
    let host = |host: &HostPort, implicit_tls| {
        Via::Relay(NextHost {
            host: host.host.clone(),
            port: host.port,
            implicit_tls,
            tls: delivery.tls,
            tls_ca: trust.clone(),
            credentials: login.clone(),
        })
    };
    match via {
        config::Via::Maildir(path) => Via::Maildir(path.clone()),
        config::Via::Smtp(to) => host(to, false),
        config::Via::Smtps(to) => host(to, true),
        config::Via::Mx => Via::Mx(mail_hosts(&delivery.mx)),
        config::Via::Hold => Via::Hold,
    }
}

/// Which mail hosts of other domains mail may be sent to.
pub(crate) fn mail_hosts(mx: &Mx) -> MxRules {
    let families = if mx.ipv6 { Families::Both } else { Families::V4 };
    MxRules { families, allow_networks: mx.allow_networks.clone() }
}

fn login(login: &Login) -> anyhow::Result<Credentials> {
    let password = files::first_line(&login.password_file, "delivery.password_file", "the password")?;
    Ok(Credentials::new(&login.username, password))
}
