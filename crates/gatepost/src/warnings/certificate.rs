//! A certificate that ends soon, or that is for another name.

use config::{Config, Tls};
use jiff::{Timestamp, ToSpan as _};
use submission::tls::CertificateFacts;

use crate::finding::Finding;

/// Time enough to renew it before clients refuse it.
const EXPIRES_SOON_DAYS: i64 = 21;

const KEY: &str = "tls.certificate";

pub(super) fn warnings(
    config: &Config,
    tls: &Tls,
    facts: &CertificateFacts,
    now: Timestamp,
) -> impl Iterator<Item = Finding> {
    of_end(tls, facts, now).into_iter().chain(of_name(config, facts))
}

fn of_end(tls: &Tls, facts: &CertificateFacts, now: Timestamp) -> Option<Finding> {
    let end = Timestamp::try_from(facts.not_after).ok()?;
    let path = tls.certificate.display();
    if end <= now {
        let text = format!("the certificate {path} expired at {end}: clients will refuse it");
        return Some(Finding::of_key("certificate-expired", KEY, text));
    }
    let soon = now.checked_add((EXPIRES_SOON_DAYS * 24).hours()).ok()?;
    (end <= soon).then(|| {
        let text = format!("the certificate {path} expires at {end}: renew it, then reload");
        Finding::of_key("certificate-expires", KEY, text)
    })
}

fn of_name(config: &Config, facts: &CertificateFacts) -> Option<Finding> {
    let covered = facts.covers(&config.hostname);
    (!covered).then(|| {
        let names = facts.names.join(", ");
        let text = format!("the certificate is not for the hostname {} but for: {names}", config.hostname);
        Finding::of_key("certificate-name", KEY, text)
    })
}
