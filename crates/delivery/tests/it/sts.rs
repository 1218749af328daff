//! Mail to domains that demand something of whoever sends it (MTA-STS, RFC 8461). Threat TLS-16.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use delivery::{MxRules, Routes, StsPolicies, Via};
use dns::fake::{Entry, Failure, FakeDns};
use dns::{Families, Upstream};
use jiff::SignedDuration;
use rustls::ServerConfig;
use store::RecipientState::{self, Deferred, Delivered};
use store::TlsFailureKind::{
    self, FetchError, HostMismatch, NotSupported, NotTrusted, PolicyInvalid, Validation,
};
use store::TlsPolicyKind::{self, NotFound, Sts, Tlsa};
use store::{StsPolicies as _, StsPolicy};
use tokio_util::sync::CancellationToken;

use crate::office::{Office, now, set_ahead};
use crate::peer::{Authority, Manners, Peer, own_certificate};
use crate::policy_host::{Answer, MemoryPolicies, PolicyHost, TOO_LONG};

const WEEK: u32 = 604_800;

/// A domain with a mail host and a policy host, both with certificates of one authority that is trusted.
struct World {
    authority: Authority,
    dns: FakeDns,
    policy_host: PolicyHost,
    store: MemoryPolicies,
    rules: MxRules,
}

impl World {
    async fn new(answer: Answer) -> World {
        let (authority, dns) = (Authority::new(), FakeDns::start());
        let policy_host = PolicyHost::start(authority.host("mta-sts.example.org"), answer).await;
        dns.set("_mta-sts.example.org", [Entry::txt("v=STSv1; id=1;")]);
        dns.set("mta-sts.example.org", [Entry::Address(policy_host.address)]);
        let rules = MxRules {
            families: Families::Both,
            dane: true,
            allow_networks: vec!["127.0.0.0/8".parse().unwrap()],
            mta_sts: true,
            trust: vec![authority.certificate.clone()],
        };
        World { authority, dns, policy_host, store: MemoryPolicies::default(), rules }
    }

    /// A server that has just been started.
    async fn office(&self) -> Office {
        self.office_trusting(None).await
    }

    /// The same, that knows the keys of the DNS by this file.
    async fn office_trusting(&self, trust_anchors: Option<PathBuf>) -> Office {
        let upstream = Upstream { servers: vec![self.dns.address()], trust_anchors };
        let routes = Routes::new(Via::Mx(self.rules.clone()), Vec::new());
        let sts = StsPolicies::new(Box::new(self.store.clone()), now);
        let office = Office::under_policies(&upstream, routes, Duration::from_secs(30), sts).open();
        office.carrier.tried_to_join().await;
        office
    }

    /// Has these take mail for the domain, the first one best; each with the name and the certificate of its number.
    async fn mail_hosts(&self, hosts: &[Host<'_>]) -> Vec<Peer> {
        let (mut peers, mut records) = (Vec::new(), Vec::new());
        for (name, manners) in hosts {
            let (peer, address) = Peer::mail_host(manners(&self.authority)).await;
            self.dns.set(name, [Entry::Address(address)]);
            records.push(Entry::mx(10 * u16::try_from(peers.len()).unwrap(), name));
            peers.push(peer);
        }
        self.dns.set("example.org", records);
        peers
    }
}

type Host<'a> = (&'a str, fn(&Authority) -> Manners);

fn with_tls(tls: Arc<ServerConfig>) -> Manners {
    Manners { offers: vec!["PIPELINING", "STARTTLS"], tls: Some(tls), ..Manners::default() }
}

fn good(authority: &Authority) -> Manners {
    with_tls(authority.host("mx.example.org"))
}

fn of_another_name(authority: &Authority) -> Manners {
    with_tls(authority.host("other.example.org"))
}

fn of_nobody(_: &Authority) -> Manners {
    with_tls(Authority::new().host("mx.example.org"))
}

fn cut_at_starttls(_: &Authority) -> Manners {
    Manners { offers: vec!["STARTTLS"], start_tls: "", ..Manners::default() }
}

