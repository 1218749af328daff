//! From what the configuration means to what each part of the server wants to be told.

use std::path::Path;

use anyhow::Context as _;
use auth::Backend;
use auth::http::{HttpHandler, HttpSettings};
use config::{Config, Delivery, DomainPattern, HostPort, Listen, ListenTls, Login, TlsVersion};
use delivery::{Domains, HostTls, NextHost, Route, Routes, Schedule, Via};
use esmtp::dialogue::Credentials;
use jiff::SignedDuration;
use rustls::pki_types::CertificateDer;
use submission::tls::MinVersion;
use submission::{Limits, Listener, TlsMode, pem};
use types::{ForwardPath, Secret};

use crate::{clock, providers};

pub(crate) fn settings(config: &Config) -> esmtp::Settings {
    let auth = &config.auth;
    esmtp::Settings {
        hostname: config.hostname.clone(),
        starttls: false,
        hide_starttls: false,
        allow_insecure: auth.allow_insecure,
        mechanisms: auth.mechanisms.iter().copied().map(mechanism).collect(),
        required_message: auth.required_message.clone(),
        message_size: config.limits.message_size,
        recipients: usize::try_from(config.limits.recipients).unwrap_or(usize::MAX),
        messages_per_connection: config.limits.messages_per_connection,
        bare_line_ends: config.submission.bare_line_ends,
        // Repair re-encodes them.
        long_lines: config.submission.repair,
        max_unauthenticated_commands: auth.max_unauthenticated_commands,
        max_failures: auth.max_failures,
    }
}

fn mechanism(mechanism: config::Mechanism) -> sasl::Mechanism {
    match mechanism {
        config::Mechanism::ScramSha256Plus => sasl::Mechanism::ScramSha256Plus,
        config::Mechanism::ScramSha256 => sasl::Mechanism::ScramSha256,
        config::Mechanism::OAuthBearer => sasl::Mechanism::OAuthBearer,
        config::Mechanism::XOAuth2 => sasl::Mechanism::XOAuth2,
        config::Mechanism::External => sasl::Mechanism::External,
        config::Mechanism::CramMd5 => sasl::Mechanism::CramMd5,
        config::Mechanism::Plain => sasl::Mechanism::Plain,
        config::Mechanism::Login => sasl::Mechanism::Login,
    }
}

pub(crate) fn policy(auth: &config::Auth) -> auth::Policy {
    let throttle = auth.throttle;
    let allow = |one: config::Allowance| {
        (one.failures, SignedDuration::try_from(one.window).unwrap_or(SignedDuration::MAX))
    };
    let policy = auth::Policy::new(
        auth.hint_app_password,
        allow(throttle.password),
        allow(throttle.totp),
        allow(throttle.network),
    );
    auth::Policy { scram: auth.offers_scram(), ..policy }
}

/// Who is asked about logins.
///
/// # Errors
/// When what one of them needs cannot be read.
pub(crate) fn row(config: &Config) -> anyhow::Result<Vec<Backend>> {
    let backend = |backend: &config::Backend| match backend {
        config::Backend::Accounts => Ok(Backend::Accounts),
        config::Backend::OAuth => providers::meant(&config.oauth).map(Backend::OAuth),
        config::Backend::Http => {
            let settings = config.auth.http.as_ref().context("auth.http is missing")?;
            http(settings).map(Backend::Http)
        }
    };
    config.auth.backends.iter().map(backend).collect()
}

/// The program that judges logins.
///
/// # Errors
/// When its secret, or the CA, cannot be read or is of no use.
fn http(http: &config::Http) -> anyhow::Result<HttpHandler> {
    let settings = HttpSettings {
        endpoint: http.url.clone(),
        secret: first_line(&http.secret_file, "auth.http.secret_file", "the secret")?,
        timeout: http.timeout,
        concurrency: usize::try_from(http.concurrency).unwrap_or(usize::MAX),
        authorities: trust(http.tls_ca.as_deref(), "auth.http.tls_ca")?,
    };
    HttpHandler::new(settings).context("auth.http")
}

pub(crate) fn limits(config: &Config) -> Limits {
    let limits = &config.limits;
    let number = |number| usize::try_from(number).unwrap_or(usize::MAX);
    let default = Limits::default();
    Limits {
        connections: number(limits.connections),
        connections_per_network: number(limits.connections_per_network),
        command_timeout: limits.command_timeout,
        // Nobody waits longer before AUTH than after it.
        unauthenticated_timeout: default.unauthenticated_timeout.min(limits.command_timeout),
        data_timeout: limits.data_timeout,
        shutdown_grace: limits.shutdown_grace,
        ..default
    }
}

