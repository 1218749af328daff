//! Where accepted mail goes, and when it is tried again.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use config::{Config, Delivery, HostPort, Login, Mx, Retry, WayKeys};
use delivery::{
    MxRules, NextHost, ReportPoster, Route, Routes, Schedule, Signing, StsPolicies, TlsTally, Via, Way,
    WebhookPoster,
};
use dns::{Families, Resolver};
use esmtp::dialogue::{Credentials, Protocol};
use store::MasterKeyId;
use tokio::sync::watch;

use super::files::{self, Trust};
use crate::clock;

pub(crate) fn carrying(
    config: &Config,
    resolver: Resolver,
    newest_key: watch::Receiver<MasterKeyId>,
    signing: Arc<Signing>,
    (sts, tls_tally): (Arc<StsPolicies>, Arc<TlsTally>),
) -> delivery::Settings {
    delivery::Settings {
        hostname: config.hostname.clone(),
        resolver,
        grace: config.limits.shutdown_grace,
        newest_key,
        signing,
        sts,
        tls_tally,
        now: clock::now,
    }
}

/// The ways of `[delivery]` and its routes.
///
/// # Errors
/// When a password for a next host, or a CA, cannot be read.
pub(crate) fn routes(delivery: &Delivery) -> anyhow::Result<Routes> {
    made(delivery, |keys, way| {
        let login = way.login.as_ref().map(|login| credentials(login, keys.password_file)).transpose()?;
        Ok((files::trust(way.tls_ca.as_deref(), keys.tls_ca)?, login))
    })
}

/// Who posts reports on TLS, if any are sent: where mail may be sent to, and to whom the authorities of `[delivery]` vouch for.
///
/// # Errors
/// When a CA cannot be read.
pub(crate) fn report_poster(
    config: &Config,
    resolver: &Resolver,
) -> anyhow::Result<Option<Arc<ReportPoster>>> {
    let (delivery, keys) = (&config.delivery, WayKeys::OF_DEFAULT);
    let trust = files::trust(delivery.way.tls_ca.as_deref(), keys.tls_ca)?;
    let rules = MxRules { trust, ..mail_hosts(&delivery.mx) };
    Ok(config.tls_rpt.send.then(|| Arc::new(ReportPoster::new(resolver, &rules))))
}

/// Who posts to webhooks. Their certificates are of the authorities that those of mail hosts may be of.
pub(crate) fn webhook_poster(config: &Config, resolver: &Resolver) -> anyhow::Result<WebhookPoster> {
    let (delivery, keys) = (&config.delivery, WayKeys::OF_DEFAULT);
    let trust = files::trust(delivery.way.tls_ca.as_deref(), keys.tls_ca)?;
    let networks = config.web.as_ref().map(|web| web.webhook_networks.clone()).unwrap_or_default();
    Ok(WebhookPoster::new(resolver, mail_hosts(&delivery.mx).families, networks, trust))
}

/// The ways of `[delivery]` without passwords and CAs: they say which way mail takes, and cannot carry it.
pub(crate) fn bare_routes(delivery: &Delivery) -> Routes {
    let Ok(routes) = made(delivery, |_, _| Ok::<_, Infallible>((Trust::new(), None)));
    routes
}

/// What it takes to go a way to a fixed host.
type Means = (Trust, Option<Credentials>);

fn made<E>(
    delivery: &Delivery,
    means: impl Fn(WayKeys, &config::Way) -> Result<Means, E>,
) -> Result<Routes, E> {
    let way = |keys, way: &config::Way| {
        let via = via(way, &delivery.mx, means(keys, way)?);
        let connections = usize::try_from(way.connections).unwrap_or(usize::MAX);
        Ok(Way { via, connections, schedule: schedule(way.retry, delivery.delay_notice) })
    };
    let route = |route: &config::Route| {
        let (domains, senders) = (route.domains.clone(), route.senders.clone());
        Ok(Route { domains, senders, way: way(WayKeys::OF_ROUTE, &route.way)? })
    };
    let routes = delivery.routes.iter().map(route).collect::<Result<_, E>>()?;
    Ok(Routes::new(way(WayKeys::OF_DEFAULT, &delivery.way)?, routes))
}

fn schedule(retry: Retry, tell_delay: Option<Duration>) -> Schedule {
    Schedule { first: retry.first, max: retry.max, give_up: retry.give_up, tell_delay }
}

fn via(way: &config::Way, mx: &Mx, means: Means) -> Via {
    let host = |to: &HostPort, protocol, implicit_tls, (tls_ca, credentials): Means| {
        let (host, port, tls) = (to.host.clone(), to.port, way.tls);
        Via::Relay(NextHost { host, port, protocol, implicit_tls, tls, tls_ca, credentials })
    };
    match &way.via {
        config::Via::Maildir(path) => Via::Maildir(path.clone()),
        config::Via::Smtp(to) => host(to, Protocol::Smtp, false, means),
        config::Via::Smtps(to) => host(to, Protocol::Smtp, true, means),
        config::Via::Lmtp(to) => host(to, Protocol::Lmtp, false, means),
        config::Via::LmtpUnix(path) => Via::LmtpSocket(path.clone()),
        config::Via::Mx => Via::Mx(MxRules { trust: means.0, ..mail_hosts(mx) }),
        config::Via::Hold => Via::Hold,
    }
}

/// Which mail hosts of other domains mail may be sent to.
pub(crate) fn mail_hosts(mx: &Mx) -> MxRules {
    let families = if mx.ipv6 { Families::Both } else { Families::V4 };
    let Mx { dane, allow_networks, mta_sts, .. } = mx.clone();
    MxRules { families, dane, allow_networks, mta_sts, trust: Trust::new() }
}

fn credentials(login: &Login, key: &'static str) -> anyhow::Result<Credentials> {
    let password = files::first_line(&login.password_file, key, "the password")?;
    Ok(Credentials::new(&login.username, password))
}
