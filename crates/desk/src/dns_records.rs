//! The DNS records that the set-up wants for a domain that sends mail, and what the DNS has of them.

use std::net::IpAddr;

use dns::{Families, Resolver};
use futures_util::future::{join, join_all, join3};
use jiff::Timestamp;
use store::{DkimKey, DkimKeyState, DkimKeys as _, Page};
use types::Domain;

use crate::dns_in_time::in_time;
use crate::dns_verdict::Purpose;
use crate::view::{self, DnsRecord, DnsVerdict, WantedRecord};
use crate::{ClientDiscovery, Desk, Trouble};

/// The most keys of a domain whose records are told.
const KEYS: u32 = 1000;

/// The addresses of a host, or why they are not known.
type Addresses = Result<Vec<IpAddr>, String>;

impl Desk {
    /// The records that the set-up wants for this domain: who may send its mail (SPF, RFC 7208), what its signatures are verified with (DKIM),
    /// what becomes of mail that fails both (DMARC, RFC 7489), and where its users hand mail in (SRV, RFC 6186 and RFC 8314). If programs are to find
    /// the settings of its users by themselves, also where they read mail, and the names of the hosts that tell.
    ///
    /// # Errors
    /// When the store can't tell.
    pub async fn dns_records(&self, domain: &Domain) -> Result<Vec<WantedRecord>, Trouble> {
        let wanted = self.wanted(domain).await?;
        Ok(wanted.into_iter().map(|(purpose, record)| WantedRecord::of(purpose.name(), record)).collect())
    }

    /// The records of [`dns_records`](Self::dns_records), with what the DNS has of each, and of mail to the domain; and whether the addresses of this server have its name (PTR), by which other hosts know whom
    /// they speak to.
    ///
    /// # Errors
    /// When the store can't tell.
    pub async fn checked_dns_records(
        &self,
        domain: &Domain,
        resolver: &Resolver,
    ) -> Result<Vec<WantedRecord>, Trouble> {
        let (addresses, pages) =
            join(addresses_of(&self.settings.hostname, resolver), self.addresses_of_pages(domain, resolver))
                .await;
        let wanted = self.wanted(domain).await?.into_iter();
        let asked = wanted.map(|(purpose, record)| {
            let known = match purpose {
                Purpose::Autoconfig | Purpose::Autodiscover => &pages,
                _ => &addresses,
            };
            check(resolver, purpose, record, known)
        });
        // All at once: a name server that does not answer makes each question long.
        let (mut checked, incoming, reverse) = join3(
            join_all(asked),
            self.incoming_records(domain, resolver),
            self.reverse_records(resolver, &addresses),
        )
        .await;
        checked.extend(incoming);
        checked.extend(reverse);
        Ok(checked)
    }

    async fn wanted(&self, domain: &Domain) -> Result<Vec<(Purpose, DnsRecord)>, Trouble> {
        let (name, host) = (domain.normal(), &self.settings.hostname);
        let mut wanted = vec![(Purpose::Spf, DnsRecord::txt(name.clone(), format!("v=spf1 a:{host} ~all")))];
        let now = (self.now)();
        let keys = self.keys_that_sign(&name).await?;
        let published = keys.iter().filter(|key| is_published(key, now));
        wanted.extend(published.map(|key| (Purpose::Dkim, view::DkimKey::of(key).record)));
        let dmarc = format!("v=DMARC1; p=none; rua=mailto:postmaster@{name}");
        wanted.push((Purpose::Dmarc, DnsRecord::txt(format!("_dmarc.{name}"), dmarc)));
        let clients = &self.settings.clients;
        let services = [
            ("_submissions", Purpose::Submissions, clients.implicit_tls.as_ref()),
            ("_submission", Purpose::Submission, clients.starttls.as_ref()),
        ];
        let services = services.into_iter().filter_map(|(label, purpose, port)| {
            let value = format!("0 1 {} {host}.", port?.port);
            Some((purpose, DnsRecord { name: format!("{label}._tcp.{name}"), kind: "SRV", value }))
        });
        wanted.extend(services);
        wanted.extend(
            clients.discovery_of(domain).map(|found| of_discovery(&name, found)).into_iter().flatten(),
        );
        Ok(wanted)
    }

    /// The addresses of the host that tells programs of this domain their settings, if there is one.
    async fn addresses_of_pages(&self, domain: &Domain, resolver: &Resolver) -> Addresses {
        match self.settings.clients.discovery_of(domain) {
            Some(discovery) => addresses_of(&discovery.host, resolver).await,
            None => Ok(Vec::new()),
        }
    }

    /// The keys of the domain, or of the nearest above it that has any.
    async fn keys_that_sign(&self, domain: &str) -> Result<Vec<DkimKey>, Trouble> {
        let mut name = Some(domain);
        while let Some(domain) = name {
            let keys = self.accounts.dkim_keys(Some(domain), Page::first(KEYS)).await?;
            if !keys.is_empty() {
                return Ok(keys);
            }
            name = domain.split_once('.').map(|(_, parent)| parent);
        }
        Ok(Vec::new())
    }

