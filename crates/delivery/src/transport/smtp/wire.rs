//! A dialogue and the stream that it is spoken over: octets, and deadlines for them.

use std::{fmt, io};

use bytes::BytesMut;
use esmtp::dialogue::{Advance, Dialogue, Enhanced, Envelope, Reply, Stage, Verdict};
use store::{Body, SpoolError};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout, timeout_at};

use super::proven::Proof;
use super::trouble::Trouble;

/// Anything mail can be sent over.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// Octets of text gathered before they are written.
const GATHERED: usize = 32 * 1024;
/// Messages sent over one connection.
const MESSAGES: u32 = 100;
/// Octets read at a time; replies are short.
const READ: usize = 2048;

/// A connection on which mail can be sent: greeted (RFC 5321 section 3.2), protected (RFC 3207) and logged in (RFC 4954) as it has to be.
pub(super) type Connection = Wire<Box<dyn Stream>>;

/// A dialogue under way.
pub(super) struct Wire<S> {
    pub(super) stream: S,
    pub(super) dialogue: Dialogue,
    pub(super) host: String,
    /// What TLS has proved; `None` without TLS.
    pub(super) tls: Option<Proof>,
    input: BytesMut,
    /// Until when the next reply is awaited, for a stage and after so many replies.
    deadline: Option<((Stage, u64), Instant)>,
    /// Messages begun on it.
    messages: u32,
    /// The text of the present message has been begun.
    text_begun: bool,
    broken: bool,
}

/// What sending a message came to.
#[derive(Debug)]
pub(super) struct Sent {
    /// For each recipient, in their order.
    pub(super) verdicts: Vec<Verdict>,
    /// The peer closed a connection that was kept, before it was told of the message: a new one may do better.
    pub(super) untouched: bool,
    /// Whether the peer has answered up to the end.
    pub(super) answered: bool,
    /// Whether the peer has heard any of the text.
    pub(super) text_begun: bool,
    /// What TLS has proved of the peer; `None` without TLS.
    pub(super) tls: Option<Proof>,
}

impl Sent {
    /// Verdicts by us on a message of which the peer has heard nothing.
    pub(super) fn unsent(verdicts: Vec<Verdict>) -> Sent {
        Sent { verdicts, untouched: false, answered: true, text_begun: false, tls: None }
    }

    /// Whether another host of the domain may do better: this one has nothing of the text, and has refused nobody for good, or does not offer
    /// what the message needs, which another may.
    pub(super) fn leaves_all_open(&self) -> bool {
        !self.text_begun && self.verdicts.iter().all(is_open)
    }
}

/// How we refuse for a host what it does not offer: REQUIRETLS, BINARYMIME or 8BITMIME, SMTPUTF8.
const LACKS: [Enhanced; 3] = [Enhanced(5, 7, 30), Enhanced(5, 6, 3), Enhanced(5, 6, 7)];

fn is_open(verdict: &Verdict) -> bool {
    match verdict {
        Verdict::Deferred(_) => true,
        Verdict::Failed(reply) => {
            reply.is_ours() && reply.enhanced().is_some_and(|code| LACKS.contains(&code))
        }
        Verdict::Delivered(..) | Verdict::Unclear(_) => false,
    }
}

/// What ends a transaction before its verdicts.
#[derive(Debug)]
enum Interrupted {
    Trouble(Trouble),
    Spool(SpoolError),
}

impl<S: Stream> Wire<S> {
    pub(super) fn new(stream: S, dialogue: Dialogue, host: String) -> Wire<S> {
        Wire {
            stream,
            dialogue,
            host,
            tls: None,
            input: BytesMut::new(),
            deadline: None,
            messages: 0,
            text_begun: false,
            broken: false,
        }
    }

    /// Speaks until something is to be done that is neither writing nor reading.
    pub(super) async fn converse(&mut self) -> Result<Advance, Trouble> {
        loop {
            match self.dialogue.advance(&mut self.input)? {
                Advance::Input => {
                    self.write().await?;
                    self.read().await?;
                }
                next => return Ok(next),
            }
        }
    }

