//! What use cases ask of the configuration.

use config::Config;
use desk::Settings;
use jiff::SignedDuration;
use types::ListenTls;

use super::incoming::common_limits;
use super::routes::bare_routes;
use super::session::policy;

/// How long a browser session lasts without use.
pub(crate) const SESSION_IDLE: SignedDuration = SignedDuration::from_mins(30);

/// How long a browser session lasts in all.
const SESSION_MAX: SignedDuration = SignedDuration::from_hours(12);

/// What the desk has to know.
pub(crate) fn desk_settings(config: &Config) -> Settings {
    Settings {
        hostname: config.hostname.clone(),
        master_key_file: config.storage.master_key_file.clone(),
        policy: policy(config),
        app_passwords_per_account: config.auth.app_passwords_per_account,
        sending: common_limits(config.sending),
        undo_max: config.submission.undo_max,
        session_idle: SESSION_IDLE,
        session_max: SESSION_MAX,
        token_max: token_max(config),
        admin_needs_second_factor: config.web.as_ref().is_none_or(|web| web.admin_needs_second_factor),
        base_url: config.web.as_ref().map(|web| web.base_url.clone()),
        device_link: SignedDuration::try_from(
            config.web.as_ref().map_or(config::DEVICE_LINK, |web| web.device_link),
        )
        .unwrap_or(SignedDuration::MAX),
        audit_keep: SignedDuration::try_from(config.audit.keep).unwrap_or(SignedDuration::MAX),
        implicit_tls_port: port(config, ListenTls::Implicit),
        starttls_port: port(config, ListenTls::StartTls),
        routes: bare_routes(&config.delivery),
    }
}

/// How long an API token may last. Without pages there may be tokens, too.
fn token_max(config: &Config) -> SignedDuration {
    let most = config.web.as_ref().map_or(config::TOKEN_MAX, |web| web.token_max);
    SignedDuration::try_from(most).unwrap_or(SignedDuration::MAX)
}

/// The first port on which TLS begins so; port 0 is another at each start, and nothing to publish.
fn port(config: &Config, tls: ListenTls) -> Option<u16> {
    let ports = config.listen.iter().filter(|listen| listen.tls == tls).map(|listen| listen.address.port());
    ports.into_iter().find(|port| *port != 0)
}
