//! What the DNS says of mail to a domain: who takes it, what it demands of those who send it, and where it wants to hear how that went. This server takes
//! no mail of others, so nothing of it is wanted; but what is there should be in order.

use dns::{Mx, Resolver};
use futures_util::future::{join, join_all};
use types::Domain;

use crate::Desk;
use crate::dns_in_time::in_time;
use crate::view::{DnsRecord, DnsVerdict, WantedRecord};

/// Texts of which a name may have one, and several count as none: purpose, label, and how they begin.
const TEXTS: [(&str, &str, &str); 2] = [
    // RFC 8461 section 3.1.
    ("MTA-STS", "_mta-sts", "v=STSv1"),
    // RFC 8460 section 3.
    ("TLS-RPT", "_smtp._tls", "v=TLSRPTv1"),
];

impl Desk {
    /// The MX, MTA-STS and TLS-RPT records of the domain, as far as it has any, and the DNS says so now.
    pub(crate) async fn incoming_records(&self, domain: &Domain, resolver: &Resolver) -> Vec<WantedRecord> {
        let texts = TEXTS.map(|(purpose, label, begins)| {
            text(resolver, purpose, format!("{label}.{}", domain.normal()), begins)
        });
        let (mx, texts) = join(mx(domain, resolver), join_all(texts)).await;
        mx.into_iter().chain(texts.into_iter().flatten()).collect()
    }
}

/// A domain that says it takes no mail (RFC 7505) gets no replies and no reports, and many hosts refuse what comes from it.
async fn mx(domain: &Domain, resolver: &Resolver) -> Option<WantedRecord> {
    let found = in_time(resolver.mx(domain)).await.ok()?;
    let takes_mail = found.iter().any(|mx| mx.exchange.is_some());
    let found: Vec<_> = found.iter().map(shown).collect();
    let record = DnsRecord { name: domain.normal(), kind: "MX", value: found.first()?.clone() };
    let judge = |_: &[String]| if takes_mail { DnsVerdict::Ok } else { DnsVerdict::Differs };
    Some(WantedRecord::of("MX", record).checked(Ok(found), judge))
}

fn shown(mx: &Mx) -> String {
    let host = mx.exchange.as_ref().map(Domain::normal).unwrap_or_default();
    format!("{} {host}.", mx.preference)
}

async fn text(
    resolver: &Resolver,
    purpose: &'static str,
    name: String,
    begins: &str,
) -> Option<WantedRecord> {
    let domain = Domain::parse(&name).ok()?;
    let texts = in_time(resolver.txt(&domain)).await.ok()?;
    let found: Vec<_> = texts.into_iter().filter(|text| text.starts_with(begins)).collect();
    let record = DnsRecord::txt(name, found.first()?.clone());
    let judge = |found: &[String]| if found.len() == 1 { DnsVerdict::Ok } else { DnsVerdict::Differs };
    Some(WantedRecord::of(purpose, record).checked(Ok(found), judge))
}
