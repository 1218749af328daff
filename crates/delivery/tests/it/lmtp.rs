//! Handing mail over in LMTP (RFC 2033), over TCP and behind a Unix socket: each recipient has a fate of its own.

use std::sync::{Arc, Mutex};

use delivery::{NextHost, Via, try_socket};
use esmtp::dialogue::Protocol;
use store::RecipientState::{Deferred, Delivered, Failed};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, UnixListener};
use types::Notify;

use crate::office::{Office, TEXT, plain_host};

/// What the host says to the end of a text, one piece for each recipient that it has taken. A piece that is empty cuts the connection.
type Ending = &'static [&'static str];

/// A host in LMTP that takes everybody but `gone@…`.
#[derive(Clone)]
struct Mailbox {
    ending: Ending,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Mailbox {
    fn new(ending: Ending) -> Mailbox {
        Mailbox { ending, seen: Arc::default() }
    }

    fn behind_a_socket(&self, path: &std::path::Path) {
        let (listener, mailbox) = (UnixListener::bind(path).unwrap(), self.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(mailbox.clone().serve(stream));
            }
        });
    }

    async fn on_a_port(&self) -> u16 {
        let (listener, mailbox) = (TcpListener::bind("127.0.0.1:0").await.unwrap(), self.clone());
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(mailbox.clone().serve(stream));
            }
        });
        port
    }

    async fn serve(self, stream: impl AsyncRead + AsyncWrite + Unpin) {
        let mut stream = BufReader::new(stream);
        stream.write_all(b"220 box LMTP\r\n").await.unwrap();
        let (mut line, mut in_text) = (String::new(), false);
        while stream.read_line(&mut line).await.is_ok_and(|read| read > 0) {
            let said = std::mem::take(&mut line);
            let said = said.trim_end();
            if in_text && said != "." {
                continue;
            }
            self.seen.lock().unwrap().push(said.to_owned());
            let replies = match said.split(' ').next().unwrap() {
                "." => self.ending,
                "LHLO" => &["250-box\r\n250-PIPELINING\r\n250-DSN\r\n250 8BITMIME\r\n"],
                "DATA" => &["354 go\r\n"],
                "RCPT" if said.contains("gone@") => &["550 5.1.1 nobody\r\n"],
                _ => &["250 2.0.0 ok\r\n"],
            };
            in_text = said == "DATA";
            for reply in replies {
                if reply.is_empty() {
                    return;
                }
                if stream.write_all(reply.as_bytes()).await.is_err() {
                    return;
                }
            }
        }
    }

    fn said(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

const ALL: [&str; 3] = ["a@example.org", "gone@example.org", "c@example.org"];

#[tokio::test]
async fn each_recipient_has_the_fate_that_the_host_says() {
    for (ending, first, last) in [
        (&["250 2.0.0 a\r\n", "250 2.0.0 c\r\n"][..], Delivered, Delivered),
        (&["250 2.0.0 a\r\n", "452 4.2.2 full\r\n"], Delivered, Deferred),
        (&["552 5.2.2 full\r\n", "250 2.0.0 c\r\n"], Failed, Delivered),
        // The connection is lost: who has a reply by then is settled, the others are tried again.
        (&["250 2.0.0 a\r\n", ""], Delivered, Deferred),
        (&["250 2.0.0 a\r\n", "250 2.0", ""], Delivered, Deferred),
        (&[""], Deferred, Deferred),
        (&["250 2.0.0 a\r\n", "421 4.3.2 bye\r\n", ""], Delivered, Deferred),
    ] {
        let mailbox = Mailbox::new(ending);
        let port = mailbox.on_a_port().await;
        let via = Via::Relay(NextHost { protocol: Protocol::Lmtp, ..plain_host(port) });
        let mut office = Office::running(via).await;
        let id = office.submit(&ALL).await;
        let states: Vec<_> = office.tried(id).await.iter().map(|seat| seat.state).collect();
        assert_eq!(states, [first, Failed, last], "{ending:?}");
        office.stop().await;
        assert!(mailbox.said()[0].starts_with("LHLO client.example"), "{:?}", mailbox.said());
    }
}

#[tokio::test]
async fn a_socket_takes_mail_and_its_connection_is_used_again() {
    let (directory, mailbox) = (tempfile::tempdir().unwrap(), Mailbox::new(&["250 2.0.0 a\r\n"]));
    let path = directory.path().join("lmtp");
    mailbox.behind_a_socket(&path);
    let mut office = Office::running(Via::LmtpSocket(path.clone())).await;
    for _ in 0..2 {
        let id = office.submit(&ALL[..1]).await;
        assert_eq!(office.tried(id).await[0].state, Delivered);
    }
    office.stop().await;
    let greetings = mailbox.said().iter().filter(|line| line.starts_with("LHLO")).count();
    assert_eq!((greetings, mailbox.said().last().unwrap().as_str()), (1, "QUIT"));
    assert!(try_socket(&path, "client.example").await.is_ok());
    let error = try_socket(&directory.path().join("none"), "client.example").await.unwrap_err();
    assert!(error.to_string().starts_with("no connection: "), "{error}");
}

/// RFC 3461 section 5.2.2: nobody behind it will tell the sender.
#[tokio::test]
async fn success_is_ours_to_report() {
    let (directory, mailbox) = (tempfile::tempdir().unwrap(), Mailbox::new(&["250 2.0.0 a\r\n"]));
    let path = directory.path().join("lmtp");
    mailbox.behind_a_socket(&path);
    let mut office = Office::running(Via::LmtpSocket(path)).await;
    let asked = |submission: &mut store::Submission| {
        submission.recipients[0].notify = Notify::from_text("SUCCESS");
    };
    let id = office.submit_with(&ALL[..1], TEXT.as_bytes(), asked).await;
    office.tried(id).await;
    office.until(|_| mailbox.said().iter().any(|line| line.starts_with("MAIL FROM:<>"))).await;
    assert!(mailbox.said().iter().all(|line| !line.contains("NOTIFY")), "{:?}", mailbox.said());
}
