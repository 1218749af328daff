//! Mechanisms that are offered and that nobody can log in with, and the reverse.

use config::{Backend, Config, Mechanism};

use super::those_that_hold;
use crate::finding::Finding;

pub(super) fn warnings(config: &Config) -> Vec<Finding> {
    let offered = |mechanism| config.auth.mechanisms.contains(&mechanism);
    let asked = |backend| config.auth.backends.contains(&backend);
    let for_tokens = offered(Mechanism::XOAuth2) || offered(Mechanism::OAuthBearer);
    let certificates = config.listen.iter().any(|listen| listen.client_certificates);
    those_that_hold([
        (
            for_tokens && !asked(Backend::OAuth) && !asked(Backend::Http),
            Finding::of_key(
                "mechanism-without-backend",
                "auth.mechanisms",
                "auth.mechanisms has OAUTHBEARER or XOAUTH2, but auth.backends neither \"oauth\" nor \"http\": every token is refused",
            ),
        ),
        (
            asked(Backend::OAuth) && !for_tokens,
            Finding::of_key(
                "backend-without-mechanism",
                "auth.backends",
                "auth.backends has \"oauth\", but auth.mechanisms neither OAUTHBEARER nor XOAUTH2: no client can show a token",
            ),
        ),
        (
            offered(Mechanism::External) && !certificates,
            Finding::of_key(
                "external-without-certificates",
                "auth.mechanisms",
                "auth.mechanisms has EXTERNAL, but no [[listen]] has client_certificates = true: it is never offered",
            ),
        ),
        (
            certificates && !offered(Mechanism::External),
            Finding::of_key(
                "certificates-without-external",
                "listen.client_certificates",
                "a [[listen]] has client_certificates = true, but auth.mechanisms no EXTERNAL: nobody logs in by certificate",
            ),
        ),
    ])
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::warnings::settings;

    #[test]
    fn a_mechanism_without_what_it_needs_is_told_and_so_is_the_reverse() {
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
            let found = warnings(&config);
            assert_eq!(found.len(), usize::from(!wrong.is_empty()), "{auth} {more} {found:?}");
            assert!(found.iter().all(|warning| warning.text.ends_with(wrong)), "{found:?}");
        }
    }
}
