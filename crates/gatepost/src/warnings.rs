//! What to look at in a set-up that works: `check` prints it, `serve` logs it.

use config::Config;
use jiff::Timestamp;
use submission::tls::CertificateFacts;

use crate::finding::Finding;

mod leaving;
mod protection;
mod mechanisms;
mod certificate;
mod web;

pub(crate) use leaving::{leads_here, loops};
pub(crate) use web::of_administrators;

/// Every warning that needs neither the store nor the network. `certificate` is that of `[tls]`.
pub(crate) fn about(config: &Config, certificate: Option<&CertificateFacts>, now: Timestamp) -> Vec<Finding> {
    let mut warnings = leaving::warnings(config);
    warnings.extend(protection::warnings(config));
    warnings.extend(mechanisms::warnings(config));
    warnings.extend(web::warnings(config, certificate));
    if let (Some(tls), Some(facts)) = (&config.tls, certificate) {
        warnings.extend(certificate::warnings(config, tls, facts, now));
    }
    warnings
}

/// Those of these whose condition holds.
fn those_that_hold<const N: usize>(all: [(bool, Finding); N]) -> impl Iterator<Item = Finding> {
    all.into_iter().filter_map(|(holds, finding)| holds.then_some(finding))
}

#[cfg(test)]
fn settings(extra: &str) -> Config {
    let text = format!(
        "hostname = \"mail.example.org\"\n[storage]\nurl = \"sqlite:s\"\nmaster_key_file = \"k\"\n\
         [tls]\ncertificate = \"c\"\nprivate_key = \"k\"\n{extra}"
    );
    Config::parse(&text, std::path::Path::new("/etc/gatepost/gatepost.toml")).unwrap()
}
