//! Pages that browsers will not open, or that are not as protected as they look.

use config::{Config, Web};
use submission::tls::CertificateFacts;
use types::WebPart;

use crate::finding::Finding;

/// `certificate` is that of `[tls]`.
pub(super) fn warnings(
    config: &Config,
    certificate: Option<&CertificateFacts>,
) -> impl Iterator<Item = Finding> {
    let web = config.web.iter();
    web.flat_map(move |web| {
        of_certificate(web, certificate)
            .into_iter()
            .chain(of_proxies(web))
            .chain(of_admin(web))
            .chain(of_clients(web, certificate))
            .chain(of_no_listener(web))
    })
}

fn of_certificate(web: &Web, certificate: Option<&CertificateFacts>) -> Option<Finding> {
    let (facts, host) = (certificate?, web.base_url.host());
    let is_shown = web.listen.iter().any(|listen| listen.tls);
    (is_shown && !facts.covers(host)).then(|| {
        let names = facts.names.join(", ");
        let text =
            format!("the certificate is not for {host}, where web.base_url has the pages, but for: {names}");
        Finding::of_key("web-certificate-name", "web.base_url", text)
    })
}

fn of_proxies(web: &Web) -> Option<Finding> {
    let listen =
        web.listen.iter().find(|listen| !listen.tls && !listen.address.ip().to_canonical().is_loopback())?;
    let text = format!(
        "pages are served on {} without TLS: passwords can be read on the way from trusted_proxies to here",
        listen.address
    );
    Some(Finding::of_key("web-without-tls", "web.listen.tls", text))
}

fn of_admin(web: &Web) -> Option<Finding> {
    let is_public = |address: &std::net::SocketAddr| !address.ip().to_canonical().is_loopback();
    let listen = web
        .listen
        .iter()
        .find(|listen| listen.serve.contains(&WebPart::Admin) && is_public(&listen.address))?;
    let text = format!(
        "the pages of administration are served on {}: whoever reaches it can try to sign in as an administrator; a loopback address behind a tunnel is safer",
        listen.address
    );
    Some(Finding::of_key("web-admin-public", "web.listen.serve", text))
}

/// Administrators who have only a password between them and everything, where pages for them are served; `without` are those who may log in and have
/// no second factor.
pub(crate) fn of_administrators(web: &Web, without: &[String]) -> Option<Finding> {
    let is_served = web.listen.iter().any(|listen| listen.serve.contains(&WebPart::Admin));
    let (first, more) = without.split_first().filter(|_| is_served)?;
    let who = match more.len() {
        0 => format!("{first}, who administers, has"),
        1 => format!("{first} and 1 other administrator have"),
        more => format!("{first} and {more} other administrators have"),
    };
    let then = match web.admin_needs_second_factor {
        true => "the pages of administration stay closed to them until they set one up",
        false => "whoever knows the password administers (web.admin_needs_second_factor is false)",
    };
    let text = format!("{who} no second factor: {then}; `gatepost totp enroll {first}` begins one");
    Some(Finding::of_key("web-admin-second-factor", "web.admin_needs_second_factor", text))
}

/// Programs ask hosts of their domain over TLS first, and some ask nowhere else.
fn of_clients(web: &Web, certificate: Option<&CertificateFacts>) -> Vec<Finding> {
    let Some(clients) = &web.clients else { return Vec::new() };
    let mut listeners =
        web.listen.iter().filter(|listen| listen.serve.contains(&WebPart::Clients)).peekable();
    if listeners.peek().is_none() && !web.listen.is_empty() {
        let text = "mail programs are to find their settings, but no [[web.listen]] serves \"clients\"";
        return vec![Finding::of_key("clients-not-served", "web.listen.serve", text)];
    }
    let Some(facts) = certificate.filter(|_| listeners.any(|listen| listen.tls)) else { return Vec::new() };
    let missing = clients.hosts().filter(|host| !facts.covers(host));
    let finding = |host: String| {
        let text = format!(
            "the certificate is not for {host}, where mail programs look for their settings: they will not find them there"
        );
        Finding::of_key("clients-certificate-name", "web.clients.domains", text)
    };
    missing.map(finding).collect()
}