fn in_the_clear(_: &Authority) -> Manners {
    Manners::default()
}

fn enforce() -> Answer {
    Answer::policy("enforce", &["mx.example.org"], WEEK)
}

/// What becomes of one message: state, reply, and who said it.
async fn send(office: &mut Office) -> (RecipientState, String, Option<String>) {
    send_to(office, "u@example.org").await
}

async fn send_to(office: &mut Office, to: &str) -> (RecipientState, String, Option<String>) {
    let id = office.submit(&[to]).await;
    let seat = office.tried(id).await.remove(0);
    (seat.state, seat.reply, seat.host)
}

#[tokio::test]
async fn what_is_enforced_holds_for_every_host() {
    for (what, name, manners, state, said) in [
        ("fine", "mx.example.org", good as fn(&Authority) -> Manners, Delivered, "250 2.0.0 taken"),
        ("another name", "mx.example.org", of_another_name, Deferred, "451 4.7."),
        ("an unknown authority", "mx.example.org", of_nobody, Deferred, "451 4.7."),
        ("no TLS", "mx.example.org", in_the_clear, Deferred, "451 4.7."),
        (
            "not named",
            "evil.example.org",
            good,
            Deferred,
            "451 4.7.5 the MTA-STS policy of the domain, which it enforces, does not name the mail host evil.example.org but mx.example.org",
        ),
    ] {
        let world = World::new(enforce()).await;
        let peers = world.mail_hosts(&[(name, manners)]).await;
        let mut office = world.office().await;
        let (found, reply, _) = send(&mut office).await;
        assert!(found == state && reply.starts_with(said), "{what}: {found:?} {reply}");
        assert_eq!(peers[0].has_seen("MAIL"), state == Delivered, "{what}");
        assert!(!peers[0].commands().iter().any(|said| said.starts_with("MAIL")), "{what}: in the clear");
    }
}

/// RFC 8461 section 5.1: others may have what the first has not.
#[tokio::test]
async fn the_next_host_gets_what_the_first_must_not_have() {
    for bad in [of_another_name as fn(&Authority) -> Manners, in_the_clear] {
        let world = World::new(Answer::policy("enforce", &["*.example.org"], WEEK)).await;
        let peers = world.mail_hosts(&[("other-mx.example.org", bad), ("mx.example.org", good)]).await;
        let mut office = world.office().await;
        let (state, reply, host) = send(&mut office).await;
        assert_eq!((state, host.as_deref()), (Delivered, Some("mx.example.org:25")), "{reply}");
        assert!(!peers[0].has_seen("MAIL"));
    }
}

/// Threat DEL-04: a policy that is only tried keeps no mail.
#[tokio::test]
async fn what_is_only_tested_keeps_no_mail() {
    for (name, manners) in [
        ("mx.example.org", of_another_name as fn(&Authority) -> Manners),
        ("mx.example.org", in_the_clear),
        ("evil.example.org", good),
    ] {
        let world = World::new(Answer::policy("testing", &["mx.example.org"], WEEK)).await;
        let _peers = world.mail_hosts(&[(name, manners)]).await;
        let mut office = world.office().await;
        assert_eq!(send(&mut office).await.0, Delivered);
        assert_eq!(world.store.domains(), ["example.org"]);
    }
}

#[tokio::test]
async fn a_domain_that_announces_no_policy_has_none() {
    for texts in [vec![], vec!["v=STSv1; id=1", "v=STSv1; id=2"], vec!["v=STSv2; id=1"], vec!["v=STSv1; id="]]
    {
        let world = World::new(enforce()).await;
        world.dns.set("_mta-sts.example.org", texts.iter().map(|text| Entry::txt(text)).collect::<Vec<_>>());
        let _peers = world.mail_hosts(&[("mx.example.org", in_the_clear)]).await;
        let mut office = world.office().await;
        assert_eq!(send(&mut office).await.0, Delivered, "{texts:?}");
        assert!(world.policy_host.asked().is_empty(), "{texts:?}");
    }
    let world = World::new(enforce()).await;
    world.dns.fail("_mta-sts.example.org", Failure::ServFail);
    let _peers = world.mail_hosts(&[("mx.example.org", in_the_clear)]).await;
    assert_eq!(send(&mut world.office().await).await.0, Delivered);
}