    /// Speaks until the dialogue comes to `wanted`.
    pub(super) async fn until(&mut self, wanted: &Advance) -> Result<(), Trouble> {
        let stage = self.dialogue.stage();
        if self.converse().await? == *wanted { Ok(()) } else { Err(Trouble::Closed(stage)) }
    }

    /// Sends one message, its text up to the end within `limit`. An error is the spool's: the text is not ended then, so that the
    /// peer takes nothing of it (RFC 5321 section 4.1.1.4).
    pub(super) async fn send<B: Body>(
        &mut self,
        envelope: &Envelope<'_>,
        body: &mut B,
        limit: Instant,
    ) -> Result<Sent, SpoolError> {
        self.messages += 1;
        self.text_begun = false;
        self.deadline = None;
        if let Some(verdicts) = self.dialogue.send(envelope) {
            return Ok(self.sent(verdicts));
        }
        match self.transact(body, limit).await {
            Ok(verdicts) => Ok(self.sent(verdicts)),
            Err(Interrupted::Trouble(trouble)) => Ok(self.broke(&trouble)),
            Err(Interrupted::Spool(error)) => Err(error),
        }
    }

    /// For each of so many recipients a verdict by us: the message cannot be sent to this peer.
    pub(super) fn refuse(&self, recipients: usize, reason: Reply) -> Sent {
        let verdict = Verdict::refusal(reason, self.dialogue.capabilities());
        Sent { tls: self.tls, ..Sent::unsent(vec![verdict; recipients]) }
    }

    /// Whether a command may follow.
    pub(super) fn is_ready(&self) -> bool {
        !self.broken && self.dialogue.is_ready()
    }

    /// Whether the connection should be closed: RFC 5321 section 3.3 allows any number of messages, but hosts count.
    pub(super) fn is_worn_out(&self) -> bool {
        self.is_ready() && self.messages >= MESSAGES
    }

    /// A host that goes away says 421 to whatever comes (RFC 5321 section 3.8), which is then no word on the recipients.
    fn sent(&self, verdicts: Vec<Verdict>) -> Sent {
        let farewell = |verdict: &Verdict| matches!(verdict, Verdict::Deferred(reply) if reply.closes());
        let untouched = self.was_kept() && verdicts.iter().all(farewell);
        Sent { verdicts, untouched, answered: true, text_begun: self.text_begun, tls: self.tls }
    }

    /// A lost connection counts as a 451 (RFC 5321 section 3.8), for those whose verdict had not come yet.
    fn broke(&mut self, trouble: &Trouble) -> Sent {
        self.broken = true;
        let untouched = self.was_kept() && self.dialogue.stage() == Stage::Mail;
        let verdicts = self.dialogue.abandon(&trouble.to_verdict());
        Sent { verdicts, untouched, answered: false, text_begun: self.text_begun, tls: self.tls }
    }

    /// Whether this message began on a connection left over from another, and its text has not been begun.
    fn was_kept(&self) -> bool {
        self.messages > 1 && !self.text_begun
    }

    /// The limit ends with the text. From then on the peer may have the message, and only its reply tells (RFC 1047): that has the
    /// whole time that RFC 5321 gives it.
    async fn transact<B: Body>(&mut self, body: &mut B, limit: Instant) -> Result<Vec<Verdict>, Interrupted> {
        match timeout_at(limit, self.up_to_the_end(body)).await {
            Ok(None) => self.end_text().await,
            Ok(Some(begun)) => begun,
            Err(_) => Err(Trouble::TooSlow(self.dialogue.stage()).into()),
        }
    }

    /// Speaks up to the end of the text, which is not said yet, unless the transaction ends before.
    async fn up_to_the_end<B: Body>(&mut self, body: &mut B) -> Option<Result<Vec<Verdict>, Interrupted>> {
        loop {
            match self.next_step().await {
                Ok(None) => {}
                ended => return ended.transpose(),
            }
            match self.send_text(body).await {
                Ok(true) => return None,
                Ok(false) => {}
                Err(interrupted) => return Some(Err(interrupted)),
            }
        }
    }

