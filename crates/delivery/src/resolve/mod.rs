//! From the domain of a recipient to the hosts that take its mail, and their addresses (RFC 5321 section 5.1).
//!
//! What is asked of the DNS is asked here; what the answers mean is decided in `mx`, which hosts and in which order, and in `reach`, which
//! addresses mail may be sent to. Neither connects to anybody.

mod mx;
mod reach;
mod tlsas;
mod demand;
mod dane;
mod sts;
mod accounting;
mod https;
mod unroutable;

use std::collections::VecDeque;
use std::net::{IpAddr, UdpSocket};
use std::sync::Arc;

use dns::{Answer, Families, Resolver};
use ipnet::IpNet;
use rand::Rng;
use rand::seq::SliceRandom as _;
use rustls::pki_types::CertificateDer;
use types::{Domain, Host, TlsRequired};

use reach::Reach;
use sts::{Mode, Policy, PolicyFetcher, StsStanding};

pub(crate) use accounting::{Accounting, NOT_NAMED};
pub(crate) use demand::Demand;
pub(crate) use https::{Https, in_words};
pub use sts::{PolicyStore, StsPolicies};
pub(crate) use tlsas::Tlsas;
pub(crate) use unroutable::Unroutable;

/// How many addresses connections are made to for one domain, of all its hosts together. RFC 5321 section 5.1 asks for two at least.
const ADDRESSES: usize = 20;

/// Which mail hosts mail may be sent to, and what they have to prove.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MxRules {
    /// Which addresses are asked for.
    pub families: Families,
    /// Whether a host that has TLSA records has to show a certificate that they name (RFC 7672).
    pub dane: bool,
    /// Networks that mail may be sent to although they are private, or this machine's.
    pub allow_networks: Vec<IpNet>,
    /// Whether mail is sent as the policies of domains demand (MTA-STS, RFC 8461).
    pub mta_sts: bool,
    /// Authorities that are trusted besides the system's, where a certificate is demanded.
    pub trust: Vec<CertificateDer<'static>>,
}

impl MxRules {
    /// HTTPS with hosts that others name, which may be where mail hosts may be.
    pub(crate) fn https(&self, resolver: &Resolver) -> Https {
        let reach = Reach::new(self.allow_networks.clone());
        Https::new(resolver.clone(), self.families, reach, self.trust.clone())
    }
}

/// Finds the hosts that take mail for a domain.
#[derive(Debug, Clone)]
pub(crate) struct MailHosts {
    resolver: Resolver,
    ours: Option<Domain>,
    families: Families,
    dane: bool,
    reach: Reach,
    /// `None` where no policy is asked for.
    policies: Option<(Arc<StsPolicies>, Arc<PolicyFetcher>)>,
    trust: Vec<CertificateDer<'static>>,
}

/// A host that takes mail for a domain, and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// Its name, or the address literal of the recipient.
    pub(crate) host: Host,
    /// In no order but that IPv6 comes first; never empty.
    pub(crate) addresses: Vec<IpAddr>,
    /// What TLS has to prove before mail is handed over.
    pub(crate) demand: Demand,
    /// Whether DNSSEC has proved that it takes the mail of the domain.
    pub(crate) is_proven: bool,
    /// What is counted of sessions with it; `None` for the address literal of a recipient.
    pub(crate) accounting: Option<Accounting>,
}

/// The candidates for one domain, best first. The addresses of a host are not asked for before it is its turn, so that nobody waits for
/// what the DNS knows of a host that is not needed.
#[derive(Debug)]
pub(crate) struct Candidates<'a> {
    of: &'a MailHosts,
    /// With their preferences.
    hosts: VecDeque<(u16, Host)>,
    /// The domain, and what its aliases lead to, if DNSSEC has proved that these are its hosts; else nothing.
    proven_for: Vec<Domain>,
    /// What the domain demands of whoever sends it mail.
    policy: Option<Arc<Policy>>,
    /// What the sender wants of TLS.
    wish: TlsRequired,
    accounting: Option<Accounting>,
    addresses_left: usize,
}

