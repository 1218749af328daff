//! Drives one connection: octets to the session, what the session wants to the world, and replies back.
//!
//! It decides nothing that the protocol decides, and nothing that a handler decides; deadlines are its own.

use std::future::{Future, poll_fn};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::BytesMut;
use esmtp::{Advance, Channel, Ending, Handshake, KnownClient, Phase};
use sasl::{AuthHandler, ChannelBindings, Mechanism, Nonces};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::client::Client;
use crate::connection::{Connection, Message, Session, User};
use crate::handler::MailHandler;
use crate::session_line::Reason;
use crate::tls::failure::{self, Told};
use crate::tls::records::Records;
use crate::trace;

/// How long a client is given to close its side, once we have closed ours.
const LINGER: Duration = Duration::from_secs(2);

/// Serves the client until either side has had enough.
pub(crate) fn serve<A: AuthHandler, M: MailHandler<A::User>>(
    connection: Connection<A, M>,
) -> impl Future<Output = ()> {
    let mut logged = Logged { connection, session: None };
    async move { logged.serve().await }
}

/// A connection that leaves its line in the log when it is dropped: one that panics does so too, and one that is left behind.
struct Logged<A: AuthHandler, M: MailHandler<A::User>> {
    connection: Connection<A, M>,
    /// `None` until it is known who the client is.
    session: Option<Session<A, M>>,
}

impl<A: AuthHandler, M: MailHandler<A::User>> Logged<A, M> {
    async fn serve(&mut self) {
        let (Ok(reason) | Err(reason)) = self.connection.converse(&mut self.session).await;
        self.connection.line.reason = reason;
    }
}

impl<A: AuthHandler, M: MailHandler<A::User>> Drop for Logged<A, M> {
    fn drop(&mut self) {
        let Connection { house, client, line, is_own, .. } = &mut self.connection;
        if std::thread::panicking() {
            line.reason = Reason::Panicked;
        }
        let known = self.session.as_ref().map(Session::<A, M>::client);
        // A client of whom nothing was ever asked is known by its name all the same.
        if let Some(known) = known {
            client.set_ehlo(known.ehlo(), known.extended());
        }
        let end = line.end(known.and_then(KnownClient::login));
        if *is_own {
            tracing::debug!(event = "session.own", session = %client.session(), reason = end.reason, "a connection of our own has ended");
            return;
        }
        line.log(client.facts(), &end);
        house.counters.ended(&end);
        // This may be dropped because of a panic. A second one that got out of here would end the process.
        if catch_unwind(AssertUnwindSafe(|| (house.on_end)(client.facts(), &end))).is_err() {
            tracing::error!(event = "on-end.panicked", session = %client.session(), "the program's own `on_end` panicked");
        }
    }
}

/// What the wait for the client came to.
enum Heard {
    Octets(usize),
    Silence,
    Stop,
    /// Somebody else has the client's place.
    Displaced,
}

impl<A: AuthHandler, M: MailHandler<A::User>> Connection<A, M> {
    /// What handlers do is boxed: it may need much room, which an idle connection should not have to keep.
    async fn converse(&mut self, session: &mut Option<Session<A, M>>) -> Result<Reason, Reason> {
        let session = session.insert(self.begin().await?);
        let mut reason = Reason::Closed;
        loop {
            match self.step(session) {
                Advance::Input(phase) => {
                    self.say(session.output()).await?;
                    let ending = match self.hear(phase, session.may_send()).await? {
                        None => self.revocation(phase, session.client()).await,
                        ending => ending,
                    };
                    if let Some(ending) = ending {
                        session.end(ending);
                        reason = ending.into();
                    }
                }
                Advance::Ask(question) => self.answer(question).await,
                Advance::Keep(kept) => Box::pin(self.keep(kept)).await,
                Advance::StartTls(handshake) => {
                    self.start_tls(handshake).await?;
                    if let Err(rejection) = (self.house.on_open)(self.client.facts()) {
                        session.refuse(&rejection);
                    }
                }
                Advance::Close => return self.part(session.output(), reason).await.map(|()| reason),
            }
        }
    }

