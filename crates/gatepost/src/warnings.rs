//! What is doubtful about a set-up that works: `check` prints it, `serve` logs it.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use config::{Backend, Config, HostTls, ListenTls, Mechanism, OAuthProof, OAuthProvider, SenderCheck, Tls};
use jiff::{Timestamp, ToSpan as _};
use submission::tls::CertificateFacts;

/// Time enough to see to it before clients see it.
const EXPIRES_SOON_DAYS: i64 = 21;

/// Everything doubtful, a sentence each. `certificate` is that of `[tls]`.
pub(crate) fn about(config: &Config, certificate: Option<&CertificateFacts>, now: Timestamp) -> Vec<String> {
    let mut doubts = about_settings(config);
    doubts.extend(about_mechanisms(config));
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
        doubts.extend(about_purpose(provider));
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

/// Mechanisms that are offered and lead nowhere, or lead somewhere and are not offered.
fn about_mechanisms(config: &Config) -> Vec<String> {
    let offered = |mechanism| config.auth.mechanisms.contains(&mechanism);
    let asked = |backend| config.auth.backends.contains(&backend);
    let for_tokens = offered(Mechanism::XOAuth2) || offered(Mechanism::OAuthBearer);
    let certificates = config.listen.iter().any(|listen| listen.client_certificates);
    let doubts = [
        (
            for_tokens && !asked(Backend::OAuth) && !asked(Backend::Http),
            "auth.mechanisms has OAUTHBEARER or XOAUTH2, but auth.backends neither \"oauth\" nor \"http\": every token is refused",
        ),
        (
            asked(Backend::OAuth) && !for_tokens,
            "auth.backends has \"oauth\", but auth.mechanisms neither OAUTHBEARER nor XOAUTH2: no client can show a token",
        ),
        (
            offered(Mechanism::External) && !certificates,
            "auth.mechanisms has EXTERNAL, but no [[listen]] has client_certificates = true: it is never offered",
        ),
        (
            certificates && !offered(Mechanism::External),
            "a [[listen]] has client_certificates = true, but auth.mechanisms no EXTERNAL: nobody logs in by certificate",
        ),
    ];
    doubts.into_iter().filter(|(doubtful, _)| *doubtful).map(|(_, doubt)| doubt.to_owned()).collect()
}

/// Only a provider that is asked may leave both out.
fn about_purpose(provider: &OAuthProvider) -> Option<String> {
    (provider.audience.is_empty() && provider.scope.is_empty()).then(|| {
        format!(
            "provider {} has neither audience nor scope: tokens that were made for something else log in, too",
            provider.name
        )
    })
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

    #[test]
    fn a_provider_whose_tokens_may_be_for_anything_is_doubtful() {
        let provider = "[delivery]\nvia = \"hold\"\n[[oauth.provider]]\nname = \"a\"\nissuer = \"https://a.test\"\n\
                        introspection_endpoint = \"https://a.test/i\"\nclient_id = \"g\"\nclient_secret_file = \"s\"\n";
        for (key, doubtful) in [("", true), ("audience = \"mail\"", false), ("scope = \"mail\"", false)] {
            let config = settings(&format!("{provider}{key}\n"));
            let doubt = config.oauth.first().and_then(about_purpose);
            assert_eq!(doubt.is_some(), doubtful, "{key} {doubt:?}");
        }
    }

    #[test]
    fn a_mechanism_without_what_it_needs_is_doubtful_and_so_is_the_reverse() {
        let provider = "[[oauth.provider]]\nname = \"a\"\nissuer = \"https://a.test\"\naudience = \"m\"\n";
        let listen = "[[listen]]\naddress = \"[::1]:0\"\ntls = \"implicit\"\nclient_certificates = true\n";
        for (auth, more, wrong) in [
            ("mechanisms = [\"XOAUTH2\"]", "", "every token is refused"),
            ("mechanisms = [\"XOAUTH2\"]\nbackends = [\"oauth\"]", provider, ""),
            ("backends = [\"accounts\", \"oauth\"]", provider, "no client can show a token"),
            ("mechanisms = [\"EXTERNAL\"]", "", "it is never offered"),
            ("mechanisms = [\"EXTERNAL\"]", listen, ""),
            ("", listen, "nobody logs in by certificate"),
        ] {
            let config = settings(&format!("[delivery]\nvia = \"hold\"\n[auth]\n{auth}\n{more}"));
            let doubts = about_mechanisms(&config);
            assert_eq!(doubts.len(), usize::from(!wrong.is_empty()), "{auth} {more} {doubts:?}");
            assert!(doubts.iter().all(|doubt| doubt.ends_with(wrong)), "{doubts:?}");
        }
    }
}