    async fn end_text(&mut self) -> Result<Vec<Verdict>, Interrupted> {
        self.dialogue.end_body();
        let ended = self.next_step().await?;
        ended.ok_or_else(|| Trouble::Closed(self.dialogue.stage()).into())
    }

    /// Speaks until the text is to be written, or the transaction is over.
    async fn next_step(&mut self) -> Result<Option<Vec<Verdict>>, Interrupted> {
        match self.converse().await? {
            Advance::Body => Ok(None),
            Advance::Done(verdicts) => Ok(Some(verdicts)),
            Advance::Input | Advance::Ready | Advance::StartTls | Advance::Closed => {
                Err(Trouble::Closed(self.dialogue.stage()).into())
            }
        }
    }

    /// Whether all of the text was written before the peer spoke.
    async fn send_text<B: Body>(&mut self, body: &mut B) -> Result<bool, Interrupted> {
        self.text_begun = true;
        while let Some(chunk) = body.next_chunk().await? {
            self.dialogue.write_body(&chunk);
            if self.dialogue.output().len() >= GATHERED {
                self.write().await?;
            }
            if self.overhear().await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether the peer speaks although it is our turn; does not wait.
    pub(super) async fn overhear(&mut self) -> Result<bool, Trouble> {
        self.input.reserve(READ);
        tokio::select! {
            biased;
            read = self.stream.read_buf(&mut self.input) => self.heard(read).map(|()| true),
            () = std::future::ready(()) => Ok(!self.input.is_empty()),
        }
    }

    async fn read(&mut self) -> Result<(), Trouble> {
        let (stage, deadline) = (self.dialogue.stage(), self.deadline());
        self.input.reserve(READ);
        let read = timeout_at(deadline, self.stream.read_buf(&mut self.input)).await;
        self.heard(read.map_err(|_| Trouble::Silent(stage, stage.patience()))?)
    }

    /// Renewed by each whole reply, and by nothing less: each command has its own time (RFC 5321 section 4.5.3.2).
    fn deadline(&mut self) -> Instant {
        let awaited = (self.dialogue.stage(), self.dialogue.heard());
        match self.deadline {
            Some((same, until)) if same == awaited => until,
            _ => {
                let until = Instant::now() + awaited.0.patience();
                self.deadline = Some((awaited, until));
                until
            }
        }
    }

    fn heard(&self, read: io::Result<usize>) -> Result<(), Trouble> {
        match read {
            Ok(0) => Err(Trouble::Closed(self.dialogue.stage())),
            Ok(_) => Ok(()),
            Err(error) => Err(Trouble::Lost(self.dialogue.stage(), error)),
        }
    }

    async fn write(&mut self) -> Result<(), Trouble> {
        let stage = self.dialogue.stage();
        let output = self.dialogue.output();
        if output.is_empty() {
            return Ok(());
        }
        let writing = async {
            self.stream.write_all(output).await?;
            self.stream.flush().await
        };
        let written = timeout(stage.patience(), writing).await;
        self.dialogue.output().clear();
        written
            .map_err(|_| Trouble::Silent(stage, stage.patience()))?
            .map_err(|error| Trouble::Lost(stage, error))
    }

    /// Says QUIT; the peer's 221 is awaited (RFC 5321 section 4.1.1.10), but not for long.
    pub(super) async fn quit(mut self) {
        self.dialogue.quit();
        let _ = timeout(Stage::Quit.patience(), self.converse()).await;
    }
}

impl<S: Stream + 'static> Wire<S> {
    /// The same dialogue, over a stream of any kind.
    pub(super) fn boxed(self) -> Connection {
        let Wire { stream, dialogue, host, tls, input, deadline, messages, text_begun, broken } = self;
        Wire { stream: Box::new(stream), dialogue, host, tls, input, deadline, messages, text_begun, broken }
    }
}

impl From<Trouble> for Interrupted {
    fn from(trouble: Trouble) -> Self {
        Interrupted::Trouble(trouble)
    }
}

impl From<SpoolError> for Interrupted {
    fn from(error: SpoolError) -> Self {
        Interrupted::Spool(error)
    }
}

impl<S> fmt::Debug for Wire<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire")
            .field("host", &self.host)
            .field("messages", &self.messages)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bytes::Bytes;
    use tokio::io::{DuplexStream, duplex};
    use tokio::time::sleep;
    use types::{ForwardPath, ReversePath};

