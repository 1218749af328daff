//! What the DNS, proved by DNSSEC, says of the certificate of a mail host (DANE, RFC 7672).

use std::net::IpAddr;

use dns::{Answer, DnsError, Resolver, Tlsa};
use types::Domain;

use super::demand::Demand;
use super::tlsas::{DANE_EE, DANE_TA, Tlsas};

/// How a record compares (RFC 6698 section 2.1.3), and how long the digests are.
const FULL: u8 = 0;
const DIGESTS: [(u8, usize); 2] = [(1, 32), (2, 64)];

/// What a host has to prove, whose addresses were `found`; DNSSEC has proved that it takes mail for these domains.
///
/// # Errors
/// [`DnsError`] when it can't be known now, or was tampered with: nothing may be sent to the host then (RFC 7672 section 2.1.1).
pub(super) async fn demand(
    resolver: &Resolver,
    host: &Domain,
    found: &Answer<IpAddr>,
    domains: &[Domain],
) -> Result<Demand, DnsError> {
    for base in bases(resolver, host, found).await? {
        let Ok(name) = Domain::parse(&format!("_25._tcp.{base}")) else { continue };
        if let Some(records) = proven(resolver.tlsa(&name).await)? {
            return Ok(of_records(base, records, domains));
        }
    }
    Ok(Demand::Opportunistic)
}

/// Where the TLSA records of a host may stand (RFC 7672 section 2.2.2): where its aliases lead to, if all of them are proved, or else at
/// its own name, if that is. Nowhere without proof: a name server that has none often fails to answer at all when it is asked for TLSA.
async fn bases(resolver: &Resolver, host: &Domain, found: &Answer<IpAddr>) -> Result<Vec<Domain>, DnsError> {
    let is_alias = found.name.normal() != host.normal();
    Ok(match found.proven {
        true if is_alias => vec![found.name.clone(), host.clone()],
        true => vec![host.clone()],
        false if is_alias && proven(resolver.alias(host).await)?.is_some() => vec![host.clone()],
        false => Vec::new(),
    })
}

/// The records, if there are any that are proved.
fn proven<T>(found: Result<Answer<T>, DnsError>) -> Result<Option<Vec<T>>, DnsError> {
    match found {
        Ok(answer) => Ok(answer.proven.then_some(answer.records)),
        Err(DnsError::NoSuchName(_) | DnsError::NoSuchRecords { .. }) => Ok(None),
        Err(error @ (DnsError::Temporary { .. } | DnsError::Bogus(_) | DnsError::AliasLoop(_))) => Err(error),
    }
}

fn of_records(base: Domain, records: Vec<Tlsa>, domains: &[Domain]) -> Demand {
    let mut records: Vec<_> = strongest(records.into_iter().filter(is_usable).collect());
    if records.is_empty() {
        return Demand::Encrypted;
    }
    records.sort();
    Demand::Dane(Tlsas { base, also: domains.to_vec(), records }.into())
}

fn is_usable(record: &Tlsa) -> bool {
    let data = record.data.len();
    let compares = record.matching == FULL && data > 0 || DIGESTS.contains(&(record.matching, data));
    [DANE_TA, DANE_EE].contains(&record.usage) && record.selector <= 1 && compares
}

/// Of the digests of one kind the strongest alone count (RFC 7671 section 9).
fn strongest(records: Vec<Tlsa>) -> Vec<Tlsa> {
    let is_weaker = |record: &Tlsa, other: &Tlsa| {
        let kind = |record: &Tlsa| (record.usage, record.selector);
        record.matching != FULL && kind(record) == kind(other) && record.matching < other.matching
    };
    let counts = |record: &&Tlsa| !records.iter().any(|other| is_weaker(record, other));
    records.iter().filter(counts).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(usage: u8, selector: u8, matching: u8, length: usize) -> Tlsa {
        Tlsa { usage, selector, matching, data: vec![matching; length] }
    }

    fn demanded(records: Vec<Tlsa>) -> Option<Vec<Tlsa>> {
        match of_records(Domain::parse("mx.example").unwrap(), records, &[]) {
            Demand::Dane(tlsas) => Some(tlsas.records.clone()),
            Demand::Encrypted => None,
            other => panic!("{other:?}"),
        }
    }

    /// RFC 7672 section 2.2 and 3.1.3.
    #[test]
    fn records_that_cannot_be_used_demand_tls_with_anybody() {
        for unusable in [
            record(0, 0, 1, 32),
            record(1, 1, 1, 32),
            record(4, 1, 1, 32),
            record(3, 2, 1, 32),
            record(3, 1, 3, 32),
            record(3, 1, 1, 31),
            record(3, 1, 2, 32),
            record(3, 1, 0, 0),
        ] {
            assert_eq!(demanded(vec![unusable.clone()]), None, "{unusable:?}");
            let good = record(3, 1, 1, 32);
            assert_eq!(demanded(vec![unusable, good.clone()]), Some(vec![good]));
        }
    }

    #[test]
    fn the_order_of_the_records_does_not_matter_and_stronger_digests_do() {
        let (one, other) = (record(2, 0, 1, 32), record(3, 1, 2, 64));
        let both = || Some(vec![one.clone(), other.clone()]);
        assert_eq!(demanded(vec![one.clone(), other.clone()]), both());
        assert_eq!(demanded(vec![other.clone(), one.clone()]), both());
        assert_eq!(demanded(vec![record(3, 1, 1, 32), one.clone(), other.clone()]), both());
        let full = record(3, 1, 0, 91);
        assert_eq!(demanded(vec![full.clone(), other.clone()]), Some(vec![full, other]));
    }
}
