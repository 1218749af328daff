//! Reports on TLS by HTTPS (RFC 8460 section 3).

use std::sync::Arc;

use delivery::{MxRules, PostError, ReportPoster, Url};
use dns::fake::{Entry, FakeDns};
use dns::{Families, Resolver, Upstream};
use rustls::ServerConfig;

use crate::peer::Authority;
use crate::policy_host::{Answer, PolicyHost, TOO_LONG};

/// What comes of a report to a host that answers so, and what it was asked.
async fn post(
    tls: Arc<ServerConfig>,
    authority: &Authority,
    allowed: &str,
    answer: Answer,
) -> (Result<(), PostError>, Vec<String>) {
    let (host, dns) = (PolicyHost::start(tls, answer.clone()).await, FakeDns::start());
    dns.set("reports.example.org", [Entry::Address(host.address)]);
    let resolver = Resolver::new(&Upstream { servers: vec![dns.address()], trust_anchors: None }).unwrap();
    let rules = MxRules {
        families: Families::Both,
        dane: true,
        allow_networks: vec![allowed.parse().unwrap()],
        mta_sts: true,
        trust: vec![authority.certificate.clone()],
    };
    let (poster, url) =
        (ReportPoster::new(&resolver, &rules), Url::parse("https://reports.example.org/v1?to=us").unwrap());
    let posted = poster.post(&url, b"figures".to_vec());
    if matches!(answer, Answer::Silence) {
        let late = async {
            host.stalled.notified().await;
            tokio::time::pause();
            tokio::time::advance(TOO_LONG).await;
        };
        return (tokio::join!(posted, late).0, host.asked());
    }
    (posted.await, host.asked())
}

#[tokio::test]
async fn a_report_is_posted_once_to_a_host_that_proves_its_name() {
    let authority = Authority::new();
    let right = || authority.host("reports.example.org");
    let created = || Answer::Head(201, "");
    for (what, tls, allowed, answer, words) in [
        ("taken", right(), "127.0.0.0/8", created(), None),
        ("another name", authority.host("other.example.org"), "127.0.0.0/8", created(), Some("certificate")),
        (
            "nobody's authority",
            Authority::new().host("reports.example.org"),
            "127.0.0.0/8",
            created(),
            Some("certificate"),
        ),
        ("this machine", right(), "192.0.2.0/24", created(), Some("this machine")),
        (
            "a redirect",
            right(),
            "127.0.0.0/8",
            Answer::Head(307, "location: https://reports.example.org/v2\r\n"),
            Some("307"),
        ),
        ("a failure", right(), "127.0.0.0/8", Answer::Head(500, ""), Some("500")),
        ("silence", right(), "127.0.0.0/8", Answer::Silence, Some("within a minute")),
    ] {
        let (posted, asked) = post(tls, &authority, allowed, answer).await;
        let said = posted.err().map(|error| error.to_string());
        assert!(said.as_deref().unwrap_or("taken").contains(words.unwrap_or("taken")), "{what}: {said:?}");
        let posts = asked.iter().filter(|line| *line == "POST /v1?to=us HTTP/1.1").count();
        let reached = !["another name", "nobody's authority", "this machine"].contains(&what);
        assert_eq!(posts, usize::from(reached), "{what}: {asked:?}");
    }
}