#[tokio::test]
async fn where_the_operator_wants_no_policies_none_is_asked_for() {
    let mut world = World::new(enforce()).await;
    world.rules.mta_sts = false;
    let _peers = world.mail_hosts(&[("mx.example.org", in_the_clear)]).await;
    assert_eq!(send(&mut world.office().await).await.0, Delivered);
    assert!(!world.dns.asked().iter().any(|(name, _)| name.contains("mta-sts")));
}

/// RFC 8461 section 3.3: mail goes on as without a policy, and the host is left alone for a while.
#[tokio::test]
async fn what_is_no_policy_is_none_and_not_asked_for_at_once_again() {
    let file = |media_type, text: &str| Answer::File(media_type, text.to_owned());
    let policy = "version: STSv1\nmode: enforce\nmx: mx.example.org\nmax_age: 604800\n";
    for answer in [
        Answer::Head(404, ""),
        Answer::Head(500, ""),
        Answer::Head(204, "content-type: text/plain\r\n"),
        Answer::Head(301, "location: https://mta-sts.example.org/.well-known/mta-sts.txt\r\n"),
        Answer::Head(302, "location: https://mta-sts.example.org/policy\r\n"),
        Answer::HangUp,
        file("text/html", policy),
        file("text/plainer", policy),
        file("text/plain", "version: STSv1\nmode: enforce\nmax_age: 604800\n"),
        file("text/plain", &format!("{policy}{}", "#".repeat(64 * 1024))),
        file("text/plain", &format!("{policy}{}", "x: y\n".repeat(20 * 1024))),
    ] {
        set_ahead(0);
        let world = World::new(answer.clone()).await;
        let _peers = world.mail_hosts(&[("mx.example.org", in_the_clear)]).await;
        let mut office = world.office().await;
        assert_eq!(send(&mut office).await.0, Delivered, "{answer:?}");
        assert_eq!(send(&mut office).await.0, Delivered, "{answer:?}");
        assert_eq!(world.policy_host.asked(), ["GET /.well-known/mta-sts.txt HTTP/1.1"], "{answer:?}");
        assert!(world.store.domains().is_empty());
        world.policy_host.answer(enforce());
        set_ahead(1);
        assert_eq!(send(&mut office).await.0, Deferred, "{answer:?}");
    }
}

/// Whoever could name another host, or has no certificate for the name, could say anything.
#[tokio::test]
async fn the_policy_host_is_verified() {
    let world = World::new(enforce()).await;
    let _peers = world.mail_hosts(&[("mx.example.org", in_the_clear)]).await;
    for tls in [world.authority.host("www.example.org"), Authority::new().host("mta-sts.example.org")] {
        let other = PolicyHost::start(tls, enforce()).await;
        world.dns.set("mta-sts.example.org", [Entry::Address(other.address)]);
        assert_eq!(send(&mut world.office().await).await.0, Delivered);
        assert_eq!(other.asked(), ["no TLS"]);
    }
}

/// Threat DEL-02: nobody has a server behind the firewall asked.
#[tokio::test]
async fn a_policy_host_leads_to_no_network_that_is_forbidden() {
    let mut world = World::new(enforce()).await;
    let peers = world.mail_hosts(&[("mx.example.org", in_the_clear)]).await;
    world.rules.allow_networks = vec![peers[0].address.into()];
    assert_eq!(send(&mut world.office().await).await.0, Delivered);
    assert_eq!((world.policy_host.asked().len(), peers[0].texts().len()), (0, 1));
}

