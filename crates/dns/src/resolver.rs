//! The resolver: a method for each kind of question.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::{DnsError as Semantic, NetError};
use hickory_resolver::proto::dnssec::Proof;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use tokio::time::timeout;
use types::Domain;

use crate::addresses::{Families, both};
use crate::answer::{Answer, Mx, Srv, Tlsa};
use crate::denial::{self, Denial};
use crate::error::{DnsError, RecordKind, SetupError};
use crate::proof::Signatures;
use crate::servers::NameServers;
use crate::upstream::Upstream;

/// How long an answer may take in all, with what it takes to prove it: more than a name server gets for one question twice.
const PATIENCE: Duration = Duration::from_secs(25);
/// How many records of an answer are read. A domain with more mail hosts than this has none that are told from the others.
const RECORDS: usize = 1000;

/// Asks the DNS. Cheap to clone; clones share what they remember of earlier answers, and whom they ask.
#[derive(Clone, Debug)]
pub struct Resolver {
    present: Arc<ArcSwap<Asking>>,
}

/// What questions are asked with, until a reload puts another in its place.
#[derive(Debug)]
struct Asking {
    trusting: NameServers,
    validating: NameServers,
    signatures: Signatures,
}

impl Resolver {
    /// A resolver that asks these name servers. Opens no socket; later, questions are asked within a runtime of tokio.
    ///
    /// # Errors
    /// [`SetupError`] when the trust anchors cannot be read.
    pub fn new(upstream: &Upstream) -> Result<Resolver, SetupError> {
        let (trusting, validating) = (upstream.trusting()?, upstream.validating()?);
        let asking = Asking { trusting, validating, signatures: Signatures::default() };
        Ok(Resolver { present: Arc::new(ArcSwap::from_pointee(asking)) })
    }

    /// Has this resolver, and every clone of it, ask from now on whom `other` asks.
    pub fn replace(&self, other: &Resolver) {
        self.present.store(other.present.load_full());
    }

    /// Where mail for `domain` goes, in no order.
    ///
    /// # Errors
    /// [`DnsError`]: those of every question.
    pub async fn mx(&self, domain: &Domain) -> Result<Answer<Mx>, DnsError> {
        let answer = self.ask(domain.normal(), RecordKind::Mx).await?;
        Ok(answer.with(|records| records.iter().filter_map(mx).collect()))
    }

    /// The addresses of `host`; those of IPv6 come first.
    ///
    /// # Errors
    /// [`DnsError`]; if one of the two families is found, [`Answer::open`] says what is wrong with the other now.
    pub async fn addresses(&self, host: &Domain, families: Families) -> Result<Answer<IpAddr>, DnsError> {
        match families {
            Families::V4 => self.addresses_of(host, RecordKind::A).await,
            Families::Both => {
                let (v6, v4) = tokio::join!(
                    self.addresses_of(host, RecordKind::Aaaa),
                    self.addresses_of(host, RecordKind::A)
                );
                both(v6, v4)
            }
        }
    }

    /// The texts of `name`, each put together from its strings; what is not UTF-8 becomes U+FFFD.
    ///
    /// # Errors
    /// [`DnsError`]
    pub async fn txt(&self, name: &Domain) -> Result<Answer<String>, DnsError> {
        let answer = self.ask(name.normal(), RecordKind::Txt).await?;
        Ok(answer.with(|records| records.iter().filter_map(txt).collect()))
    }

    /// What is said of the certificates of a server, by its port, protocol and host: `_25._tcp.mx.example.org` (RFC 6698 section 3).
    ///
    /// # Errors
    /// [`DnsError`]
    pub async fn tlsa(&self, name: &Domain) -> Result<Answer<Tlsa>, DnsError> {
        let answer = self.ask(name.normal(), RecordKind::Tlsa).await?;
        Ok(answer.with(|records| records.iter().filter_map(tlsa).collect()))
    }

