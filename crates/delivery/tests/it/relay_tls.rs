use std::sync::Arc;

use delivery::{NextHost, Via};
use esmtp::dialogue::Credentials;
use rustls::pki_types::CertificateDer;
use store::RecipientState::{self, Deferred, Delivered};
use tokio::sync::Semaphore;
use types::HostTls;

use crate::office::{Office, plain_host};
use crate::peer::{Manners, Peer, certificate};

const OFFERS: [&str; 2] = ["PIPELINING", "STARTTLS"];

/// What became of one message to a host with such manners, and what the host has seen.
async fn send(manners: Manners, shape: impl FnOnce(&mut NextHost)) -> (RecipientState, String, Peer) {
    let peer = Peer::start(manners).await;
    let mut next_host = plain_host(peer.port);
    next_host.tls = HostTls::Verify;
    next_host.host = "localhost".into();
    shape(&mut next_host);
    let mut office = Office::running(Via::Relay(next_host)).await;
    let id = office.submit(&["a@example.org"]).await;
    let seat = office.tried(id).await.remove(0);
    (seat.state, seat.reply, peer)
}

fn with_tls(name: &str) -> (CertificateDer<'static>, Manners) {
    let (ca, config) = certificate(name);
    let offers_in_tls = vec!["PIPELINING", "AUTH PLAIN LOGIN"];
    (ca, Manners { offers: OFFERS.to_vec(), offers_in_tls, tls: Some(config), ..Manners::default() })
}

fn log_in(next_host: &mut NextHost) {
    next_host.credentials = Some(Credentials::new("user", "secret".to_owned().into()));
}

#[tokio::test]
async fn a_verified_host_gets_the_credentials_and_the_mail() {
    let (ca, manners) = with_tls("localhost");
    let (state, reply, peer) = send(manners, |host| {
        host.tls_ca = vec![ca];
        log_in(host);
    })
    .await;
    assert_eq!(state, Delivered, "{reply}");
    let verbs: Vec<String> =
        peer.commands().iter().map(|command| command.split([' ', ':']).next().unwrap().to_owned()).collect();
    assert_eq!(verbs, ["EHLO", "STARTTLS", "*EHLO", "*AUTH", "*MAIL", "*RCPT", "*DATA"]);
}

#[tokio::test]
async fn implicit_tls() {
    let (ca, manners) = with_tls("localhost");
    let (state, reply, peer) = send(Manners { implicit_tls: true, ..manners }, |host| {
        (host.tls_ca, host.implicit_tls) = (vec![ca], true);
        log_in(host);
    })
    .await;
    assert_eq!(state, Delivered, "{reply}");
    assert!(peer.commands().iter().all(|command| command.starts_with('*')));
}

/// Threats TLS-16 and DEL-05: whatever is wrong with TLS, the mail waits and nobody sees the credentials.
#[tokio::test]
async fn a_host_that_cannot_be_verified_gets_nothing() {
    let (ca, right) = with_tls("localhost");
    let (_, unknown) = with_tls("localhost");
    let (other_ca, wrong_name) = with_tls("elsewhere.example");
    let in_the_clear = Manners { offers: vec!["PIPELINING", "AUTH PLAIN LOGIN"], ..Manners::default() };
    let refusing = Manners { start_tls: "454 4.7.0 not now", ..right.clone() };
    // Slipped in before TLS (threat TLS-02).
    let injecting = Manners { start_tls: "220 go\r\n250-peer\r\n250 AUTH PLAIN", ..right.clone() };
    let no_login = Manners { offers_in_tls: vec!["PIPELINING"], ..right.clone() };
    let refused_login = Manners { auth: "535 5.7.8 who are you", ..right.clone() };
    let table = [
        ("unknown authority", unknown, "451 4.7.5 TLS failed"),
        ("wrong name", wrong_name, "451 4.7.5 TLS failed"),
        ("no STARTTLS", in_the_clear, "451 4.7.4 it does not offer STARTTLS"),
        ("STARTTLS refused", refusing, "451 4.7.5 the next host refused STARTTLS: 454 4.7.0 not now"),
        ("injected", injecting, "451 4.7.5 the next host sent more than its reply to STARTTLS"),
        ("no AUTH", no_login, "451 4.7.4 the next host offers no way to log in"),
        ("login refused", refused_login, "451 4.7.8 the next host refused our login: 535 5.7.8"),
    ];
    for (name, manners, expected) in table {
        for tls in [HostTls::Verify, HostTls::Opportunistic] {
            let (state, reply, peer) = send(manners.clone(), |host| {
                (host.tls, host.tls_ca) = (tls, vec![ca.clone(), other_ca.clone()]);
                log_in(host);
            })
            .await;
            assert_eq!(state, Deferred, "{name}: {reply}");
            assert!(reply.starts_with(expected), "{name}: {reply}");
            assert!(!peer.has_seen("MAIL"), "{name}");
            assert!(peer.commands().iter().all(|command| !command.starts_with("AUTH")), "{name}");
        }
    }
}