    /// Greets the client, once it is known who that is: under implicit TLS behind the handshake, in the same flight as its
    /// last octets.
    async fn begin(&mut self) -> Result<Session<A, M>, Reason> {
        let welcome = self.identify().await?;
        let bindings = if self.door.is_implicit() {
            // Without a handshake there is nobody to be told.
            welcome.as_ref().map_err(|_| Reason::TurnedAway)?;
            self.handshake().await?
        } else {
            self.wire.receive_early(&mut self.input);
            self.note_early_tls();
            ChannelBindings::default()
        };
        let channel = self.channel(bindings);
        let mut session = Session::<A, M>::new(Arc::clone(&self.settings), channel);
        match welcome.and_then(|()| (self.house.on_open)(self.client.facts())) {
            Ok(()) => session.greet(&self.input),
            Err(rejection) => session.refuse(&rejection),
        }
        Ok(session)
    }

    /// What the session has to know of the connection as it is now.
    fn channel(&mut self, bindings: ChannelBindings) -> Channel {
        let facts = self.client.facts();
        // What holds for a proxy, or for its network, does not hold for its clients.
        let login_is_optional = facts.proxy.is_none() && (self.house.login_is_optional)(facts);
        if login_is_optional {
            self.client.hold();
        }
        let facts = self.client.facts();
        let mut channel = Channel::in_clear(Nonces::new(rand::random()));
        channel.tls = facts.tls;
        channel.bindings = bindings;
        channel.client_certificate = facts.client_certificate.is_some();
        channel.login_is_optional = login_is_optional;
        channel.xclient = self.client.xclient();
        channel.now = self.house.clock.as_ref().map(|now| now());
        channel
    }

