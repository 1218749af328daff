//! What keeps accepted mail from leaving, although nothing is wrong with the set-up.

use std::net::{IpAddr, UdpSocket};

use config::{Config, HostPort, Via};

use crate::finding::Finding;

pub(super) fn warnings(config: &Config) -> Vec<Finding> {
    config.delivery.ways().filter_map(|(keys, way)| of_way(config, keys.via, &way.via)).collect()
}

fn of_way(config: &Config, key: &'static str, via: &Via) -> Option<Finding> {
    match via {
        Via::Hold => Some(Finding::of_key("delivery-hold", key, held(key))),
        Via::Smtp(host) | Via::Smtps(host) | Via::Lmtp(host) if is_here(config, host) => {
            Some(Finding::of_key("delivery-own-host", key, loops(key, host)))
        }
        Via::Mx | Via::Smtp(_) | Via::Smtps(_) | Via::Lmtp(_) | Via::LmtpUnix(_) | Via::Maildir(_) => None,
    }
}

fn held(key: &str) -> String {
    format!(
        "{key} is \"hold\": mail is accepted and stays in the queue until `gatepost queue release`; to have it \
         delivered, write \"mx\", \"smtp://host:port\", \"smtps://host:port\", \"lmtp://host:port\", \"lmtp+unix:/path\" or \"maildir:/path\""
    )
}

/// What is said of a next host that is this server.
pub(crate) fn loops(key: &str, host: &HostPort) -> String {
    let HostPort { host, port } = host;
    format!(
        "{key} leads to {host}:{port}, where this server listens itself: mail comes back instead of leaving; \
         write the host that carries it on"
    )
}

/// Whether mail for this host comes back, as far as that can be seen without asking the DNS.
fn is_here(config: &Config, to: &HostPort) -> bool {
    let named = to.host.eq_ignore_ascii_case(&config.hostname) && listens_on_port(config, to.port);
    match to.host.parse() {
        Ok(ip) => leads_here(config, ip, to.port),
        Err(_) if to.host.eq_ignore_ascii_case("localhost") => {
            leads_here(config, [127, 0, 0, 1].into(), to.port)
        }
        Err(_) => named,
    }
}

fn listens_on_port(config: &Config, port: u16) -> bool {
    config.listen.iter().any(|listen| listen.address.port() == port)
}

/// Whether one of our listeners takes connections to this address and port.
pub(crate) fn leads_here(config: &Config, ip: IpAddr, port: u16) -> bool {
    let ip = ip.to_canonical();
    config.listen.iter().filter(|listen| listen.address.port() == port).any(|listen| {
        let ours = listen.address.ip().to_canonical();
        ours == ip || ours.is_unspecified() && is_of_this_machine(ip)
    })
}

/// A system lets nobody bind an address that is not its own.
fn is_of_this_machine(ip: IpAddr) -> bool {
    ip.is_loopback() || UdpSocket::bind((ip, 0)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::warnings::settings;

    fn codes(delivery: &str) -> Vec<&'static str> {
        warnings(&settings(delivery)).iter().map(|warning| warning.code).collect()
    }

    #[test]
    fn mail_that_is_held_or_comes_back_is_warned_of() {
        let table: [(&str, &[&str]); 10] = [
            ("via = \"maildir:m\"", &[]),
            ("via = \"smtp://relay.example.net:587\"", &[]),
            ("via = \"hold\"", &["delivery-hold"]),
            (
                "via = \"maildir:m\"\n[[delivery.route]]\ndomains = [\"a.test\"]\nvia = \"hold\"",
                &["delivery-hold"],
            ),
            ("via = \"smtp://mail.example.org:587\"", &["delivery-own-host"]),
            ("via = \"smtps://MAIL.example.org:465\"", &["delivery-own-host"]),
            // Another server on the same machine.
            ("via = \"smtp://mail.example.org:25\"", &[]),
            ("via = \"smtp://127.0.0.1:587\"", &["delivery-own-host"]),
            ("via = \"smtp://localhost:465\"", &["delivery-own-host"]),
            ("via = \"smtp://192.0.2.1:587\"", &[]),
        ];
        for (delivery, expected) in table {
            assert_eq!(codes(&format!("[delivery]\n{delivery}\n")), expected, "{delivery}");
        }
    }

    #[test]
    fn a_listener_of_one_address_takes_connections_to_no_other() {
        let listen = "[[listen]]\naddress = \"127.0.0.2:587\"\ntls = \"starttls\"\n[delivery]\n";
        for (host, ours) in [("127.0.0.2", true), ("127.0.0.1", false)] {
            let config = settings(&format!("{listen}via = \"smtp://{host}:587\"\n"));
            assert_eq!(!warnings(&config).is_empty(), ours, "{host}");
        }
    }
}