impl MailHosts {
    /// Asks `resolver`, and takes what the rules allow. A mail host with the name `hostname` is this server.
    pub(crate) fn new(
        resolver: Resolver,
        hostname: &str,
        rules: &MxRules,
        policies: Arc<StsPolicies>,
    ) -> MailHosts {
        let MxRules { families, dane, allow_networks, mta_sts, trust } = rules.clone();
        let reach = Reach::new(allow_networks);
        let policies = mta_sts.then(|| {
            let fetcher = PolicyFetcher::new(resolver.clone(), families, reach.clone(), trust.clone());
            (policies, Arc::new(fetcher))
        });
        MailHosts { resolver, ours: Domain::parse(hostname).ok(), families, dane, reach, policies, trust }
    }

    /// Authorities that are trusted besides the system's, where a certificate is demanded.
    pub(crate) fn trust(&self) -> &[CertificateDer<'static>] {
        &self.trust
    }

    /// Fetches the policies anew that are old.
    pub(crate) async fn refresh_policies(&self) {
        if let Some((policies, fetcher)) = &self.policies {
            policies.refresh(fetcher).await;
        }
    }

    /// The candidates for what stands behind the `@` of a recipient, for a message whose sender has this wish of TLS.
    ///
    /// # Errors
    /// [`Unroutable`] when there is none, or none can be known now.
    pub(crate) async fn candidates(
        &self,
        destination: &Host,
        wish: TlsRequired,
    ) -> Result<Candidates<'_>, Unroutable> {
        let addresses_left = ADDRESSES;
        let Host::Domain(domain) = destination else {
            let (hosts, proven_for) = ([(0, destination.clone())].into(), Vec::new());
            let (policy, accounting) = (None, None);
            return Ok(Candidates { of: self, hosts, proven_for, policy, wish, accounting, addresses_left });
        };
        let (found, standing) = tokio::join!(self.resolver.mx(domain), self.standing(domain, wish));
        let proven_for = mx::proven_for(domain, &found);
        let hosts = mx::hosts(domain, found, self.ours.as_ref(), &mut rand::rng())?;
        let hosts = hosts.into_iter().map(|(preference, host)| (preference, Host::Domain(host))).collect();
        let standing = standing?;
        // Mail whose sender does not care for what a domain demands tells nothing of it.
        let accounting = (wish != TlsRequired::No).then(|| Accounting::of(domain, &standing));
        let policy = standing.policy;
        Ok(Candidates { of: self, hosts, proven_for, policy, wish, accounting, addresses_left })
    }

    /// How the domain stands to MTA-STS, unless that does not matter.
    async fn standing(&self, domain: &Domain, wish: TlsRequired) -> Result<StsStanding, Unroutable> {
        let policies = self.policies.as_ref().filter(|_| wish != TlsRequired::No);
        let Some((policies, fetcher)) = policies else { return Ok(StsStanding::default()) };
        policies.standing(domain, fetcher).await.map_err(|error| Unroutable::policy_unknown(domain, &error))
    }

    /// # Errors
    /// [`Unroutable`] when mail can't be sent to any address of the host, or what the host has to prove can't be known now.
    async fn candidate(
        &self,
        host: Host,
        proven_for: &[Domain],
        most: usize,
    ) -> Result<Candidate, Unroutable> {
        let (found, open, demand, is_proven) = match &host {
            Host::Literal(address) => (vec![*address], None, Demand::Opportunistic, false),
            Host::Domain(name) => {
                let found = self.resolver.addresses(name, self.families).await;
                let found = found.map_err(|error| Unroutable::of_host(name, self.families, error))?;
                let demand = self.demand(name, &found, proven_for).await?;
                let is_proven = mx::is_proven(name, &found, proven_for);
                (found.records, found.open, demand, is_proven)
            }
        };
        let reachable = self.reach.reachable(&host, &found);
        let mut addresses = reachable.map_err(|error| open.map_or(error, Unroutable::Temporary))?;
        if addresses.iter().any(|address| !self.reach.is_allowed(*address) && is_ours(*address)) {
            return Err(Unroutable::Ourselves(host.to_string()));
        }
        shuffle(&mut addresses, &mut rand::rng());
        let addresses = some_of_each(addresses, most);
        Ok(Candidate { host, addresses, demand, is_proven, accounting: None })
    }

    /// What a host has to prove that takes mail for these domains, as far as that is proved.
    async fn demand(
        &self,
        host: &Domain,
        found: &Answer<IpAddr>,
        proven_for: &[Domain],
    ) -> Result<Demand, Unroutable> {
        if !self.dane || proven_for.is_empty() {
            return Ok(Demand::Opportunistic);
        }
        let demand = dane::demand(&self.resolver, host, found, proven_for).await;
        demand.map_err(|error| Unroutable::TlsasUnknown { host: host.to_string(), error })
    }
}