/// RFC 8461 section 5.1, and what a restart must not change.
#[tokio::test]
async fn a_policy_is_in_force_until_its_time_is_over_whoever_is_down() {
    set_ahead(0);
    let world = World::new(enforce()).await;
    let _peers = world.mail_hosts(&[("mx.example.org", in_the_clear)]).await;
    let mut office = world.office().await;
    assert_eq!(send(&mut office).await.0, Deferred);
    world.policy_host.answer(Answer::HangUp);
    world.dns.set("_mta-sts.example.org", []);
    assert_eq!(send(&mut office).await.0, Deferred);
    world.dns.fail("_mta-sts.example.org", Failure::ServFail);
    world.dns.fail("mta-sts.example.org", Failure::ServFail);
    set_ahead(6 * 24);
    assert_eq!(send(&mut office).await.0, Deferred);
    let mut after_restart = world.office().await;
    assert_eq!(send(&mut after_restart).await.0, Deferred);
    assert_eq!(world.policy_host.asked().len(), 1);
    set_ahead(8 * 24);
    assert_eq!(send(&mut after_restart).await.0, Delivered);
    assert_eq!(send(&mut world.office().await).await.0, Delivered);
}

#[tokio::test]
async fn a_new_id_brings_a_new_policy_if_it_can_be_had() {
    set_ahead(0);
    let world = World::new(enforce()).await;
    let _peers = world
        .mail_hosts(&[("new.example.org", |authority| with_tls(authority.host("new.example.org")))])
        .await;
    let mut office = world.office().await;
    assert_eq!(send(&mut office).await.0, Deferred);
    world.policy_host.answer(Answer::policy("enforce", &["new.example.org"], WEEK));
    assert_eq!(send(&mut office).await.0, Deferred);
    assert_eq!(world.policy_host.asked().len(), 1);
    world.dns.set("_mta-sts.example.org", [Entry::txt("v=STSv1; id=2;")]);
    let (state, reply, _) = send(&mut office).await;
    assert_eq!(state, Delivered, "{reply}");
    world.dns.set("_mta-sts.example.org", [Entry::txt("v=STSv1; id=3;")]);
    world.policy_host.answer(Answer::Head(503, ""));
    assert_eq!(send(&mut office).await.0, Delivered);
    assert_eq!(send(&mut office).await.0, Delivered);
    assert_eq!(world.policy_host.asked().len(), 3);
}

#[tokio::test]
async fn a_domain_withdraws_its_policy() {
    set_ahead(0);
    let world = World::new(enforce()).await;
    let _peers = world.mail_hosts(&[("mx.example.org", in_the_clear)]).await;
    let mut office = world.office().await;
    assert_eq!(send(&mut office).await.0, Deferred);
    world.dns.set("_mta-sts.example.org", [Entry::txt("v=STSv1; id=2;")]);
    world.policy_host.answer(Answer::policy("none", &[], 86_400));
    assert_eq!(send(&mut office).await.0, Delivered);
    assert_eq!(send(&mut office).await.0, Delivered);
    assert_eq!((world.policy_host.asked().len(), world.store.domains().len()), (2, 0));
}

#[tokio::test]
async fn a_policy_host_that_does_not_come_to_an_end_is_waited_for_a_minute() {
    set_ahead(0);
    let world = World::new(Answer::Stall).await;
    let _peers = world.mail_hosts(&[("mx.example.org", in_the_clear)]).await;
    let mut office = world.office().await;
    let id = office.submit(&["u@example.org"]).await;
    world.policy_host.stalled.notified().await;
    tokio::time::pause();
    let begun = tokio::time::Instant::now();
    tokio::time::advance(TOO_LONG).await;
    world.policy_host.left.notified().await;
    assert!(begun.elapsed() < TOO_LONG * 2, "{:?}", begun.elapsed());
    tokio::time::resume();
    assert_eq!(office.tried(id).await[0].state, Delivered);
}

