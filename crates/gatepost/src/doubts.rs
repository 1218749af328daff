//! What is doubtful about a set-up that works: `check` prints it, `serve` logs it.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use config::{Backend, Config, HostTls, ListenTls, OAuthProof, SenderCheck, Tls};
use jiff::{Timestamp, ToSpan as _};
use submission::tls::CertificateFacts;

/// Time enough to see to it before clients see it.
const EXPIRES_SOON_DAYS: i64 = 21;

/// Everything doubtful, a sentence each. `certificate` is that of `[tls]`.
pub(crate) fn about(config: &Config, certificate: Option<&CertificateFacts>, now: Timestamp) -> Vec<String> {
    let mut doubts = about_settings(config);
    if let (Some(tls), Some(facts)) = (&config.tls, certificate) {
        doubts.extend(about_end(tls, facts, now));
        doubts.extend(about_name(config, facts));
        doubts.extend(exposed("private key", &tls.private_key));
    }
    if let Some(login) = &config.delivery.login {
        doubts.extend(exposed("password file", &login.password_file));
    }
    if let Some(http) = &config.auth.http {
        doubts.extend(exposed("secret file", &http.secret_file));
    }
    for provider in &config.oauth {
        if let OAuthProof::Introspection { client_secret_file, .. } = &provider.proof {
            doubts.extend(exposed("secret file", client_secret_file));
        }
    }
    doubts
}

fn about_settings(config: &Config) -> Vec<String> {
    let clear = config.listen.iter().any(|listen| listen.tls == ListenTls::Off);
    let unverified = config.delivery.tls != HostTls::Verify
        && std::iter::once(&config.delivery.via)
            .chain(config.delivery.routes.iter().map(|route| &route.via))
            .any(config::Via::is_host);
    let doubts = [
        (config.auth.allow_insecure, "auth.allow_insecure is true: passwords travel without TLS"),
        (clear, "a listener has tls = \"off\": what clients send can be read on the way"),
        (
            config.submission.sender_check == SenderCheck::Off,
            "submission.sender_check is \"off\": users may send in anybody's name",
        ),
        (
            config.auth.http.is_some() && !config.auth.backends.contains(&Backend::Http),
            "[auth.http] is there, but auth.backends has no \"http\": nobody is asked",
        ),
        (
            !config.oauth.is_empty() && !config.auth.backends.contains(&Backend::OAuth),
            "[[oauth.provider]] is there, but auth.backends has no \"oauth\": no token is taken",
        ),
        (unverified, "delivery.tls is not \"verify\": mail may be read on the way to the next host"),
    ];
    doubts.into_iter().filter(|(doubtful, _)| *doubtful).map(|(_, doubt)| doubt.to_owned()).collect()
}

fn about_end(tls: &Tls, facts: &CertificateFacts, now: Timestamp) -> Option<String> {
    let end = Timestamp::try_from(facts.not_after).ok()?;
    let path = tls.certificate.display();
    if end <= now {
        return Some(format!("the certificate {path} expired at {end}: clients will refuse it"));
    }
    let soon = now.checked_add((EXPIRES_SOON_DAYS * 24).hours()).ok()?;
    (end <= soon).then(|| format!("the certificate {path} expires at {end}: renew it, then reload"))
}

fn about_name(config: &Config, facts: &CertificateFacts) -> Option<String> {
    let covered = facts.covers(&config.hostname);
    (!covered).then(|| {
        let names = facts.names.join(", ");
        format!("the certificate is not for the hostname {} but for: {names}", config.hostname)
    })
}

fn exposed(what: &str, path: &Path) -> Option<String> {
    let mode = std::fs::metadata(path).ok()?.permissions().mode() & 0o777;
    (mode & 0o007 != 0)
        .then(|| format!("others may read the {what} {} (mode {mode:03o}): chmod 600 it", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(extra: &str) -> Config {
        let text = format!(
            "hostname = \"mail.example.org\"\n[storage]\nurl = \"sqlite:s\"\nmaster_key_file = \"k\"\n\
             [tls]\ncertificate = \"c\"\nprivate_key = \"k\"\n{extra}"
        );
        Config::parse(&text, Path::new("/etc/gatepost/gatepost.toml")).unwrap()
    }

    #[test]
    fn the_defaults_leave_no_doubt() {
        assert_eq!(about_settings(&settings("[delivery]\nvia = \"hold\"\n")), Vec::<String>::new());
        assert_eq!(
            about_settings(&settings("[delivery]\nvia = \"hold\"\ntls = \"off\"\n")),
            Vec::<String>::new()
        );
    }

    #[test]
    fn each_thing_that_takes_protection_away_is_doubtful() {
        for (extra, key) in [
            ("[auth]\nallow_insecure = true\n[delivery]\nvia = \"hold\"\n", "auth.allow_insecure"),
            ("[submission]\nsender_check = \"off\"\n[delivery]\nvia = \"hold\"\n", "submission.sender_check"),
            (
                "[auth.http]\nurl = \"https://a.test\"\nsecret_file = \"s\"\n[delivery]\nvia = \"hold\"\n",
                "[auth.http]",
            ),
            (
                "[[oauth.provider]]\nname = \"a\"\nissuer = \"https://a.test\"\naudience = \"m\"\n\
                 [delivery]\nvia = \"hold\"\n",
                "[[oauth.provider]]",
            ),
            ("[delivery]\nvia = \"smtp://relay.test:25\"\ntls = \"opportunistic\"\n", "delivery.tls"),
            ("[[listen]]\naddress = \"[::1]:0\"\ntls = \"off\"\n[delivery]\nvia = \"hold\"\n", "a listener"),
        ] {
            let doubts = about_settings(&settings(extra));
            assert!(matches!(doubts.as_slice(), [doubt] if doubt.starts_with(key)), "{doubts:?}");
        }
    }
}