    /// One step of the session.
    fn step<'s>(&mut self, session: &'s mut Session<A, M>) -> Advance<'s, User<A>, Message<A, M>> {
        let before = trace::Before::new(&self.input);
        let as_commands = session.takes_commands();
        let advance = session.advance(&mut self.input);
        before.log(&self.input, as_commands, self.client.session());
        advance
    }

    /// Writes all replies that are waiting, in one flight. Without any, what came was a part of something, whose
    /// rest the client may be holding until that part is acknowledged.
    async fn say(&mut self, output: &mut BytesMut) -> Result<(), Reason> {
        trace::replies(output, self.client.session());
        let request_is_complete = !output.is_empty();
        if !request_is_complete {
            self.wire.acknowledge();
        }
        let deadline = Instant::now() + self.terms.limits.write_timeout;
        let written = self.alarm.within(deadline, self.wire.send(output)).await;
        if request_is_complete {
            self.patience.replied(Instant::now());
        }
        written.map_err(|_| Reason::Stalled)?.map_err(|_| Reason::Disconnected)
    }

    /// Waits for more from the client, for its deadline, or for the end of the server. The latter two end the
    /// session, unless it is a message under way that the server's end has to wait for.
    async fn hear(&mut self, phase: Phase, may_send: bool) -> Result<Option<Ending>, Reason> {
        if self.stopping.is_some() && !phase.in_transaction() {
            return Ok(Some(Ending::Shutdown));
        }
        let patience = self.patience.deadline(phase, may_send, &self.terms.limits);
        let (deadline, ending) = match self.stopping {
            Some(end) if end < patience => (end, Ending::Shutdown),
            _ => (patience, Ending::TimedOut),
        };
        match self.wait(deadline).await.map_err(|_| Reason::Disconnected)? {
            Heard::Octets(0) => {
                self.take_leave().await;
                Err(Reason::Disconnected)
            }
            // Who speaks TLS understands no reply, nor ends its line.
            Heard::Octets(_) if self.note_early_tls() => Err(Reason::HandshakeFailed),
            Heard::Octets(octets) => {
                let now = Instant::now();
                self.line.octets += u64::try_from(octets).unwrap_or(u64::MAX);
                self.patience.heard(phase, may_send, octets, now);
                // Who never stops sending never lets the alarm ring.
                Ok((now > deadline).then_some(ending))
            }
            Heard::Silence => Ok(Some(ending)),
            Heard::Stop if phase.in_transaction() => {
                self.stopping = Some(Instant::now() + self.terms.limits.shutdown_grace);
                Ok(None)
            }
            Heard::Stop => Ok(Some(Ending::Shutdown)),
            Heard::Displaced => Ok(Some(Ending::Displaced)),
        }
    }

    /// The client has closed its side. TLS is closed on ours, too, for one that still reads: without that it could not tell the
    /// end from an attack (RFC 8446 section 6.1).
    async fn take_leave(&mut self) {
        let deadline = Instant::now() + LINGER;
        // It may be gone altogether.
        let _ = self.alarm.within(deadline, self.wire.close(&mut BytesMut::new())).await;
    }

    /// Whether the first that the client said is TLS, where STARTTLS has to come first.
    fn note_early_tls(&mut self) -> bool {
        let is_first = self.line.octets == 0 && self.client.facts().tls.is_none();
        let is_tls = is_first && failure::is_hello(&self.input);
        if is_tls {
            self.line.tls_failure = Some(Told::TOO_EARLY);
        }
        is_tls
    }

    async fn wait(&mut self, deadline: Instant) -> io::Result<Heard> {
        if self.input.is_empty() {
            self.input = BytesMut::new();
        }
        let Self { wire, input, alarm, house, stopping, client, .. } = self;
        let mut stop = pin!(house.stop.cancelled());
        poll_fn(|cx| {
            if let Poll::Ready(octets) = wire.poll_receive(cx, input) {
                return Poll::Ready(octets.map(Heard::Octets));
            }
            if stopping.is_none() && stop.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Ok(Heard::Stop));
            }
            if client.poll_lost(cx).is_ready() {
                return Poll::Ready(Ok(Heard::Displaced));
            }
            alarm.poll(cx, deadline).map(|()| Ok(Heard::Silence))
        })
        .await
    }

    /// Nothing that the client said in clear counts from here on (RFC 3207 section 4.2): the session that goes on
    /// is another one. What it may have sent too early has ended the session before this.
    async fn start_tls(
        &mut self,
        mut handshake: Handshake<'_, User<A>, Message<A, M>>,
    ) -> Result<(), Reason> {
        self.say(handshake.output()).await?;
        self.client.begin_anew();
        let bindings = self.handshake().await?;
        handshake.into_tls(self.channel(bindings));
        Ok(())
    }

    /// Begins TLS, and says what logins can be bound to then.
    async fn handshake(&mut self) -> Result<ChannelBindings, Reason> {
        let records = self.records()?;
        let deadline = Instant::now() + self.terms.limits.handshake;
        let Self { wire, input, alarm, house, client, .. } = self;
        let handshake = while_wanted(&house.stop, client, wire.handshake(records, input));
        let shaken = alarm.within(deadline, handshake).await.map_err(|_| Reason::TimedOut)??;
        let shaken = shaken.map_err(|error| {
            tracing::debug!(session = %self.client.session(), %error, "no agreement on TLS");
            self.line.tls_failure = Some(Told::of(&error));
            Reason::HandshakeFailed
        })?;
        self.client.set_tls(&shaken);
        self.patience.replied(Instant::now());
        Ok(shaken.bindings)
    }

    /// Only SCRAM-SHA-256-PLUS binds logins to the connection. Boxed from the beginning, or every step on the way to the
    /// wire would keep room for them, as long as the connection lasts.
    fn records(&self) -> Result<Box<Records>, Reason> {
        let offer = self.door.tls.as_ref().ok_or(Reason::HandshakeFailed)?;
        let binds = self.settings.mechanisms.contains(&Mechanism::ScramSha256Plus);
        let records = if binds { offer.bound_records() } else { offer.records() };
        records.map(Box::new).map_err(|_| Reason::HandshakeFailed)
    }

    /// Sends the last reply, and sees to it that the client can read it.
    async fn part(&mut self, output: &mut BytesMut, reason: Reason) -> Result<(), Reason> {
        trace::replies(output, self.client.session());
        self.line.keep_last_reply(output);
        let deadline = Instant::now() + self.terms.limits.write_timeout;
        let closed = self.alarm.within(deadline, self.wire.close(output)).await;
        closed.map_err(|_| Reason::Stalled)?.map_err(|_| Reason::Disconnected)?;
        self.client.leave();
        if reason == Reason::Displaced {
            // Whoever has its place must not find its descriptor taken.
            return Ok(());
        }
        // Whether the client closes too is its own affair.
        let _ = self.alarm.within(Instant::now() + LINGER, self.wire.drain()).await;
        Ok(())
    }
}

/// Does `work`, unless the server stops before it is done, or somebody else gets the client's place.
pub(crate) async fn while_wanted<T>(
    stop: &CancellationToken,
    client: &mut Client,
    work: impl Future<Output = T>,
) -> Result<T, Reason> {
    let (mut stop, mut work) = (pin!(stop.cancelled()), pin!(work));
    poll_fn(|cx| {
        if let Poll::Ready(done) = work.as_mut().poll(cx) {
            return Poll::Ready(Ok(done));
        }
        if stop.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(Reason::Shutdown));
        }
        client.poll_lost(cx).map(|()| Err(Reason::Displaced))
    })
    .await
}