    /// What each address of this server is called.
    async fn reverse_records(&self, resolver: &Resolver, addresses: &Addresses) -> Vec<WantedRecord> {
        let host = &self.settings.hostname;
        match addresses {
            Ok(addresses) if !addresses.is_empty() => {
                let asked = addresses.iter().copied();
                join_all(asked.map(|address| reverse_record(resolver, address, host))).await
            }
            none => {
                let value = "the address of this server".to_owned();
                let its_address = DnsRecord { name: host.clone(), kind: "A", value };
                let found = none.clone().map(|_| Vec::new());
                let missing = |_: &[String]| DnsVerdict::Missing;
                vec![WantedRecord::of("address", its_address).checked(found, missing)]
            }
        }
    }
}

/// What this address is called, which should be this host.
async fn reverse_record(resolver: &Resolver, address: IpAddr, host: &str) -> WantedRecord {
    let value = format!("{host}.");
    let record = DnsRecord { name: reverse_name(address), kind: "PTR", value: value.clone() };
    let names = in_time(resolver.ptr(address)).await;
    let found = names.map(|names| names.iter().map(|name| format!("{}.", name.normal())).collect());
    let judge = |found: &[String]| Purpose::Ptr.verdict(&value, found, &[]);
    WantedRecord::of(Purpose::Ptr.name(), record).checked(found, judge)
}

/// Where users of this domain read mail, and the hosts where programs find that out.
fn of_discovery(domain: &str, discovery: &ClientDiscovery) -> [(Purpose, DnsRecord); 3] {
    let ClientDiscovery { incoming, host, .. } = discovery;
    let service = DnsRecord {
        name: format!("_{}._tcp.{domain}", incoming.protocol.scheme()),
        kind: "SRV",
        value: format!("0 1 {} {}.", incoming.port, incoming.host.normal()),
    };
    let alias =
        |name: &str| DnsRecord { name: format!("{name}.{domain}"), kind: "CNAME", value: format!("{host}.") };
    [
        (Purpose::Incoming(incoming.protocol), service),
        (Purpose::Autoconfig, alias(Purpose::Autoconfig.name())),
        (Purpose::Autodiscover, alias(Purpose::Autodiscover.name())),
    ]
}

async fn addresses_of(host: &str, resolver: &Resolver) -> Addresses {
    let host = Domain::parse(host).map_err(|error| error.to_string())?;
    in_time(resolver.addresses(&host, Families::Both)).await
}

/// Under which name the names of an address stand (RFC 1035 section 3.5, RFC 3596 section 2.5).
fn reverse_name(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, d] = address.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        IpAddr::V6(address) => {
            let nibbles = format!("{:032x}", u128::from(address));
            nibbles.chars().rev().flat_map(|nibble| [nibble, '.']).collect::<String>() + "ip6.arpa"
        }
    }
}

/// Whether the record of a key has to be in the DNS: before it signs, while it does, and for a while afterwards.
fn is_published(key: &DkimKey, now: Timestamp) -> bool {
    match key.state() {
        DkimKeyState::Staged | DkimKeyState::Active => true,
        DkimKeyState::Retired => view::DkimKey::of(key).record_until.is_some_and(|until| until > now),
    }
}

/// The record with what the DNS has of it. `addresses` are right for a host; what hangs on them is not known if they are not.
async fn check(
    resolver: &Resolver,
    purpose: Purpose,
    record: DnsRecord,
    addresses: &Addresses,
) -> WantedRecord {
    let (found, value) = (found(resolver, purpose, &record.name).await, record.value.clone());
    let known = addresses.as_deref().unwrap_or_default();
    let judge = |found: &[String]| purpose.verdict(&value, found, known);
    let checked = WantedRecord::of(purpose.name(), record).checked(found, judge);
    match addresses {
        Err(error) if checked.verdict == Some(DnsVerdict::Differs) && purpose.hangs_on_addresses() => {
            WantedRecord { verdict: Some(DnsVerdict::Unknown), error: Some(error.clone()), ..checked }
        }
        _ => checked,
    }
}

/// What the DNS has under this name of what is looked for, or why that is not known.
async fn found(resolver: &Resolver, purpose: Purpose, name: &str) -> Result<Vec<String>, String> {
    let name = Domain::parse(name).map_err(|error| error.to_string())?;
    match purpose {
        Purpose::Autoconfig | Purpose::Autodiscover => {
            let addresses = in_time(resolver.addresses(&name, Families::Both)).await?;
            Ok(addresses.iter().map(ToString::to_string).collect())
        }
        Purpose::Submission | Purpose::Submissions | Purpose::Incoming(_) => {
            Ok(in_time(resolver.srv(&name)).await?.iter().map(service).collect())
        }
        Purpose::Spf | Purpose::Dkim | Purpose::Dmarc | Purpose::Ptr => {
            let texts = in_time(resolver.txt(&name)).await?;
            Ok(texts.into_iter().filter(|text| purpose.is_one(text)).collect())
        }
    }
}

fn service(service: &dns::Srv) -> String {
    let target = service.target.as_ref().map(Domain::normal).unwrap_or_default();
    format!("{} {} {} {target}.", service.priority, service.weight, service.port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_looked_up_by_its_reverse_name() {
        assert_eq!(reverse_name("192.0.2.1".parse().unwrap()), "1.2.0.192.in-addr.arpa");
        let name = reverse_name("2001:db8::1".parse().unwrap());
        assert_eq!(name, "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
    }
}
