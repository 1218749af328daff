//! What of the configuration the lights are about.

use std::path::PathBuf;

use config::{Config, Via, Web, WebClients};
use submission::tls::Identity;
use types::WebPart;

/// What of the configuration the lights are about, which a reload changes.
#[derive(Debug, Clone)]
pub(crate) struct Meant {
    pub(super) hostname: String,
    /// The names that clients, browsers and mail programs look for in the certificate.
    pub(super) names: Vec<String>,
    pub(super) identity: Option<Identity>,
    /// How many listeners for mail there have to be.
    pub(super) listeners: usize,
    pub(super) looks_up: bool,
    pub(super) backup_stamp: Option<PathBuf>,
}

impl Meant {
    /// What this configuration says.
    pub(crate) fn of(config: &Config, identity: Option<&Identity>) -> Self {
        let names = std::iter::once(config.hostname.clone());
        let names = names.chain(config.web.iter().flat_map(names_of_pages)).collect();
        Self {
            hostname: config.hostname.clone(),
            names,
            identity: identity.filter(|_| config.tls.is_some()).cloned(),
            listeners: config.listen.len(),
            looks_up: config.delivery.ways().any(|(_, way)| way.via == Via::Mx),
            backup_stamp: config.health.backup_stamp.clone(),
        }
    }
}

/// The names by which the certificate is shown over HTTPS.
fn names_of_pages(web: &Web) -> Vec<String> {
    let mut shown_by = web.listen.iter().filter(|listen| listen.tls).peekable();
    let page_host = shown_by.peek().map(|_| web.base_url.host().to_owned());
    let is_for_programs = shown_by.any(|listen| listen.serve.contains(&WebPart::Clients));
    let clients = web.clients.iter().filter(|_| is_for_programs).flat_map(WebClients::hosts);
    page_host.into_iter().chain(clients).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn a_certificate_is_for_each_name_that_it_is_shown_by() {
        let names = |listen: &str| {
            let text = format!(
                "hostname = \"mail.example.org\"\n[storage]\nurl = \"sqlite:s\"\nmaster_key_file = \"k\"\n\
                 [tls]\ncertificate = \"c\"\nprivate_key = \"k\"\n[web]\nbase_url = \"https://www.example.org\"\n\
                 [web.clients]\ndomains = [\"example.org\"]\nimap = \"imaps://imap.example.org\"\n\
                 [[web.listen]]\n{listen}"
            );
            let config = Config::parse(&text, Path::new("/etc/gatepost/gatepost.toml")).unwrap();
            Meant::of(&config, None).names
        };
        let all =
            ["mail.example.org", "www.example.org", "autoconfig.example.org", "autodiscover.example.org"];
        let https = "address = \"192.0.2.1:443\"\ntls = \"implicit\"\n";
        assert_eq!(names(https), all);
        assert_eq!(names(&format!("{https}serve = [\"account\"]\n")), all[..2]);
        assert_eq!(names("address = \"127.0.0.1:80\"\ntls = \"off\"\n"), all[..1]);
    }
}
