//! Which hosts take mail for a domain, and in which order they are tried (RFC 5321 section 5.1, RFC 7505).

use std::net::IpAddr;

use dns::{Answer, DnsError, Mx};
use rand::Rng;
use rand::seq::SliceRandom as _;
use types::Domain;

use super::unroutable::Unroutable;

/// How many hosts of a domain are tried. The large ones have five.
const HOSTS: usize = 10;

/// The hosts that take mail for `domain` and their preferences, best first, as its MX records say, or the domain itself if it has none. Those of one preference are
/// shuffled, so that each gets its share. `ours` is this server's name: hosts which are no better than that are left out, since they
/// would send the mail back to us.
///
/// # Errors
/// [`Unroutable`] when there is none, or none can be known now.
pub(super) fn hosts(
    domain: &Domain,
    found: Result<Answer<Mx>, DnsError>,
    ours: Option<&Domain>,
    rng: &mut impl Rng,
) -> Result<Vec<(u16, Domain)>, Unroutable> {
    let records = match found {
        Ok(answer) => answer.records,
        // The implicit MX.
        Err(DnsError::NoSuchRecords { .. }) => vec![Mx { preference: 0, exchange: Some(domain.clone()) }],
        Err(error) => return Err(Unroutable::of_domain(domain, error)),
    };
    if matches!(records.as_slice(), [Mx { exchange: None, .. }]) {
        return Err(Unroutable::NullMx(domain.to_string()));
    }
    let mut hosts = in_order(records, rng);
    if hosts.is_empty() {
        return Err(Unroutable::NoHost(domain.to_string()));
    }
    if let Some(own) = ours.and_then(|ours| preference_of(ours, &hosts)) {
        hosts.retain(|(preference, _)| *preference < own);
        if hosts.is_empty() {
            return Err(Unroutable::Ourselves(domain.to_string()));
        }
    }
    hosts.truncate(HOSTS);
    Ok(hosts)
}

/// The domain, and what its aliases lead to, if DNSSEC has proved that these hosts take its mail, or it may be that it has (see
/// [`is_proven`]); else nothing.
pub(super) fn proven_for(domain: &Domain, found: &Result<Answer<Mx>, DnsError>) -> Vec<Domain> {
    match found {
        Ok(answer) if !answer.proven => Vec::new(),
        Ok(answer) if answer.name.normal() != domain.normal() => vec![domain.clone(), answer.name.clone()],
        Ok(_) | Err(_) => vec![domain.clone()],
    }
}

/// Whether DNSSEC has proved that `host`, whose addresses were `found`, takes the mail of these domains. A domain that is its own mail host,
/// for want of MX records, proves that by its addresses: where those are signed nobody can hide a record.
pub(super) fn is_proven(host: &Domain, found: &Answer<IpAddr>, proven_for: &[Domain]) -> bool {
    proven_for.first().is_some_and(|domain| found.proven || domain.normal() != host.normal())
}

/// By preference, and each host once. A null MX beside others says nothing (RFC 7505 section 3).
fn in_order(records: Vec<Mx>, rng: &mut impl Rng) -> Vec<(u16, Domain)> {
    let hosts = records.into_iter().filter_map(|mx| Some((mx.preference, mx.exchange?)));
    let mut hosts: Vec<_> = hosts.collect();
    hosts.shuffle(rng);
    hosts.sort_by_key(|(preference, _)| *preference);
    let mut seen = std::collections::HashSet::new();
    hosts.retain(|(_, host)| seen.insert(host.normal()));
    hosts
}

fn preference_of(ours: &Domain, hosts: &[(u16, Domain)]) -> Option<u16> {
    let ours = ours.normal();
    hosts.iter().find(|(_, host)| host.normal() == ours).map(|(preference, _)| *preference)
}

#[cfg(test)]
mod tests {
    use dns::RecordKind;
    use proptest::prelude::*;
    use rand::SeedableRng as _;
    use rand::rngs::StdRng;

    use super::*;

    fn domain(name: &str) -> Domain {
        Domain::parse(name).unwrap()
    }

    fn mx(preference: u16, host: &str) -> Mx {
        Mx { preference, exchange: (host != ".").then(|| domain(host)) }
    }

    fn found(records: Vec<Mx>) -> Result<Answer<Mx>, DnsError> {
        Ok(Answer { records, proven: false, name: domain("example.org"), open: None })
    }

    fn hosts_of(found: Result<Answer<Mx>, DnsError>) -> Result<Vec<String>, Unroutable> {
        let (example, ours) = (domain("example.org"), domain("Mail.example.net"));
        let hosts = hosts(&example, found, Some(&ours), &mut StdRng::seed_from_u64(7))?;
        Ok(hosts.into_iter().map(|(_, host)| host.to_string()).collect())
    }