impl Candidates<'_> {
    /// Has these come first among hosts of one preference: a connection that is there is better than one that may not come about. A worse
    /// host stays behind a better one, which may be back.
    pub(crate) fn prefer(&mut self, these: impl Fn(&Host) -> bool) {
        self.hosts.make_contiguous().sort_by_cached_key(|(preference, host)| (*preference, !these(host)));
    }

    /// What is counted of a host that the policy does not name, though it enforces that.
    pub(crate) fn accounting(&self) -> Option<&Accounting> {
        self.accounting.as_ref()
    }

    /// The next host; an error is about this one alone. Behind a host that is this server there is no other: its mail would only come back
    /// (RFC 5321 section 5.1).
    pub(crate) async fn next(&mut self) -> Option<Result<Candidate, Unroutable>> {
        if self.addresses_left == 0 {
            return None;
        }
        let (_, host) = self.hosts.pop_front()?;
        let proven_for = if self.wish == TlsRequired::No { &[] } else { self.proven_for.as_slice() };
        let candidate = self.of.candidate(host, proven_for, self.addresses_left).await;
        let candidate = candidate.and_then(|candidate| self.under_policy(candidate));
        let candidate = match candidate {
            Ok(candidate) => self.as_wished(candidate).await,
            Err(error) => Err(error),
        };
        match &candidate {
            Ok(candidate) => self.addresses_left -= candidate.addresses.len(),
            Err(Unroutable::Ourselves(_)) => self.hosts.clear(),
            Err(_) => {}
        }
        Some(candidate)
    }

    /// The candidate with what the policy of the domain demands of it. A host that has to show what its TLSA records name need not show more
    /// (RFC 8461 section 2).
    ///
    /// # Errors
    /// [`Unroutable::NotInPolicy`] when the policy is enforced and does not name the host.
    fn under_policy(&self, candidate: Candidate) -> Result<Candidate, Unroutable> {
        let mut accounting = self.accounting.clone();
        if let Demand::Dane(tlsas) = &candidate.demand {
            accounting = accounting.map(|accounting| accounting.by_dane(tlsas));
            return Ok(Candidate { accounting, ..candidate });
        }
        let (Some(policy), Some(host)) = (&self.policy, candidate.host.domain()) else {
            return Ok(Candidate { accounting, ..candidate });
        };
        let is_named = policy.names(host);
        if policy.mode == Mode::Enforce && !is_named {
            let named = policy.host_names().join(" ");
            return Err(Unroutable::NotInPolicy { host: host.to_string(), named });
        }
        let demand = if policy.mode == Mode::Enforce { Demand::Verified } else { candidate.demand };
        if let Some(accounting) = &mut accounting {
            accounting.is_named = is_named;
        }
        Ok(Candidate { demand, accounting, ..candidate })
    }

    /// The candidate with what the sender makes of that.
    ///
    /// # Errors
    /// [`Unroutable::NotProven`] when the sender wants a proof, and there is nothing to prove, or [`Unroutable::Unprovable`] now.
    async fn as_wished(&self, candidate: Candidate) -> Result<Candidate, Unroutable> {
        if let Some(demand) = candidate.demand.clone().with_wish(self.wish, candidate.is_proven) {
            // What the sender alone demands is none of the domain's failures.
            let accounting = candidate.accounting.filter(|_| demand == candidate.demand);
            return Ok(Candidate { demand, accounting, ..candidate });
        }
        let host = candidate.host;
        match host.domain() {
            Some(_) if !self.of.resolver.proves().await => Err(Unroutable::Unprovable(host.to_string())),
            Some(_) | None => Err(Unroutable::NotProven(host.to_string())),
        }
    }
}

