//! What takes away a protection: of passwords, of mail on its way, of secrets in files.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use config::{Backend, Config, OAuthProof, OAuthProvider, Way};
use types::{HostTls, ListenTls, SenderCheck};

use super::those_that_hold;
use crate::finding::Finding;

pub(super) fn warnings(config: &Config) -> Vec<Finding> {
    let mut warnings: Vec<Finding> = of_settings(config);
    warnings.extend(config.delivery.ways().filter_map(|(keys, way)| of_way(keys.tls, way)));
    warnings.extend(of_files(config));
    warnings.extend(config.oauth.iter().filter_map(of_purpose));
    warnings
}

fn of_settings(config: &Config) -> Vec<Finding> {
    let clear = config.listen.iter().any(|listen| listen.tls == ListenTls::Off);
    those_that_hold([
        (
            config.auth.allow_insecure,
            Finding::of_key(
                "auth-insecure",
                "auth.allow_insecure",
                "auth.allow_insecure is true: passwords travel without TLS",
            ),
        ),
        (
            clear,
            Finding::of_key(
                "listen-without-tls",
                "listen.tls",
                "a listener has tls = \"off\": what clients send can be read on the way",
            ),
        ),
        (
            config.submission.sender_check == SenderCheck::Off,
            Finding::of_key(
                "sender-check-off",
                "submission.sender_check",
                "submission.sender_check is \"off\": users may send in anybody's name",
            ),
        ),
        (
            config.auth.http.is_some() && !config.auth.backends.contains(&Backend::Http),
            Finding::of_key(
                "backend-unused",
                "auth.http",
                "[auth.http] is there, but auth.backends has no \"http\": nobody is asked",
            ),
        ),
        (
            !config.oauth.is_empty() && !config.auth.backends.contains(&Backend::OAuth),
            Finding::of_key(
                "backend-unused",
                "oauth.provider",
                "[[oauth.provider]] is there, but auth.backends has no \"oauth\": no token is taken",
            ),
        ),
    ])
    .collect()
}

/// A route has the `tls` of `[delivery]` if it has none of its own.
fn of_way(key: &'static str, way: &Way) -> Option<Finding> {
    (way.tls != HostTls::Verify && way.via.is_host()).then(|| {
        let text = format!("{key} is not \"verify\": mail may be read on the way to the next host");
        Finding::of_key("delivery-unverified", key, text)
    })
}

fn of_files(config: &Config) -> impl Iterator<Item = Finding> {
    let tls = config.tls.as_ref().map(|tls| ("tls.private_key", "private key", &tls.private_key));
    let logins = config.delivery.ways().filter_map(|(keys, way)| {
        Some((keys.password_file, "password file", &way.login.as_ref()?.password_file))
    });
    let http =
        config.auth.http.as_ref().map(|http| ("auth.http.secret_file", "secret file", &http.secret_file));
    let providers = config.oauth.iter().filter_map(|provider| match &provider.proof {
        OAuthProof::Introspection { client_secret_file, .. } => {
            Some(("oauth.provider.client_secret_file", "secret file", client_secret_file))
        }
        OAuthProof::Signature { .. } => None,
    });
    let files = [tls, http].into_iter().flatten().chain(logins).chain(providers);
    files.filter_map(|(key, what, path)| exposed(key, what, path))
}

/// Only a provider that is asked may leave both out.
fn of_purpose(provider: &OAuthProvider) -> Option<Finding> {
    (provider.audience.is_empty() && provider.scope.is_empty()).then(|| {
        let text = format!(
            "provider {} has neither audience nor scope: tokens that were made for something else log in, too",
            provider.name
        );
        Finding::of_key("provider-any-purpose", "oauth.provider", text)
    })
}

fn exposed(key: &'static str, what: &str, path: &Path) -> Option<Finding> {
    let mode = std::fs::metadata(path).ok()?.permissions().mode() & 0o777;
    (mode & 0o007 != 0).then(|| {
        let text = format!("others may read the {what} {} (mode {mode:03o}): chmod 600 it", path.display());
        Finding::of_key("file-mode", key, text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::warnings::settings;

    const HOLD: &str = "[delivery]\nvia = \"hold\"\n";

    #[test]
    fn the_defaults_take_no_protection_away() {
        for delivery in [HOLD, "[delivery]\nvia = \"hold\"\ntls = \"off\"\n"] {
            assert_eq!(warnings(&settings(delivery)), []);
        }
    }

    #[test]
    fn each_thing_that_takes_protection_away_is_told() {
        for (extra, key) in [
            (format!("[auth]\nallow_insecure = true\n{HOLD}"), "auth.allow_insecure"),
            (format!("[submission]\nsender_check = \"off\"\n{HOLD}"), "submission.sender_check"),
            (format!("[auth.http]\nurl = \"https://a.test\"\nsecret_file = \"s\"\n{HOLD}"), "auth.http"),
            (
                format!(
                    "[[oauth.provider]]\nname = \"a\"\nissuer = \"https://a.test\"\naudience = \"m\"\n{HOLD}"
                ),
                "oauth.provider",
            ),
            (
                "[delivery]\nvia = \"smtp://relay.test:25\"\ntls = \"opportunistic\"\n".to_owned(),
                "delivery.tls",
            ),
            (format!("[[listen]]\naddress = \"[::1]:0\"\ntls = \"off\"\n{HOLD}"), "listen.tls"),
        ] {
            let found = warnings(&settings(&extra));
            let keys: Vec<_> = found.iter().filter_map(|warning| warning.key.as_deref()).collect();
            assert_eq!(keys, [key], "{found:?}");
        }
    }

    #[test]
    fn a_provider_whose_tokens_may_be_for_anything_is_told() {
        let provider = "[[oauth.provider]]\nname = \"a\"\nissuer = \"https://a.test\"\n\
                        introspection_endpoint = \"https://a.test/i\"\nclient_id = \"g\"\nclient_secret_file = \"s\"\n";
        for (key, told) in [("", true), ("audience = \"mail\"", false), ("scope = \"mail\"", false)] {
            let config = settings(&format!("{HOLD}{provider}{key}\n"));
            let warning = config.oauth.first().and_then(of_purpose);
            assert_eq!(warning.is_some(), told, "{key} {warning:?}");
        }
    }
}
