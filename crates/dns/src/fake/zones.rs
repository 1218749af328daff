//! The zones that the records are in, and their signatures.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::dnssec::crypto::Ed25519SigningKey;
use hickory_resolver::proto::dnssec::rdata::{DNSKEY, DNSSECRData, DS};
use hickory_resolver::proto::dnssec::{DigestType, DnssecSigner, PublicKey as _, SigningKey};
use hickory_resolver::proto::rr::rdata::{A, NS, SOA};
use hickory_resolver::proto::rr::{Name, RData, Record};
use hickory_server::dnssec::NxProofKind;
use hickory_server::store::in_memory::InMemoryZoneHandler;
use hickory_server::zone_handler::{AxfrPolicy, Catalog, ZoneHandler, ZoneType};

use super::entry::{Entry, name};
use super::{BOGUS, Forged, INSECURE};

/// Not in any zone but the root.
const SERVER: &str = "ns";
/// A name in each zone: in one that has none but its own the server can't prove that another does not exist.
const FILLER: &str = "0";
/// How long a signature holds.
const A_DAY: Duration = Duration::from_secs(86_400);

/// The keys of the root and of the zones below it, in PKCS #8, and one that nothing is signed by.
pub(super) struct Keys {
    root: Vec<u8>,
    below: Vec<u8>,
    other: Vec<u8>,
}

impl Keys {
    pub(super) fn generate() -> Keys {
        let generate = || Ed25519SigningKey::generate_pkcs8().unwrap().secret_pkcs8_der().to_vec();
        Keys { root: generate(), below: generate(), other: generate() }
    }

    pub(super) fn trust_anchors(&self) -> String {
        format!(". 0 IN DNSKEY {}\n", public(&self.root))
    }
}

/// Top-level domains that are there though nothing may be said of any name below.
const TOP: [&str; 8] = ["arpa", "com", "example", "net", "org", "test", INSECURE, BOGUS];

/// Every zone, and those that name the keys of others.
pub(super) struct Zones {
    pub(super) all: Catalog,
    /// Asked for the keys of a zone (DS), which are said above it.
    pub(super) above: Catalog,
}

impl Zones {
    /// A zone for each top-level domain.
    pub(super) fn new(records: &BTreeMap<String, Vec<Entry>>, keys: &Keys) -> Zones {
        let mut tops: BTreeMap<&str, BTreeMap<&str, &[Entry]>> = TOP.map(|top| (top, BTreeMap::new())).into();
        for (name, entries) in records {
            let top = name.rsplit('.').next().unwrap();
            tops.entry(top).or_default().insert(name, entries);
        }
        let mut root = Zone::new("", BTreeMap::new());
        root.add(SERVER, RData::A(A::from(Ipv4Addr::LOCALHOST)));
        let (mut all, mut above) = (Catalog::new(), Catalog::new());
        for (top, entries) in tops {
            root.delegate(top, keys);
            let mut zone = Zone::new(top, entries);
            zone.add(&format!("{FILLER}.{top}"), RData::A(A::from(Ipv4Addr::LOCALHOST)));
            let zone = if top == INSECURE { zone.unsigned() } else { zone.signed(&keys.below) };
            all.upsert(name(top).into(), vec![zone]);
        }
        let root = root.signed(&keys.root);
        all.upsert(Name::root().into(), vec![Arc::clone(&root)]);
        above.upsert(Name::root().into(), vec![root]);
        Zones { all, above }
    }
}

/// A record of the zone that nobody signs.
pub(super) fn forged(what: Forged) -> Record {
    let data = match what {
        Forged::Soa => soa(),
        Forged::Ns => RData::NS(NS(name(SERVER))),
    };
    Record::from_rdata(name(INSECURE), 0, data)
}

fn soa() -> RData {
    RData::SOA(SOA::new(name(SERVER), name(SERVER), 1, 1000, 1000, 100_000, 0))
}

/// A zone that is being put together.
struct Zone {
    origin: Name,
    records: Vec<Record>,
}

impl Zone {
    fn new(origin: &str, entries: BTreeMap<&str, &[Entry]>) -> Zone {
        let mut zone = Zone { origin: name(origin), records: Vec::new() };
        zone.add(origin, soa());
        zone.add(origin, RData::NS(NS(name(SERVER))));
        for (owner, entries) in entries {
            entries.iter().for_each(|entry| zone.add(owner, entry.data()));
        }
        zone
    }

    fn add(&mut self, owner: &str, data: RData) {
        self.records.push(Record::from_rdata(name(owner), 0, data));
    }

    fn delegate(&mut self, to: &str, keys: &Keys) {
        self.add(to, RData::NS(NS(name(SERVER))));
        let key = if to == BOGUS { &keys.other } else { &keys.below };
        if to != INSECURE {
            self.add(to, RData::DNSSEC(DNSSECRData::DS(digest(to, key))));
        }
    }

    fn unsigned(self) -> Arc<dyn ZoneHandler> {
        Arc::new(self.handler(None))
    }

    /// By NSEC the server proves that a name does not exist if the one above it does, which is enough here; its NSEC3 comes with answers,
    /// too, as if it denied them.
    fn signed(self, key: &[u8]) -> Arc<dyn ZoneHandler> {
        let signer = DnssecSigner::new(dnskey(key), Box::new(signing_key(key)), self.origin.clone(), A_DAY);
        let mut handler = self.handler(Some(NxProofKind::Nsec));
        handler.add_zone_signing_key_mut(signer).unwrap();
        handler.secure_zone_mut().unwrap();
        Arc::new(handler)
    }

    fn handler(self, denial: Option<NxProofKind>) -> InMemoryZoneHandler<TokioRuntimeProvider> {
        let mut handler =
            InMemoryZoneHandler::empty(self.origin, ZoneType::Primary, AxfrPolicy::Deny, denial);
        for record in self.records {
            handler.upsert_mut(record, 0);
        }
        handler
    }
}

fn signing_key(pkcs8: &[u8]) -> Ed25519SigningKey {
    Ed25519SigningKey::from_pkcs8(&pkcs8.to_vec().into()).unwrap()
}

fn dnskey(pkcs8: &[u8]) -> DNSKEY {
    DNSKEY::from_key(&signing_key(pkcs8).to_public_key().unwrap())
}

fn public(pkcs8: &[u8]) -> String {
    dnskey(pkcs8).to_string()
}

/// What the zone above says of the key of `zone`.
fn digest(zone: &str, pkcs8: &[u8]) -> DS {
    let key = dnskey(pkcs8);
    let digest = key.to_digest(&name(zone), DigestType::SHA256).unwrap();
    let (tag, algorithm) = (key.calculate_key_tag().unwrap(), key.public_key().algorithm());
    DS::new(tag, algorithm, DigestType::SHA256, digest.as_ref().to_vec())
}