pub(crate) fn listener(listen: &Listen) -> Listener {
    Listener::new(listen.address, tls_mode(listen.tls))
        .client_certificates(listen.client_certificates)
        .proxy_protocol(listen.proxy_protocol.iter().copied())
        .xclient(listen.xclient.iter().copied())
        .xclient_login(listen.xclient_login)
}

fn tls_mode(tls: ListenTls) -> TlsMode {
    match tls {
        ListenTls::StartTls => TlsMode::StartTls,
        ListenTls::Implicit => TlsMode::Implicit,
        ListenTls::Off => TlsMode::Off,
    }
}

pub(crate) fn min_version(version: TlsVersion) -> MinVersion {
    match version {
        TlsVersion::V1_2 => MinVersion::Tls12,
        TlsVersion::V1_3 => MinVersion::Tls13,
    }
}

pub(crate) fn carrying(config: &Config) -> delivery::Settings {
    let retry = config.delivery.retry;
    delivery::Settings {
        owner: config.hostname.as_str().into(),
        hostname: config.hostname.clone(),
        schedule: Schedule { first: retry.first, max: retry.max, give_up: retry.give_up },
        grace: config.limits.shutdown_grace,
        now: clock::now,
    }
}

/// CAs that are trusted besides the system's.
pub(crate) type Trust = Vec<CertificateDer<'static>>;

/// The ways of `[delivery]`. Its login is for the host of `via` alone: another host has no business with it.
///
/// # Errors
/// When the password for the next host, or the CA, cannot be read.
pub(crate) fn routes(delivery: &Delivery) -> anyhow::Result<Routes> {
    let login = delivery.login.as_ref().map(login).transpose()?;
    let trust = trust(delivery.tls_ca.as_deref(), "delivery.tls_ca")?;
    Ok(ways(delivery, &trust, login))
}

/// Whether mail for this recipient, whose address is without angle brackets, takes a route that holds it.
pub(crate) fn holds(delivery: &Delivery, address: &str) -> bool {
    let path = format!("<{address}>");
    ForwardPath::take(&path).is_ok_and(|(path, _)| ways(delivery, &Trust::new(), None).holds(&path))
}

fn ways(delivery: &Delivery, trust: &Trust, login: Option<Credentials>) -> Routes {
    let routes = delivery.routes.iter().map(|route| Route {
        domains: route.domains.iter().map(domains).collect(),
        via: via(&route.via, delivery, trust, None),
    });
    Routes::new(via(&delivery.via, delivery, trust, login), routes.collect())
}

/// Those in the file that `key` names.
pub(crate) fn trust(file: Option<&Path>, key: &'static str) -> anyhow::Result<Trust> {
    file.map_or_else(|| Ok(Trust::new()), |path| pem::certificates(path).context(key))
}

pub(crate) fn domains(pattern: &DomainPattern) -> Domains {
    match pattern {
        DomainPattern::Exactly(domain) => Domains::Exactly(domain.clone()),
        DomainPattern::Below(domain) => Domains::Below(domain.clone()),
    }
}

fn via(via: &config::Via, delivery: &Delivery, trust: &Trust, login: Option<Credentials>) -> Via {
    let host = |host: &HostPort, implicit_tls| {
        Via::Relay(NextHost {
            host: host.host.clone(),
            port: host.port,
            implicit_tls,
            tls: host_tls(delivery.tls),
            tls_ca: trust.clone(),
            credentials: login.clone(),
        })
    };
    match via {
        config::Via::Maildir(path) => Via::Maildir(path.clone()),
        config::Via::Smtp(to) => host(to, false),
        config::Via::Smtps(to) => host(to, true),
        config::Via::Hold => Via::Hold,
    }
}

fn host_tls(tls: config::HostTls) -> HostTls {
    match tls {
        config::HostTls::Verify => HostTls::Verify,
        config::HostTls::Opportunistic => HostTls::Opportunistic,
        config::HostTls::Off => HostTls::Off,
    }
}

fn login(login: &Login) -> anyhow::Result<Credentials> {
    let password = first_line(&login.password_file, "delivery.password_file", "the password")?;
    Ok(Credentials { username: login.username.clone(), password })
}

/// The first line of a file that holds `what`, and is named by `key`.
pub(crate) fn first_line(file: &Path, key: &str, what: &str) -> anyhow::Result<Secret> {
    let mut text =
        std::fs::read_to_string(file).with_context(|| format!("{key}: cannot read {}", file.display()))?;
    text.truncate(text.find(['\r', '\n']).unwrap_or(text.len()));
    if text.is_empty() {
        anyhow::bail!("{key}: the first line of {} is empty; write {what} there", file.display());
    }
    Ok(Secret::new(text))
}