fn of_no_listener(web: &Web) -> Option<Finding> {
    web.listen.is_empty().then(|| {
        let text = "[web] is there, but no [[web.listen]]: no pages are served";
        Finding::of_key("web-unused", "web.listen", text)
    })
}

#[cfg(test)]
mod tests {
    use submission::tls::Identity;

    use super::super::settings;
    use super::*;

    fn codes(listen: &str) -> Vec<&'static str> {
        let config = settings(&format!("[web]\nbase_url = \"https://mail.example.org\"\n{listen}"));
        warnings(&config, None).map(|finding| finding.code).collect()
    }

    #[test]
    fn administrators_without_a_second_factor_are_warned_of_where_pages_for_them_are_served() {
        let listen = "[[web.listen]]\naddress = \"127.0.0.1:80\"\ntls = \"off\"\n";
        let warning = |listen: &str, needed: bool, without: &[&str]| {
            let begin = format!(
                "[web]\nbase_url = \"https://mail.example.org\"\nadmin_needs_second_factor = {needed}\n"
            );
            let without: Vec<_> = without.iter().map(ToString::to_string).collect();
            let config = settings(&format!("{begin}{listen}"));
            of_administrators(config.web.as_ref().unwrap(), &without).map(|finding| finding.text)
        };
        let said = warning(listen, true, &["ann@example.org"]).unwrap();
        assert!(
            said.starts_with("ann@example.org, who administers, has no second factor: the pages"),
            "{said}"
        );
        let said = warning(listen, false, &["ann@example.org", "bob@example.org"]).unwrap();
        assert!(
            said.starts_with("ann@example.org and 1 other administrator have no second factor: whoever"),
            "{said}"
        );
        assert_eq!(warning(listen, true, &[]), None);
        assert_eq!(warning(&format!("{listen}serve = [\"account\"]\n"), true, &["ann@example.org"]), None);
    }

    #[test]
    fn pages_without_tls_beyond_this_machine_and_pages_nowhere_are_warned_of() {
        let listen = |address: &str| {
            format!(
                "[[web.listen]]\naddress = \"{address}\"\ntls = \"off\"\ntrusted_proxies = [\"192.0.2.7\"]\n"
            )
        };
        assert_eq!(codes(&listen("192.0.2.1:80")), ["web-without-tls"]);
        assert!(codes(&listen("127.0.0.1:80")).is_empty());
        assert_eq!(codes(""), ["web-unused"]);
        let public = "[[web.listen]]\naddress = \"192.0.2.1:443\"\ntls = \"implicit\"\n";
        assert!(codes(public).is_empty());
        assert_eq!(codes(&format!("{public}serve = [\"account\", \"admin\"]\n")), ["web-admin-public"]);
        let clients = "[web.clients]\ndomains = [\"example.org\"]\nimap = \"imaps://imap.example.org\"\n";
        assert!(codes(&format!("{public}{clients}")).is_empty());
        assert_eq!(codes(&format!("{public}serve = [\"account\"]\n{clients}")), ["clients-not-served"]);
    }

    #[test]
    fn each_host_that_programs_ask_and_that_the_certificate_is_not_for_is_warned_of() {
        let names = ["mail.example.org", "autoconfig.example.org"].map(str::to_owned);
        let made = rcgen::generate_simple_self_signed(names).unwrap();
        let (chain, key) = (made.cert.pem(), made.signing_key.serialize_pem());
        let identity = Identity::from_pem(chain.as_bytes(), key.as_bytes()).unwrap();
        let config = settings(
            "[web]\nbase_url = \"https://mail.example.org\"\n\
             [web.clients]\ndomains = [\"example.org\"]\nimap = \"imaps://imap.example.org\"\n\
             [[web.listen]]\naddress = \"192.0.2.1:443\"\ntls = \"implicit\"\n",
        );
        let found: Vec<_> = warnings(&config, Some(&identity.facts().unwrap())).collect();
        let codes: Vec<_> = found.iter().map(|finding| finding.code).collect();
        assert_eq!(codes, ["clients-certificate-name"], "{found:?}");
        assert!(
            found.iter().all(|finding| finding.text.contains("for autodiscover.example.org,")),
            "{found:?}"
        );
    }
}