/// Each address of a family gets its share, and its turn at another attempt.
fn shuffle(addresses: &mut [IpAddr], rng: &mut impl Rng) {
    addresses.shuffle(rng);
    addresses.sort_by_key(IpAddr::is_ipv4);
}

/// So many addresses: if there are more, as many of either family as there are, so that whoever has one family alone is not left without.
fn some_of_each(addresses: Vec<IpAddr>, most: usize) -> Vec<IpAddr> {
    let (v6, v4): (Vec<_>, Vec<_>) = addresses.into_iter().partition(IpAddr::is_ipv6);
    let of_v4 = v4.len().min(most - v6.len().min(most / 2));
    v6.into_iter().take(most - of_v4).chain(v4.into_iter().take(of_v4)).collect()
}

/// Whether the system would reach this address from itself: it is one of this machine. Nothing is sent.
fn is_ours(address: IpAddr) -> bool {
    let unspecified: IpAddr = if address.is_ipv4() { [0; 4].into() } else { [0; 16].into() };
    UdpSocket::bind((unspecified, 0))
        .and_then(|socket| socket.connect((address, 9)).and_then(|()| socket.local_addr()))
        .is_ok_and(|local| local.ip() == address)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;
    use rand::rngs::StdRng;

    use super::*;

    #[test]
    fn each_address_of_a_family_comes_first_at_times_and_ipv6_before_ipv4() {
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        let v6 = [address("2001:db8::1"), address("2001:db8::2")];
        let v4 = [address("192.0.2.1"), address("192.0.2.2"), address("192.0.2.3")];
        let mut rng = StdRng::seed_from_u64(5);
        let mut firsts = std::collections::HashSet::new();
        for _ in 0..100 {
            let mut all = [v4.as_slice(), &v6].concat();
            shuffle(&mut all, &mut rng);
            assert!(all[..2].iter().all(IpAddr::is_ipv6) && all[2..].iter().all(IpAddr::is_ipv4));
            firsts.extend([all[0], all[2]]);
        }
        assert_eq!(firsts.len(), 5);
    }

    #[test]
    fn of_many_addresses_some_of_each_family_are_tried() {
        let of = |v6: u8, v4: u8| {
            let v6 = (0..v6).map(|n| IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, u16::from(n)]));
            v6.chain((0..v4).map(|n| [192, 0, 2, n].into())).collect::<Vec<IpAddr>>()
        };
        for (v6, v4, most, kept) in [
            (4, 4, 4, (2, 2)),
            (1, 4, 4, (1, 3)),
            (4, 1, 4, (3, 1)),
            (9, 0, 4, (4, 0)),
            (0, 9, 4, (0, 4)),
            (2, 2, 9, (2, 2)),
            (2, 2, 1, (0, 1)),
        ] {
            let found = some_of_each(of(v6, v4), most);
            let of_v6 = found.iter().filter(|address| address.is_ipv6()).count();
            assert_eq!((of_v6, found.len() - of_v6), kept, "{v6} and {v4} of {most}");
        }
    }

    #[test]
    fn an_address_of_this_machine_is_ours() {
        assert!(is_ours([127, 0, 0, 1].into()));
        assert!(!is_ours([192, 0, 2, 1].into()));
    }
}
