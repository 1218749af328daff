//! Mail handed over without a queue.

use delivery::{SmtpClient, Trouble};
use esmtp::dialogue::{Broken, Credentials, Envelope, Reply, Stage, Verdict};
use types::{EnvelopeRecipient, ForwardPath, HostTls, ReversePath};

use crate::office::{TEXT, plain_host};
use crate::peer::{Manners, Peer, certificate};

fn client(peer: &Peer) -> SmtpClient {
    SmtpClient::new(&plain_host(peer.port), "client.example").unwrap()
}

/// The verdict on a message to one recipient; `None` if the host has heard nothing of it.
async fn send(client: &mut SmtpClient) -> Option<Verdict> {
    let recipient = EnvelopeRecipient::from(ForwardPath::take("<a@example.org>").unwrap().0);
    let envelope = Envelope::new(&ReversePath::Null, vec![&recipient]);
    client.send(&envelope, TEXT.into()).await.map(|mut verdicts| verdicts.remove(0))
}

#[tokio::test]
async fn messages_go_over_one_connection_until_it_is_worn_out() {
    let peer = Peer::start(Manners::default()).await;
    let mut client = client(&peer);
    for _ in 0..101 {
        client.open().await.unwrap();
        assert!(matches!(send(&mut client).await, Some(Verdict::Delivered(..))));
    }
    client.quit().await;
    assert_eq!((peer.texts().len(), peer.connections()), (101, 2));
    peer.until_seen("QUIT", 2).await;
}

#[tokio::test]
async fn a_connection_that_the_host_has_closed_is_opened_anew_and_no_message_is_lost_or_doubled() {
    let peer = Peer::start(Manners { messages: 1, ..Manners::default() }).await;
    let mut client = client(&peer);
    for number in 1..=3 {
        let verdict = loop {
            client.open().await.unwrap();
            if let Some(verdict) = send(&mut client).await {
                break verdict;
            }
        };
        assert!(matches!(verdict, Verdict::Delivered(..)), "{verdict:?}");
        assert_eq!(peer.texts().len(), number);
    }
}

#[tokio::test]
async fn without_a_connection_nothing_is_sent() {
    let peer = Peer::start(Manners::default()).await;
    assert_eq!(send(&mut client(&peer)).await, None);
    assert_eq!(peer.connections(), 0);
}

#[tokio::test]
async fn what_stands_in_the_way_is_told_before_anything_is_sent() {
    let (ca, tls) = certificate("localhost");
    let offers_in_tls = vec!["AUTH PLAIN"];
    let manners = Manners {
        offers: vec!["STARTTLS"],
        offers_in_tls,
        tls: Some(tls),
        auth: "535 no",
        ..Manners::default()
    };
    let peer = Peer::start(manners).await;
    let mut host = plain_host(peer.port);
    (host.host, host.tls) = ("localhost".into(), HostTls::Verify);
    host.credentials = Some(Credentials::new("user", "secret".to_owned().into()));
    let stranger = SmtpClient::new(&host, "client.example").unwrap().open().await.map(drop);
    assert!(matches!(stranger, Err(Trouble::Tls(_))), "{stranger:?}");
    assert!(!peer.has_seen("AUTH"));
    host.tls_ca = vec![ca];
    let refused = SmtpClient::new(&host, "client.example").unwrap().open().await.map(drop);
    assert!(matches!(refused, Err(Trouble::Broken(Broken::LoginRefused(_)))), "{refused:?}");
    assert!(!peer.has_seen("MAIL"));
}

#[tokio::test]
async fn a_host_that_goes_away_after_the_text_leaves_it_open_whether_it_has_the_message() {
    let peer = Peer::start(Manners { text: "", messages: 1, ..Manners::default() }).await;
    // An empty line is no reply.
    let mut first = client(&peer);
    first.open().await.unwrap();
    assert!(matches!(send(&mut first).await, Some(Verdict::Unclear(_))));
    let closing =
        Peer::start(Manners { data: "354 go", text: "250-", messages: 1, ..Manners::default() }).await;
    let mut second = client(&closing);
    second.open().await.unwrap();
    let verdict = send(&mut second).await.unwrap();
    let is_open = |reply: &Reply| reply.is_ours() && reply.stage() == Some(Stage::FinalReply);
    assert!(matches!(&verdict, Verdict::Deferred(reply) if is_open(reply)), "{verdict:?}");
}