    #[test]
    fn the_lowest_preference_comes_first_and_our_own_ends_the_list() {
        let records = |own| {
            vec![mx(20, "b.example"), mx(own, "mail.EXAMPLE.net"), mx(10, "a.example"), mx(30, "c.example")]
        };
        assert_eq!(hosts_of(found(records(40))).unwrap(), ["a.example", "b.example", "c.example"]);
        assert_eq!(hosts_of(found(records(30))).unwrap(), ["a.example", "b.example"]);
        assert_eq!(hosts_of(found(records(20))).unwrap(), ["a.example"]);
        let ours = Unroutable::Ourselves("example.org".to_owned());
        for own in [10, 5] {
            assert_eq!(hosts_of(found(records(own))), Err(ours.clone()), "{own}");
        }
    }

    #[test]
    fn a_domain_without_mx_records_is_its_own_mail_host() {
        let none = || Err(DnsError::NoSuchRecords { name: "example.org".to_owned(), kind: RecordKind::Mx });
        assert_eq!(hosts_of(none()).unwrap(), ["example.org"]);
        let own = hosts(
            &domain("example.org"),
            none(),
            Some(&domain("example.org")),
            &mut StdRng::seed_from_u64(1),
        );
        assert_eq!(own, Err(Unroutable::Ourselves("example.org".to_owned())));
    }

    #[test]
    fn what_has_no_host_says_why_and_whether_for_good() {
        let name = || "example.org".to_owned();
        let reason = || "no answer in time".to_owned();
        let table = [
            (
                found(vec![mx(0, ".")]),
                "556 5.1.10 the domain example.org takes no mail: it says so by a null MX",
            ),
            (Err(DnsError::NoSuchName(name())), "550 5.1.2 the domain example.org does not exist"),
            (found(Vec::new()), "550 5.4.4 example.org has no host that takes mail"),
            (found(vec![mx(0, "."), mx(1, ".")]), "550 5.4.4 example.org has no host that takes mail"),
            (Err(DnsError::AliasLoop(name())), "554 5.4.6 the aliases (CNAME) of example.org"),
            (Err(DnsError::Bogus(name())), "451 4.4.3 the DNS answer about example.org fails DNSSEC"),
            (
                Err(DnsError::Temporary { name: name(), reason: reason() }),
                "451 4.4.3 the DNS does not answer about example.org now",
            ),
        ];
        for (found, expected) in table {
            let verdict = hosts_of(found).unwrap_err().to_verdict();
            let said = verdict.reply().to_string();
            assert!(said.starts_with(expected), "{said}");
            assert_eq!(matches!(verdict, esmtp::dialogue::Verdict::Failed(_)), said.starts_with('5'));
        }
    }

    #[test]
    fn a_null_mx_beside_a_host_says_nothing() {
        assert_eq!(hosts_of(found(vec![mx(0, "."), mx(10, "a.example")])).unwrap(), ["a.example"]);
    }

    #[test]
    fn of_five_hundred_the_ten_best_are_tried() {
        let all = (0..500).rev().map(|number| mx(number, &format!("mx{number}.example"))).collect();
        let best: Vec<_> = (0..10).map(|number| format!("mx{number}.example")).collect();
        assert_eq!(hosts_of(found(all)).unwrap(), best);
    }

    #[test]
    fn hosts_of_one_preference_share_the_mail() {
        let (example, mut rng) = (domain("example.org"), StdRng::seed_from_u64(3));
        let first = |rng: &mut StdRng| {
            let records = vec![mx(10, "a.example"), mx(10, "b.example"), mx(20, "c.example")];
            hosts(&example, found(records), None, rng).unwrap().remove(0).1.to_string()
        };
        let firsts: Vec<_> = (0..1000).map(|_| first(&mut rng)).collect();
        let of = |name: &str| firsts.iter().filter(|first| *first == name).count();
        assert!(of("a.example") > 400 && of("b.example") > 400 && of("c.example") == 0);
    }

    proptest! {
        #[test]
        fn any_records_give_each_host_once_in_order_and_never_ourselves(
            records in prop::collection::vec((0u16..5, 0u8..8), 0..40),
            seed in any::<u64>(),
        ) {
            let name = |host| if host == 0 { "mail.example.net".to_owned() } else { format!("mx{host}.example") };
            let of = |host: &str| {
                let host = records.iter().filter(|(_, number)| name(*number) == host);
                host.map(|(preference, _)| *preference).min()
            };
            let all = records.iter().map(|(preference, host)| mx(*preference, &name(*host))).collect();
            let (example, ours) = (domain("example.org"), domain("mail.example.net"));
            if let Ok(hosts) = hosts(&example, found(all), Some(&ours), &mut StdRng::seed_from_u64(seed)) {
                let names: Vec<_> = hosts.iter().map(|(_, host)| host.to_string()).collect();
                let preferences: Vec<_> = names.iter().map(|host| of(host).unwrap()).collect();
                prop_assert!(!names.is_empty() && names.len() <= HOSTS);
                prop_assert!(preferences.is_sorted());
                let mut distinct = names.clone();
                distinct.sort();
                distinct.dedup();
                prop_assert_eq!(distinct.len(), names.len());
                let own = of("mail.example.net").unwrap_or(u16::MAX);
                prop_assert!(preferences.iter().all(|preference| *preference < own));
            } else {
                prop_assert!(records.is_empty() || of("mail.example.net") == records.iter().map(|(preference, _)| *preference).min());
            }
        }
    }
}