/// Those who wait for mail to other domains see nothing of it.
#[tokio::test]
async fn a_slow_policy_host_keeps_no_other_mail() {
    let world = World::new(Answer::Stall).await;
    let _peers = world.mail_hosts(&[("mx.example.org", in_the_clear)]).await;
    let (_other, address) = Peer::mail_host(Manners::default()).await;
    world.dns.set("example.net", [Entry::Address(address)]);
    let mut office = world.office().await;
    let slow = office.submit(&["u@example.org"]).await;
    world.policy_host.stalled.notified().await;
    assert_eq!(send_to(&mut office, "u@example.net").await.0, Delivered);
    assert_eq!(office.spool.seats(slow)[0].state, RecipientState::Queued);
}

/// RFC 8461 section 10.2: whoever keeps one record from us must not have the policy run out.
#[tokio::test]
async fn a_policy_is_fetched_anew_whatever_the_dns_says_of_it() {
    for failure in [None, Some(Failure::ServFail)] {
        set_ahead(0);
        let world = World::new(enforce()).await;
        let _peers = world.mail_hosts(&[("mx.example.org", in_the_clear)]).await;
        let mut office = world.office().await;
        assert_eq!(send(&mut office).await.0, Deferred);
        world.dns.set("_mta-sts.example.org", []);
        if let Some(failure) = failure {
            world.dns.fail("_mta-sts.example.org", failure);
        }
        set_ahead(6 * 24);
        an_hour_passes(&office).await;
        while world.store.of("example.org").fetched_at < now() - SignedDuration::from_hours(1) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        set_ahead(8 * 24);
        assert_eq!(send(&mut office).await.0, Deferred);
    }
}

/// Lets the policies that are old be fetched.
async fn an_hour_passes(office: &Office) {
    tokio::spawn(office.carrier.clone().keep_policies(CancellationToken::new()));
    tokio::task::yield_now().await;
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(3601)).await;
    tokio::time::resume();
}

fn kept(text: &str) -> StsPolicy {
    StsPolicy {
        domain: "example.org".to_owned(),
        id: "1".to_owned(),
        text: text.to_owned(),
        fetched_at: now(),
        expires_at: now() + SignedDuration::from_hours(24 * 7),
        used_at: now(),
    }
}

/// It is no policy any more, and not none.
#[tokio::test]
async fn in_the_place_of_a_damaged_policy_another_is_fetched_or_mail_waits() {
    for announced in [true, false] {
        set_ahead(0);
        let world = World::new(Answer::HangUp).await;
        world.store.keep_sts_policy(&kept("nonsense")).await.unwrap();
        if !announced {
            world.dns.set("_mta-sts.example.org", []);
        }
        let _peers = world.mail_hosts(&[("mx.example.org", in_the_clear)]).await;
        let mut office = world.office().await;
        let (state, reply, _) = send(&mut office).await;
        assert!(state == Deferred && reply.starts_with("451 4.3.0"), "{reply}");
        world.policy_host.answer(Answer::policy("testing", &["mx.example.org"], WEEK));
        set_ahead(1);
        assert_eq!(send(&mut office).await.0, Delivered);
        assert!(world.store.of("example.org").text.contains("testing"));
    }
}

#[tokio::test]
async fn what_is_over_at_once_is_fetched_once_in_five_minutes_and_not_kept() {
    for (mode, hosts) in [("enforce", &["mx.example.org"][..]), ("none", &[])] {
        set_ahead(0);
        let world = World::new(Answer::policy(mode, hosts, 0)).await;
        let _peers = world.mail_hosts(&[("mx.example.org", good)]).await;
        let mut office = world.office().await;
        for _ in 0..3 {
            assert_eq!(send(&mut office).await.0, Delivered);
        }
        assert_eq!((world.policy_host.asked().len(), world.store.domains().len()), (1, 0));
        set_ahead(1);
        assert_eq!(send(&mut office).await.0, Delivered);
        assert_eq!(world.policy_host.asked().len(), 2);
    }
}