    use super::*;

    struct Text(Option<Bytes>);

    impl Body for Text {
        async fn next_chunk(&mut self) -> Result<Option<Bytes>, SpoolError> {
            Ok(self.0.take())
        }
    }

    /// A peer that writes each piece after so many seconds, then says nothing, but takes what it is sent.
    async fn speak(mut stream: DuplexStream, pieces: Vec<(u64, &'static str)>) {
        for (seconds, piece) in pieces {
            sleep(Duration::from_secs(seconds)).await;
            stream.write_all(piece.as_bytes()).await.unwrap();
        }
        let mut sink = Vec::new();
        let _ = stream.read_to_end(&mut sink).await;
    }

    /// What a message for one recipient comes to with such a peer, given time.
    async fn send(pieces: Vec<(u64, &'static str)>) -> String {
        send_within(Duration::from_secs(3600), 1, pieces).await.remove(0)
    }

    /// What a message comes to for each of so many recipients, if its text must have ended within a while.
    async fn send_within(
        limit: Duration,
        recipients: usize,
        pieces: Vec<(u64, &'static str)>,
    ) -> Vec<String> {
        let (ours, theirs) = duplex(64 * 1024);
        tokio::spawn(speak(theirs, pieces));
        let mut wire = Wire::new(ours, Dialogue::new("client.example"), "peer".into());
        if let Err(trouble) = wire.until(&Advance::Ready).await {
            return vec![trouble.to_reply().to_string()];
        }
        let recipient = ForwardPath::take("<a@example.org>").unwrap().0.into();
        let mut envelope = Envelope::new(&ReversePath::Null, vec![&recipient; recipients]);
        envelope.size = Some(3);
        let mut text = Text(Some(Bytes::from_static(b"x\r\n")));
        let sent = wire.send(&envelope, &mut text, Instant::now() + limit).await.unwrap();
        sent.verdicts.into_iter().map(told).collect()
    }

    fn told(verdict: Verdict) -> String {
        match verdict {
            Verdict::Delivered(reply, _) => format!("delivered {reply}"),
            Verdict::Deferred(reply) | Verdict::Failed(reply) => reply.to_string(),
            Verdict::Unclear(reply) => format!("unclear {reply}"),
        }
    }

    const EHLO: &str = "250-peer\r\n250 PIPELINING\r\n";

    #[tokio::test(start_paused = true)]
    async fn patience_is_that_of_the_rfc() {
        let table: [(Vec<(u64, &'static str)>, &str); 9] = [
            (vec![], "451 4.4.2 no answer to the greeting within 300 seconds"),
            (vec![(299, "220 hi\r\n")], "451 4.4.2 no answer to EHLO within 300 seconds"),
            // A drop now and then is no answer.
            (vec![(200, "220 "), (200, "hi\r\n")], "451 4.4.2 no answer to the greeting within 300 seconds"),
            (vec![(0, "220 hi\r\n"), (299, EHLO)], "451 4.4.2 no answer to MAIL within 300 seconds"),
            (
                vec![(0, "220 hi\r\n"), (1, EHLO), (299, "250 ok\r\n")],
                "451 4.4.2 no answer to RCPT within 300 seconds",
            ),
            (
                vec![(0, "220 hi\r\n"), (1, EHLO), (1, "250 ok\r\n250 ok\r\n")],
                "451 4.4.2 no answer to DATA within 120 seconds",
            ),
            (
                vec![(0, "220 hi\r\n"), (1, EHLO), (1, "250 ok\r\n250 ok\r\n354 go\r\n")],
                "451 4.4.2 no answer to the end of the message within 600 seconds",
            ),
            // RFC 1047: hanging up on a host that is slow to answer would send a second copy.
            (
                vec![
                    (0, "220 hi\r\n"),
                    (1, EHLO),
                    (1, "250 ok\r\n250 ok\r\n354 go\r\n"),
                    (540, "250 taken\r\n"),
                ],
                "delivered 250 taken",
            ),
            (
                vec![
                    (0, "220 hi\r\n"),
                    (1, EHLO),
                    (1, "250 ok\r\n250 ok\r\n354 go\r\n"),
                    (601, "250 taken\r\n"),
                ],
                "451 4.4.2 no answer to the end of the message within 600 seconds",
            ),
        ];
        for (pieces, expected) in table {
            assert_eq!(send(pieces).await, expected);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn each_command_has_its_own_patience_also_in_one_flight() {
        let slow = vec![
            (0, "220 hi\r\n"),
            (1, EHLO),
            (299, "250 ok\r\n"),
            (299, "250 ok\r\n"),
            (299, "550 5.1.1 nobody\r\n"),
            (299, "250 ok\r\n"),
            (119, "354 go\r\n"),
            (599, "250 taken\r\n"),
        ];
        let fates = send_within(Duration::from_secs(3600), 3, slow).await;
        assert_eq!(fates, ["delivered 250 taken", "550 5.1.1 nobody", "delivered 250 taken"]);
    }

    #[tokio::test(start_paused = true)]
    async fn the_limit_of_the_whole_ends_with_the_text() {
        let slow_at = |rcpt, last| {
            vec![
                (0, "220 hi\r\n"),
                (1, EHLO),
                (1, "250 ok\r\n550 5.1.1 nobody\r\n"),
                (rcpt, "250 ok\r\n354 go\r\n"),
                (last, "250 taken\r\n"),
            ]
        };
        let limit = Duration::from_secs(60);
        let fates = send_within(limit, 2, slow_at(50, 599)).await;
        assert_eq!(fates, ["550 5.1.1 nobody", "delivered 250 taken"]);
        let fates = send_within(limit, 2, slow_at(70, 0)).await;
        // What was settled stays so.
        assert_eq!(fates, ["550 5.1.1 nobody", "451 4.4.2 it took too long in all, up to RCPT"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_reply_before_the_text_has_ended_is_no_delivery() {
        let early = "250 ok\r\n250 ok\r\n354 go\r\n250 taken\r\n";
        let reply = send(vec![(0, "220 hi\r\n"), (1, EHLO), (1, early)]).await;
        assert_eq!(
            reply,
            "451 4.5.0 the next host sent a reply that was not expected, at the message: 250 taken"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_no_reply_to_the_end_of_the_text_leaves_it_unclear() {
        for (answer, expected) in [
            (
                "what?\r\n",
                "unclear 451 4.5.0 the next host answered the end of the message with something that is not an SMTP reply",
            ),
            (
                "354 go on\r\n",
                "unclear 451 4.5.0 the next host sent a reply that was not expected, at the end of the message: 354 go on",
            ),
        ] {
            let fate =
                send(vec![(0, "220 hi\r\n"), (1, EHLO), (1, "250 ok\r\n250 ok\r\n354 go\r\n"), (1, answer)])
                    .await;
            assert!(fate.starts_with(expected), "{fate}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_reads_nothing_does_not_hold_us_for_ever() {
        let (ours, theirs) = duplex(16);
        let mut wire = Wire::new(ours, Dialogue::new("client.example"), "peer".into());
        wire.input.extend_from_slice(b"220 hi\r\n");
        let trouble = wire.until(&Advance::Ready).await.unwrap_err();
        assert_eq!(trouble.to_string(), "no answer to EHLO within 300 seconds");
        drop(theirs);
    }
}