    /// Where a service is, by its name, protocol and domain: `_submissions._tcp.example.org` (RFC 2782).
    ///
    /// # Errors
    /// [`DnsError`]
    pub async fn srv(&self, name: &Domain) -> Result<Answer<Srv>, DnsError> {
        let answer = self.ask(name.normal(), RecordKind::Srv).await?;
        Ok(answer.with(|records| records.iter().filter_map(srv).collect()))
    }

    /// The names of the machine that has this address.
    ///
    /// # Errors
    /// [`DnsError`]
    pub async fn ptr(&self, address: IpAddr) -> Result<Answer<Domain>, DnsError> {
        let name = Name::from(address).to_ascii();
        let answer = self.ask(name.trim_end_matches('.').to_owned(), RecordKind::Ptr).await?;
        Ok(answer.with(|records| records.iter().filter_map(ptr).collect()))
    }

    /// The name that `name` is an alias of; no further alias is followed.
    ///
    /// # Errors
    /// [`DnsError`]
    pub async fn alias(&self, name: &Domain) -> Result<Answer<Domain>, DnsError> {
        let answer = self.ask(name.normal(), RecordKind::Cname).await?;
        Ok(answer.with(|records| records.iter().filter_map(target).collect()))
    }

    /// Whether the name servers pass on what it takes to prove answers by DNSSEC.
    pub async fn proves(&self) -> bool {
        let asking = self.present.load_full();
        timeout(PATIENCE, asking.signatures.are_passed_on(&asking.validating)).await.unwrap_or(false)
    }

    async fn addresses_of(&self, host: &Domain, kind: RecordKind) -> Result<Answer<IpAddr>, DnsError> {
        let answer = self.ask(host.normal(), kind).await?;
        Ok(answer.with(|records| records.iter().filter_map(address).collect()))
    }

    /// The records of `name`, which is absolute whether or not it has a dot at its end.
    async fn ask(&self, name: String, kind: RecordKind) -> Result<Answer<RData>, DnsError> {
        let Ok(absolute) = Name::from_ascii(format!("{name}.")) else {
            return Err(DnsError::NoSuchName(name));
        };
        let asking = self.present.load_full();
        let answer = timeout(PATIENCE, asking.answer(&name, &absolute, kind)).await;
        answer.unwrap_or_else(|_| Err(DnsError::out_of_time(name)))
    }
}

impl Asking {
    /// The records of `asked`, which errors call `name`.
    async fn answer(&self, name: &str, asked: &Name, kind: RecordKind) -> Result<Answer<RData>, DnsError> {
        let servers = self.servers().await;
        let error = match servers.lookup(asked.clone(), kind.into()).await {
            Ok(found) => return read(&found, asked, kind).ok_or_else(|| servers.unread(name, kind)),
            Err(error) => error,
        };
        let NetError::Dns(Semantic::NoRecordsFound(none)) = &error else {
            return Err(DnsError::of(&error, name, kind));
        };
        Err(match denial::weigh(servers, none, asked).await {
            Denial::Holds => DnsError::of(&error, name, kind),
            Denial::Circle => DnsError::AliasLoop(name.to_owned()),
            Denial::Forged => DnsError::Bogus(name.to_owned()),
        })
    }

    async fn servers(&self) -> &NameServers {
        match self.signatures.are_missing(&self.validating).await {
            true => &self.trusting,
            false => &self.validating,
        }
    }
}

/// The records of this kind at the end of the aliases of `asked`; `None` if there are none. An answer may have records of other names beside
/// them, which say nothing: they may be of a zone that nobody signs.
fn read(found: &Lookup, asked: &Name, kind: RecordKind) -> Option<Answer<RData>> {
    let kind = RecordType::from(kind);
    let (mut name, mut proven) = (asked, true);
    if kind != RecordType::CNAME {
        for _ in found.answers() {
            let next = found.answers().iter().find_map(|record| Some((record, denial::alias(record, name)?)));
            let Some((record, target)) = next else { break };
            proven &= record.proof == Proof::Secure;
            name = target;
        }
    }
    let of_kind =
        || found.answers().iter().filter(|record| record.record_type() == kind && record.name == *name);
    proven &= of_kind().all(|record| record.proof == Proof::Secure);
    let records: Vec<_> = of_kind().take(RECORDS).map(|record| record.data.clone()).collect();
    if records.is_empty() {
        return None;
    }
    Some(Answer { records, proven, name: domain(name).or_else(|| domain(asked))?, open: None })
}

