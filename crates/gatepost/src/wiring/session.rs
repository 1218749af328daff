//! What sessions are promised, who may log in and how often, and where clients connect.

use config::{Config, Listen};
use jiff::SignedDuration;
use submission::{Limits, Listener};

pub(crate) fn settings(config: &Config) -> esmtp::Settings {
    let (auth, limits) = (&config.auth, &config.limits);
    let mut settings = esmtp::Settings::new(&config.hostname);
    settings.allow_insecure = auth.allow_insecure;
    settings.mechanisms.clone_from(&auth.mechanisms);
    settings.required_message.clone_from(&auth.required_message);
    settings.message_size = limits.message_size;
    settings.recipients = usize::try_from(limits.recipients).unwrap_or(usize::MAX);
    settings.messages_per_connection = limits.messages_per_connection;
    settings.bare_line_ends = config.submission.bare_line_ends;
    // Repair re-encodes them.
    settings.long_lines = config.submission.repair;
    settings.binary_mime = true;
    settings.dsn = true;
    settings.max_hold = Some(acceptance::MAX_HOLD);
    settings.min_deliver_by = Some(acceptance::MIN_DELIVER_BY);
    settings.max_priority = Some(types::Priority::URGENT);
    settings.require_tls = true;
    settings.max_unauthenticated_commands = auth.max_unauthenticated_commands;
    settings.max_failures = auth.max_failures;
    settings
}

/// What has been decided about logging in.
pub(crate) fn policy(config: &Config) -> auth::Policy {
    auth::Policy { scram: config.offers_scram(), ..rules(&config.auth) }
}

/// What `[auth]` says about logging in.
fn rules(auth: &config::Auth) -> auth::Policy {
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
    auth::Policy { default_domain: auth.default_domain.clone(), argon2: cost(auth.argon2), ..policy }
}

fn cost(argon2: config::Argon2) -> auth::Cost {
    auth::Cost { memory_kib: argon2.memory_kib, passes: argon2.passes, ..auth::Cost::default() }
}

/// What hashes account passwords for a command, as the configuration says: unlike a login it waits for its turn.
///
/// # Errors
/// When Argon2 does not know such a cost.
pub(crate) fn hasher(config: &Config) -> anyhow::Result<auth::Hasher> {
    hasher_for_logins(config).map(auth::Hasher::patient)
}

/// What hashes account passwords at logins, which are told to come back if it takes too long.
///
/// # Errors
/// When Argon2 does not know such a cost.
pub(crate) fn hasher_for_logins(config: &Config) -> anyhow::Result<auth::Hasher> {
    Ok(auth::Hasher::new(cost(config.auth.argon2))?)
}

pub(crate) fn limits(config: &Config) -> Limits {
    let number = |number| usize::try_from(number).unwrap_or(usize::MAX);
    let (given, mut limits) = (&config.limits, Limits::default());
    limits.connections = number(given.connections);
    limits.connections_per_network = number(given.connections_per_network);
    limits.command_timeout = given.command_timeout;
    // Nobody waits longer before AUTH than after it.
    limits.unauthenticated_timeout = limits.unauthenticated_timeout.min(given.command_timeout);
    limits.data_timeout = given.data_timeout;
    limits.message_time = given.message_time;
    limits.shutdown_grace = given.shutdown_grace;
    limits
}

pub(crate) fn listener(listen: &Listen) -> Listener {
    let listener = Listener::new(listen.address, listen.tls);
    let listener = match &listen.mechanisms {
        Some(own) => listener.mechanisms(own.clone()),
        None => listener,
    };
    listener
        .client_certificates(listen.client_certificates)
        .proxy_protocol(listen.proxy_protocol.iter().copied())
        .xclient(listen.xclient.iter().copied())
        .xclient_login(listen.xclient_login)
}
