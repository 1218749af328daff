//! A certificate that ends soon, or that is for another name.

use config::{Config, Tls};
use desk::health::{self, ConditionKind};
use jiff::Timestamp;
use submission::tls::CertificateFacts;

use crate::finding::Finding;

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
    let judged = health::certificate(&health::CertificateFacts { not_after: end, not_for: None }, now);
    match judged.kind {
        ConditionKind::CertificateEnded => {
            let text = format!("the certificate {path} expired at {end}: clients will refuse it");
            Some(Finding::of_key("certificate-expired", KEY, text))
        }
        ConditionKind::CertificateEnds => {
            let text = format!("the certificate {path} expires at {end}: renew it, then reload");
            Some(Finding::of_key("certificate-expires", KEY, text))
        }
        _ => None,
    }
}

fn of_name(config: &Config, facts: &CertificateFacts) -> Option<Finding> {
    let covered = facts.covers(&config.hostname);
    (!covered).then(|| {
        let names = facts.names.join(", ");
        let text = format!("the certificate is not for the hostname {} but for: {names}", config.hostname);
        Finding::of_key("certificate-name", KEY, text)
    })
}
