//! What the configuration means, for administrators to look at: the keys that decide most, written one by one, so that no secret comes along.

use std::time::Duration;

use config::{Config, Via, Way};

/// The keys, each with what it means.
pub(crate) fn as_meant(config: &Config) -> Vec<(String, String)> {
    let Config { hostname, storage, tls, limits, submission, delivery, dkim, audit, ledger, log, .. } =
        config;
    let mut meant = vec![
        ("hostname", hostname.clone()),
        ("storage.url", format!("sqlite:{}", storage.directory.display())),
        ("storage.master_key_file", storage.master_key_file.display().to_string()),
    ];
    meant.extend(tls.iter().flat_map(|tls| {
        [
            ("tls.certificate", tls.certificate.display().to_string()),
            ("tls.min_version", tls.min_version.name().to_owned()),
        ]
    }));
    meant.extend(config.listen.iter().map(|listen| {
        let mechanisms: Vec<_> = config.mechanisms(listen).iter().map(|one| one.name()).collect();
        ("listen", format!("{}/{}: {}", listen.address, listen.tls.name(), mechanisms.join(" ")))
    }));
    meant.extend([
        ("limits.message_size", limits.message_size.to_string()),
        ("limits.connections", limits.connections.to_string()),
        ("limits.connections_per_network", limits.connections_per_network.to_string()),
        ("submission.sender_check", submission.sender_check.name().to_owned()),
        ("submission.undo", time(submission.undo)),
        ("submission.deduplicate", submission.deduplicate.map_or("no".to_owned(), time)),
        ("delivery.via", way(&delivery.way)),
    ]);
    meant.extend(delivery.routes.iter().map(|route| ("delivery.route", way(&route.way))));
    meant.extend([
        ("dkim.sign", yes_no(dkim.sign)),
        ("audit.keep", time(audit.keep)),
        ("ledger.keep", time(ledger.keep)),
        ("log.level", log.level.name().to_owned()),
    ]);
    let stamp = config.health.backup_stamp.as_ref();
    meant.extend(stamp.map(|stamp| ("health.backup_stamp", stamp.display().to_string())));
    meant.extend(config.web.iter().flat_map(|web| {
        let listen = web.listen.iter().map(|listen| {
            let serve: Vec<_> = listen.serve.iter().map(|part| part.name()).collect();
            ("web.listen", format!("{}: {}", listen.address, serve.join(" ")))
        });
        std::iter::once(("web.base_url", web.base_url.to_string())).chain(listen)
    }));
    meant.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// Where mail goes; whose login it takes there is not said.
fn way(way: &Way) -> String {
    match &way.via {
        Via::Maildir(path) => format!("maildir:{}", path.display()),
        Via::Mx => "mx".to_owned(),
        Via::Smtp(host) => format!("smtp://{}:{}, tls {}", host.host, host.port, way.tls.name()),
        Via::Smtps(host) => format!("smtps://{}:{}, tls {}", host.host, host.port, way.tls.name()),
        Via::Lmtp(host) => format!("lmtp://{}:{}, tls {}", host.host, host.port, way.tls.name()),
        Via::LmtpUnix(path) => format!("lmtp+unix:{}", path.display()),
        Via::Hold => "hold".to_owned(),
    }
}

fn time(time: Duration) -> String {
    match time.as_secs() {
        0 => "0s".to_owned(),
        seconds if seconds.is_multiple_of(86_400) => format!("{}d", seconds / 86_400),
        seconds if seconds.is_multiple_of(3_600) => format!("{}h", seconds / 3_600),
        seconds if seconds.is_multiple_of(60) => format!("{}m", seconds / 60),
        seconds => format!("{seconds}s"),
    }
}

fn yes_no(value: bool) -> String {
    if value { "yes" } else { "no" }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_meant_is_said_without_logins() {
        let text = "hostname = \"mail.example.org\"\n[storage]\nurl = \"sqlite:s\"\nmaster_key_file = \"k\"\n\
            [tls]\ncertificate = \"c\"\nprivate_key = \"private\"\n[delivery]\nvia = \"smtps://relay.example.net:465\"\n\
            username = \"whoever\"\npassword_file = \"hidden\"\n";
        let config = Config::parse(text, std::path::Path::new("/etc/gatepost/gatepost.toml")).unwrap();
        let meant = as_meant(&config);
        let value = |key: &str| meant.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str());
        assert_eq!(value("delivery.via"), Some("smtps://relay.example.net:465, tls verify"));
        assert_eq!(value("ledger.keep"), Some("30d"));
        assert_eq!(value("listen"), Some("[::]:587/starttls: PLAIN LOGIN"));
        let all = format!("{meant:?}");
        assert!(!["whoever", "hidden", "private"].iter().any(|word| all.contains(word)), "{all}");
    }
}