/// Threat TLS-16: what is only tested needs no authorities.
#[tokio::test]
async fn what_is_only_tested_keeps_no_mail_where_authorities_cannot_be_read() {
    set_ahead(0);
    let mut world = World::new(Answer::HangUp).await;
    world.rules.trust = vec![vec![0].into()];
    let policy = "version: STSv1\nmode: testing\nmx: mx.example.org\nmax_age: 604800\n";
    world.store.keep_sts_policy(&kept(policy)).await.unwrap();
    let _peers = world.mail_hosts(&[("mx.example.org", good)]).await;
    let (state, reply, _) = send(&mut world.office().await).await;
    assert_eq!(state, Delivered, "{reply}");
}

/// mox 8ca1988: it is the policy of the domain that the recipient has, in its one form, and not that of a mail host.
#[tokio::test]
async fn the_domain_is_that_of_the_recipient() {
    set_ahead(0);
    let world = World::new(enforce()).await;
    let _peers = world.mail_hosts(&[("mx.example.org", in_the_clear)]).await;
    world.dns.set("xn--bcher-kva.example", [Entry::mx(10, "mx.example.org")]);
    let mut office = world.office().await;
    assert_eq!(send_to(&mut office, "u@EXAMPLE.Org").await.0, Deferred);
    assert_eq!(send_to(&mut office, "u@b\u{fc}cher.example").await.0, Delivered);
    let asked = world.dns.asked();
    assert!(asked.contains(&("_mta-sts.xn--bcher-kva.example".to_owned(), "TXT".to_owned())), "{asked:?}");
    assert_eq!(world.policy_host.asked().len(), 1);
}

#[tokio::test]
async fn of_many_messages_at_once_one_fetches() {
    set_ahead(0);
    let world = World::new(Answer::policy("testing", &["mx.example.org"], WEEK)).await;
    let _peers = world.mail_hosts(&[("mx.example.org", in_the_clear)]).await;
    let mut office = world.office().await;
    let mut ids = Vec::new();
    for _ in 0..20 {
        ids.push(office.submit(&["u@example.org"]).await);
    }
    for id in ids {
        assert_eq!(office.tried(id).await[0].state, Delivered);
    }
    assert_eq!(world.policy_host.asked().len(), 1);
}

/// RFC 8461 section 2: a host that shows what the DNS names need not show more, and one that doesn't is not saved by the policy.
#[tokio::test]
async fn where_the_dns_names_certificates_they_decide() {
    let directory = tempfile::tempdir().unwrap();
    let anchors = directory.path().join("anchors");
    for (name, says_so, state) in [
        ("mx.example.org", true, Delivered),
        ("evil.example.org", true, Delivered),
        ("mx.example.org", false, Deferred),
    ] {
        let world = World::new(enforce()).await;
        std::fs::write(&anchors, world.dns.trust_anchors()).unwrap();
        let (certificate, config) = own_certificate("elsewhere.example");
        let tls = if says_so { config } else { world.authority.host("mx.example.org") };
        let (peer, address) = Peer::mail_host(with_tls(tls)).await;
        world.dns.set("example.org", [Entry::mx(10, name)]);
        world.dns.set(name, [Entry::Address(address)]);
        world.dns.set(&format!("_25._tcp.{name}"), [Entry::Tlsa(3, 0, 0, certificate.to_vec())]);
        let mut office = world.office_trusting(Some(anchors.clone())).await;
        let (found, reply, _) = send(&mut office).await;
        let failure = (state == Deferred).then_some(TlsFailureKind::TlsaInvalid);
        assert_eq!(counted(&office), [(Tlsa, failure, 1)]);
        assert!(found == state && peer.has_seen("MAIL") == (state == Delivered), "{name} {says_so}: {reply}");
    }
}

/// What was counted: by which kind of policy, what went wrong, and how often.
fn counted(office: &Office) -> Vec<(TlsPolicyKind, Option<TlsFailureKind>, u64)> {
    let results = office.tls_tally.take();
    assert!(results.iter().all(|(_, result, _)| result.domain == "example.org"), "{results:?}");
    for failure in results.iter().filter_map(|(_, result, _)| result.failure.as_ref()) {
        assert!(!failure.reason.is_empty() && failure.ip.is_empty() == failure.sent_from.is_empty());
    }
    let mut counted: Vec<_> = results
        .into_iter()
        .map(|(_, result, sessions)| {
            (result.policy.kind, result.failure.map(|failure| failure.kind), sessions)
        })
        .collect();
    counted.sort_by_key(|(policy, failure, _)| (policy.name(), failure.map(TlsFailureKind::name)));
    counted
}