/// `None` if it is not the name of a host.
fn domain(name: &Name) -> Option<Domain> {
    Domain::parse(name.to_ascii().trim_end_matches('.')).ok()
}

/// `Some(None)` is the root; `None` if it is not the name of a host.
fn host_or_root(name: &Name) -> Option<Option<Domain>> {
    if name.is_root() { Some(None) } else { domain(name).map(Some) }
}

fn mx(record: &RData) -> Option<Mx> {
    let RData::MX(mx) = record else { return None };
    Some(Mx { preference: mx.preference, exchange: host_or_root(&mx.exchange)? })
}

fn address(record: &RData) -> Option<IpAddr> {
    match record {
        RData::A(address) => Some(Ipv4Addr::from(*address).into()),
        RData::AAAA(address) => Some(Ipv6Addr::from(*address).into()),
        _ => None,
    }
}

fn txt(record: &RData) -> Option<String> {
    let RData::TXT(text) = record else { return None };
    let octets: Vec<u8> = text.txt_data.iter().flat_map(|part| part.iter().copied()).collect();
    Some(String::from_utf8_lossy(&octets).into_owned())
}

fn tlsa(record: &RData) -> Option<Tlsa> {
    let RData::TLSA(tlsa) = record else { return None };
    Some(Tlsa {
        usage: tlsa.cert_usage.into(),
        selector: tlsa.selector.into(),
        matching: tlsa.matching.into(),
        data: tlsa.cert_data.clone(),
    })
}

fn srv(record: &RData) -> Option<Srv> {
    let RData::SRV(srv) = record else { return None };
    let target = host_or_root(&srv.target)?;
    Some(Srv { priority: srv.priority, weight: srv.weight, port: srv.port, target })
}

fn target(record: &RData) -> Option<Domain> {
    let RData::CNAME(target) = record else { return None };
    domain(target)
}

fn ptr(record: &RData) -> Option<Domain> {
    let RData::PTR(name) = record else { return None };
    domain(name)
}

#[cfg(test)]
mod tests {
    use hickory_resolver::proto::op::Query;
    use hickory_resolver::proto::rr::Record;
    use hickory_resolver::proto::rr::rdata::{A, CNAME};

    use super::*;

    fn record(owner: &str, data: RData, proof: Proof) -> Record {
        let mut record = Record::from_rdata(Name::from_ascii(owner).unwrap(), 0, data);
        record.proof = proof;
        record
    }

    #[test]
    fn records_of_other_names_than_that_at_the_end_of_the_aliases_say_nothing() {
        let address = |last| RData::A(A::new(192, 0, 2, last));
        let alias = RData::CNAME(CNAME(Name::from_ascii("host.example.").unwrap()));
        let asked = Name::from_ascii("mx.example.").unwrap();
        let found = |end| {
            let records = [
                record("forged.insecure.", address(66), Proof::Insecure),
                record(end, address(1), Proof::Secure),
                record("mx.example.", alias.clone(), Proof::Secure),
            ];
            read(
                &Lookup::new_with_max_ttl(Query::query(asked.clone(), RecordType::A), records),
                &asked,
                RecordKind::A,
            )
        };
        let answer = found("host.example.").unwrap();
        assert_eq!((answer.records, answer.proven), (vec![address(1)], true));
        assert_eq!(answer.name, Domain::parse("host.example").unwrap());
        assert_eq!(found("mx.example."), None);
    }
}
