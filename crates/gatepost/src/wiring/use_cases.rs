//! What use cases ask of the configuration.

use config::{Config, Listen, Web, WebClients};
use desk::{ClientDiscovery, ClientSettings, Settings, SubmissionPort};
use jiff::SignedDuration;
use types::{ListenTls, Mechanism};

use super::incoming::common_limits;
use super::routes::bare_routes;
use super::session::policy;

/// What the desk has to know.
pub(crate) fn desk_settings(config: &Config) -> Settings {
    let sessions = config.web.as_ref().map(|web| web.sessions).unwrap_or_default();
    let span = |time| SignedDuration::try_from(time).unwrap_or(SignedDuration::MAX);
    Settings {
        hostname: config.hostname.clone(),
        master_key_file: config.storage.master_key_file.clone(),
        policy: policy(config),
        app_passwords_per_account: config.auth.app_passwords_per_account,
        sending: common_limits(config.sending),
        cram_md5: config.offers(Mechanism::CramMd5),
        undo_max: config.submission.undo_max,
        session_idle: span(sessions.idle),
        session_max: span(sessions.max),
        // Without pages there may be tokens, too.
        token_max: span(config.web.as_ref().map_or(config::TOKEN_MAX, |web| web.token_max)),
        admin_needs_second_factor: config.web.as_ref().is_none_or(|web| web.admin_needs_second_factor),
        base_url: config.web.as_ref().map(|web| web.base_url.clone()),
        device_link: span(config.web.as_ref().map_or(config::DEVICE_LINK, |web| web.device_link)),
        audit_keep: span(config.audit.keep),
        clients: clients(config),
        routes: bare_routes(&config.delivery),
    }
}

/// What mail programs are set up with.
fn clients(config: &Config) -> ClientSettings {
    ClientSettings {
        host: config.hostname.clone(),
        implicit_tls: port(config, ListenTls::Implicit),
        starttls: port(config, ListenTls::StartTls),
        discovery: config.web.as_ref().and_then(discovery),
    }
}

/// The first port on which TLS begins so, if there is one beyond loopback of those; port 0 is another at each start, and nothing to publish.
fn port(config: &Config, tls: ListenTls) -> Option<SubmissionPort> {
    let is_one = |listen: &&Listen| listen.tls == tls && listen.address.port() != 0;
    let is_public = |listen: &&Listen| !listen.address.ip().to_canonical().is_loopback();
    let mut listeners = config.listen.iter().filter(is_one);
    let first = listeners.clone().find(is_public).or_else(|| listeners.next())?;
    Some(SubmissionPort { port: first.address.port(), mechanisms: config.mechanisms(first).to_vec() })
}

fn discovery(web: &Web) -> Option<ClientDiscovery> {
    let WebClients { domains, incoming } = web.clients.clone()?;
    Some(ClientDiscovery { domains, incoming, host: web.base_url.host().to_owned() })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn programs_are_told_of_ports_that_are_reached_from_elsewhere_and_that_stay() {
        let port = |listeners: &[&str]| {
            let listeners: String = listeners
                .iter()
                .map(|address| format!("[[listen]]\naddress = \"{address}\"\ntls = \"implicit\"\n"))
                .collect();
            let text = format!(
                "hostname = \"mail.example.org\"\n[storage]\nurl = \"sqlite:s\"\nmaster_key_file = \"k\"\n\
                 [tls]\ncertificate = \"c\"\nprivate_key = \"k\"\n{listeners}"
            );
            let config = Config::parse(&text, Path::new("/etc/gatepost/gatepost.toml")).unwrap();
            clients(&config).implicit_tls.map(|found| found.port)
        };
        assert_eq!(port(&["127.0.0.1:2465", "[::]:465"]), Some(465));
        assert_eq!(port(&["[::1]:2465"]), Some(2465), "behind a proxy, or for a try");
        assert_eq!(port(&["127.0.0.1:0"]), None);
    }
}
