//! Whether an answer that there is nothing can be believed.
//!
//! Hickory proves a denial by NSEC in a zone that is signed, and takes it as it is in one that nobody signs. But it takes a zone to be
//! unsigned by the records that come with the denial, whichever zone they are of: so a forged denial for a name that is signed needs only the
//! SOA of some unsigned zone. The SOA has to be of a zone that the name is in (RFC 2308 section 2.1).

use hickory_resolver::net::NoRecords;
use hickory_resolver::proto::dnssec::Proof;
use hickory_resolver::proto::rr::domain::usage::{INVALID, LOCALHOST, ONION};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};

use crate::servers::NameServers;

/// How many aliases (CNAME) are followed before they count as a circle. A chain of one is usual.
const ALIASES: usize = 8;

/// What an answer that there is nothing comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Denial {
    /// There is nothing.
    Holds,
    /// There are aliases that lead nowhere, of which hickory says the same. A name server that knows of no records says in whose name (the
    /// SOA), which one that has found only aliases does not.
    Circle,
    /// It is of another zone than the name.
    Forged,
}

/// What the answer of these name servers that there is nothing at `asked`, or where its aliases lead, comes to.
pub(crate) async fn weigh(servers: &NameServers, none: &NoRecords, asked: &Name) -> Denial {
    let zone = none.soa.as_ref().map(|soa| &soa.name);
    let is_in_zone = zone.is_some_and(|zone| !servers.validate() || zone.zone_of(asked));
    if is_in_zone || is_never_asked(asked) {
        return Denial::Holds;
    }
    // Not the question that came back with the answer: over TCP, nobody has compared it.
    let Some(end) = end_of_aliases(servers, asked.clone()).await else { return Denial::Circle };
    let holds = match zone {
        Some(zone) => zone.zone_of(&end),
        None => !servers.validate() || is_unsigned(servers, end).await,
    };
    if holds { Denial::Holds } else { Denial::Forged }
}

/// What this record makes the name an alias of.
pub(crate) fn alias<'a>(record: &'a Record, of: &Name) -> Option<&'a Name> {
    match &record.data {
        RData::CNAME(target) if record.name == *of => Some(&target.0),
        _ => None,
    }
}

/// Names that hickory itself says there is nothing of (RFC 6761, RFC 7686).
fn is_never_asked(name: &Name) -> bool {
    [&INVALID, &LOCALHOST, &ONION].into_iter().any(|zone| zone.zone_of(name))
}

/// Where the aliases of `name` lead; `None` if they do not end. A chain of exactly as many as are followed ends if its last name is none.
async fn end_of_aliases(servers: &NameServers, mut name: Name) -> Option<Name> {
    for _ in 0..=ALIASES {
        let found = servers.lookup(name.clone(), RecordType::CNAME).await;
        let next = found
            .ok()
            .and_then(|found| found.answers().iter().find_map(|record| alias(record, &name).cloned()));
        let Some(next) = next else { return Some(name) };
        name = next;
    }
    None
}

/// Whether it is proved that nobody signs the zone that `name` is in: the name servers (NS) of the nearest zone that says any have no
/// signatures, and need none. What stands below a zone without signatures has none either.
async fn is_unsigned(servers: &NameServers, mut name: Name) -> bool {
    while !name.is_root() {
        if let Ok(found) = servers.lookup(name.clone(), RecordType::NS).await
            && let Some(record) = found.answers().iter().find(|record| record.name == name)
        {
            return record.proof == Proof::Insecure;
        }
        name = name.base_name();
    }
    false
}
