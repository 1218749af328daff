//! Mechanisms that are offered and that nobody can log in with, and the reverse.

use config::{Backend, Config, Listen};
use types::Mechanism;

use super::those_that_hold;
use crate::finding::Finding;

pub(super) fn warnings(config: &Config) -> Vec<Finding> {
    let offered = |mechanism| config.offers(mechanism);
    let asked = |backend| config.auth.backends.contains(&backend);
    let for_tokens = offered(Mechanism::XOAuth2) || offered(Mechanism::OAuthBearer);
    let external = |listen: &&Listen| config.mechanisms(listen).contains(&Mechanism::External);
    let asking: Vec<&Listen> = config.listen.iter().filter(|listen| listen.client_certificates).collect();
    let (by_certificate, in_vain) = (asking.iter().any(external), !asking.iter().all(external));
    let warnings = those_that_hold([
        (
            for_tokens && !asked(Backend::OAuth) && !asked(Backend::Http),
            Finding::of_key(
                "mechanism-without-backend",
                "auth.mechanisms",
                "OAUTHBEARER or XOAUTH2 is among the mechanisms, but auth.backends has neither \"oauth\" nor \"http\": every token is refused",
            ),
        ),
        (
            asked(Backend::OAuth) && !for_tokens,
            Finding::of_key(
                "backend-without-mechanism",
                "auth.backends",
                "auth.backends has \"oauth\", but neither OAUTHBEARER nor XOAUTH2 is among the mechanisms: no client can show a token",
            ),
        ),
        (
            offered(Mechanism::External) && !by_certificate,
            Finding::of_key(
                "external-without-certificates",
                "auth.mechanisms",
                "EXTERNAL is among the mechanisms, but no [[listen]] that has it has client_certificates = true: it is never offered",
            ),
        ),
        (
            in_vain,
            Finding::of_key(
                "certificates-without-external",
                "listen.client_certificates",
                "a [[listen]] has client_certificates = true, but no EXTERNAL among its mechanisms: nobody logs in there by certificate",
            ),
        ),
    ]);
    warnings.chain(preferred(config)).collect()
}

/// CRAM-MD5 beside mechanisms that every app password is good for.
fn preferred(config: &Config) -> Option<Finding> {
    let mixed = |listen: &&Listen| {
        let offered = config.mechanisms(listen);
        offered.contains(&Mechanism::CramMd5) && offered.iter().any(|other| takes_any_app_password(*other))
    };
    let mixed: Vec<String> =
        config.listen.iter().filter(mixed).map(|listen| listen.address.to_string()).collect();
    let text = format!(
        "CRAM-MD5 is offered beside other mechanisms on {}: many programs (curl, PHPMailer, Perl, mutt) take it first, and are then \
         refused, since only app passwords made with --cram-md5 can answer it; give the device that needs it a [[listen]] of its own, \
         with mechanisms = [\"CRAM-MD5\"]",
        mixed.join(" and ")
    );
    (!mixed.is_empty()).then(|| Finding::of_key("cram-md5-beside-others", "auth.mechanisms", text))
}

fn takes_any_app_password(mechanism: Mechanism) -> bool {
    match mechanism {
        Mechanism::Plain | Mechanism::Login | Mechanism::ScramSha256 | Mechanism::ScramSha256Plus => true,
        Mechanism::CramMd5 | Mechanism::OAuthBearer | Mechanism::XOAuth2 | Mechanism::External => false,
    }
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
            ("", listen, "nobody logs in there by certificate"),
        ] {
            let config = settings(&format!("[delivery]\nvia = \"hold\"\n[auth]\n{auth}\n{more}"));
            let found = warnings(&config);
            assert_eq!(found.len(), usize::from(!wrong.is_empty()), "{auth} {more} {found:?}");
            assert!(found.iter().all(|warning| warning.text.ends_with(wrong)), "{found:?}");
        }
    }

    #[test]
    fn a_mechanism_that_programs_prefer_and_most_app_passwords_cannot_answer_is_told() {
        let of_its_own =
            "[[listen]]\naddress = \"[::1]:1587\"\ntls = \"starttls\"\nmechanisms = [\"CRAM-MD5\"]\n";
        let common = "[[listen]]\naddress = \"[::1]:587\"\ntls = \"starttls\"\n";
        for (auth, listen, told) in [
            ("", "", None),
            ("mechanisms = [\"CRAM-MD5\", \"PLAIN\"]", "", Some("on [::]:587 and [::]:465:")),
            ("mechanisms = [\"PLAIN\", \"CRAM-MD5\"]", of_its_own, None),
            ("mechanisms = [\"PLAIN\", \"CRAM-MD5\"]", common, Some("on [::1]:587:")),
            ("mechanisms = [\"CRAM-MD5\"]", "", None),
            ("", of_its_own, None),
        ] {
            let config = settings(&format!("[delivery]\nvia = \"hold\"\n[auth]\n{auth}\n{listen}"));
            let found = preferred(&config);
            assert_eq!(found.is_some(), told.is_some(), "{auth} {listen} {found:?}");
            assert!(found.is_none_or(|found| found.text.contains(told.unwrap_or_default())));
        }
    }
}