/// RFC 8460 section 4.3: each session once, by its policy and by what went wrong.
#[tokio::test]
async fn how_tls_went_is_counted() {
    let policy = |mode| Answer::policy(mode, &["mx.example.org"], WEEK);
    let no_file = || Answer::Head(404, "");
    let no_policy = || Answer::File("text/plain", "nothing".to_owned());
    for (what, answer, name, manners, expected) in [
        (
            "fine",
            policy("enforce"),
            "mx.example.org",
            good as fn(&Authority) -> Manners,
            vec![(Sts, None, 1)],
        ),
        ("name", policy("enforce"), "mx.example.org", of_another_name, vec![(Sts, Some(HostMismatch), 1)]),
        ("authority", policy("enforce"), "mx.example.org", of_nobody, vec![(Sts, Some(NotTrusted), 1)]),
        ("no TLS", policy("enforce"), "mx.example.org", in_the_clear, vec![(Sts, Some(NotSupported), 1)]),
        ("not named", policy("enforce"), "evil.example.org", good, vec![(Sts, Some(Validation), 1)]),
        ("tested", policy("testing"), "mx.example.org", good, vec![(Sts, None, 1)]),
        (
            "tested name",
            policy("testing"),
            "mx.example.org",
            of_another_name,
            vec![(Sts, Some(HostMismatch), 1)],
        ),
        (
            "tested authority",
            policy("testing"),
            "mx.example.org",
            of_nobody,
            vec![(Sts, Some(NotTrusted), 1)],
        ),
        (
            "tested no TLS",
            policy("testing"),
            "mx.example.org",
            in_the_clear,
            vec![(Sts, Some(NotSupported), 1)],
        ),
        ("tested not named", policy("testing"), "evil.example.org", good, vec![(Sts, Some(Validation), 1)]),
        ("cut", policy("enforce"), "mx.example.org", cut_at_starttls, vec![(Sts, Some(NotSupported), 1)]),
        (
            "tested cut",
            policy("testing"),
            "mx.example.org",
            cut_at_starttls,
            vec![(Sts, Some(NotSupported), 1)],
        ),
        (
            "no file",
            no_file(),
            "mx.example.org",
            of_nobody,
            vec![(NotFound, None, 1), (Sts, Some(FetchError), 1)],
        ),
        (
            "no policy",
            no_policy(),
            "mx.example.org",
            in_the_clear,
            vec![(NotFound, Some(NotSupported), 1), (Sts, Some(PolicyInvalid), 1)],
        ),
    ] {
        set_ahead(0);
        let world = World::new(answer).await;
        let _peers = world.mail_hosts(&[(name, manners)]).await;
        let mut office = world.office().await;
        let _ = send(&mut office).await;
        assert_eq!(counted(&office), expected, "{what}");
    }
}

/// A connection that is used again is no other session, and reports do not bring forth each other.
#[tokio::test]
async fn what_is_no_session_of_its_own_is_not_counted() {
    set_ahead(0);
    let world = World::new(enforce()).await;
    let peers = world.mail_hosts(&[("mx.example.org", good)]).await;
    let mut office = world.office().await;
    for _ in 0..3 {
        assert_eq!(send(&mut office).await.0, Delivered);
    }
    assert_eq!((peers[0].connections(), counted(&office)), (1, vec![(Sts, None, 1)]));
    let mut office = world.office().await;
    let id = office
        .submit_with(&["u@example.org"], b"Subject: x\r\n\r\n", |report| report.account = delivery::REPORTER)
        .await;
    assert_eq!((office.tried(id).await[0].state, counted(&office)), (Delivered, vec![]));
}