/// A provider that sees a wrong password once for each message in the queue locks the account.
#[tokio::test]
async fn a_host_that_has_refused_our_login_is_left_alone_for_a_while() {
    let (ca, manners) = with_tls("localhost");
    let peer = Peer::start(Manners { auth: "535 5.7.8 who are you", ..manners }).await;
    let mut next_host = plain_host(peer.port);
    (next_host.tls, next_host.tls_ca, next_host.host) = (HostTls::Verify, vec![ca], "localhost".into());
    log_in(&mut next_host);
    let mut office = Office::running(Via::Relay(next_host)).await;
    for _ in 0..3 {
        let id = office.submit(&["a@example.org"]).await;
        let seat = office.tried(id).await.remove(0);
        assert_eq!(seat.state, Deferred);
        assert!(seat.reply.contains("refused our login"), "{}", seat.reply);
    }
    assert_eq!(peer.connections(), 1);
}

#[tokio::test]
async fn a_login_is_tried_by_one_connection_until_it_has_worked() {
    for (auth, logins) in [("535 5.7.8 who are you", 1..=1), ("235 2.7.0 welcome", 2..=20)] {
        let (ca, manners) = with_tls("localhost");
        let pace = Arc::new(Semaphore::new(0));
        let peer = Peer::start(Manners { auth, pace: pace.clone(), ..manners }).await;
        let mut next_host = plain_host(peer.port);
        (next_host.tls, next_host.tls_ca, next_host.host) = (HostTls::Verify, vec![ca], "localhost".into());
        log_in(&mut next_host);
        let mut office = Office::running(Via::Relay(next_host)).await;
        let mut ids = Vec::new();
        for _ in 0..20 {
            ids.push(office.submit(&["a@example.org"]).await);
        }
        if auth.starts_with('2') {
            // Twenty connections, once one of them has shown that the login works, and the host has answered.
            pace.add_permits(1);
            peer.until_seen("*DATA", 20).await;
        }
        pace.add_permits(20);
        for id in ids {
            office.tried(id).await;
        }
        let tried = peer.commands().iter().filter(|command| command.starts_with("*AUTH")).count();
        assert!(logins.contains(&tried), "{auth}: {tried}");
    }
}

#[tokio::test]
async fn opportunistic_tls_takes_what_it_can_get() {
    let (_, unknown) = with_tls("elsewhere.example");
    let in_the_clear = Manners::default();
    let refusing = Manners { start_tls: "454 4.7.0 not now", ..unknown.clone() };
    let table = [(unknown, "*MAIL"), (in_the_clear, "MAIL"), (refusing, "MAIL")];
    for (manners, expected) in table {
        let (state, reply, peer) = send(manners, |host| host.tls = HostTls::Opportunistic).await;
        assert_eq!(state, Delivered, "{reply}");
        assert!(peer.commands().iter().any(|command| command.starts_with(expected)));
    }
}

#[tokio::test]
async fn tls_that_is_off_is_off() {
    let offers = vec!["PIPELINING", "STARTTLS", "AUTH PLAIN"];
    let (state, reply, peer) = send(Manners { offers, ..Manners::default() }, |host| {
        host.tls = HostTls::Off;
        log_in(host);
    })
    .await;
    assert_eq!(state, Delivered, "{reply}");
    assert!(peer.has_seen("AUTH PLAIN AHVzZXIAc2VjcmV0") && !peer.has_seen("STARTTLS"));
}
