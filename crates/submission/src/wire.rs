//! The octets of one connection, in clear or under TLS, to and from a session's buffers.
//!
//! Nothing is kept between two calls but what cannot be thrown away: input is read into space on the stack, records
//! are taken apart there, and only the text that came is copied. So an idle connection owns its keys and little
//! else. What is to be written waits for the next [`Wire::send`] and leaves in a single flight; at the end of a
//! handshake that is the session tickets together with the greeting.

use std::error::Error;
use std::future::poll_fn;
use std::io::{self, Read, Write};
use std::mem::{self, MaybeUninit};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use sasl::ChannelBindings;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use types::{ClientCertificate, TlsFacts};

use crate::tls::failure::TlsFailure;
use crate::tls::records::{Progress, Records};

/// The most octets of a TLS record with its header. RFC 8446 section 5.2, and the same room for TLS 1.2.
const RECORD: usize = 5 + 16 * 1024 + 256;

/// What one read takes at most, which bounds how much a client can make us answer at once, and how long a handshake
/// message may be.
const SPACE: usize = 2 * RECORD;

/// Reads without a pause that bring no text, before a client has to wait until others had their turn.
const TEXTLESS_READS: usize = 16;

/// What is read and dropped of a client that goes on sending after our last reply.
const LINGER: usize = 1024 * 1024;

/// One client's connection.
pub(crate) struct Wire {
    socket: TcpStream,
    tls: Option<Box<Records>>,
    /// Records that were made and not yet written.
    unsent: BytesMut,
}

/// What a handshake has come to.
pub(crate) struct Shaken {
    pub(crate) facts: TlsFacts,
    pub(crate) bindings: ChannelBindings,
    pub(crate) client_certificate: Option<Arc<ClientCertificate>>,
}

impl Shaken {
    fn of(tls: &mut Records) -> io::Result<Option<Self>> {
        let Some(facts) = tls.facts() else { return Ok(None) };
        let client_certificate = tls.client_certificate().map_err(TlsFailure::from).map_err(invalid)?;
        Ok(Some(Self { facts, bindings: tls.take_bindings(), client_certificate }))
    }
}

impl Wire {
    /// A connection in clear. Small replies are never held back for more (Nagle's algorithm is off).
    pub(crate) fn new(socket: TcpStream) -> io::Result<Self> {
        socket.set_nodelay(true)?;
        Ok(Self { socket, tls: None, unsent: BytesMut::new() })
    }

    /// Adds to `input` what has come already, without waiting. It asks the kernel, for the runtime may not have
    /// heard of it yet.
    pub(crate) fn receive_early(&self, input: &mut BytesMut) {
        let mut space = [0; 256];
        // Whatever is wrong with the socket, the next use of it will find out.
        let taken = (&*SockRef::from(&self.socket)).read(&mut space).unwrap_or_default();
        input.extend_from_slice(space.get(..taken).unwrap_or_default());
    }

    /// Makes the connection one under TLS. What the server has to say last (tickets, or its Finished in TLS 1.2)
    /// is left for the next [`Wire::send`]; text that the client sent before that is put into `input`, where its first
    /// records may be already.
    pub(crate) async fn handshake(
        &mut self,
        records: Box<Records>,
        input: &mut BytesMut,
    ) -> io::Result<Shaken> {
        self.tls = Some(records);
        if !input.is_empty() {
            let mut first = mem::take(input);
            self.take_in(&mut first, input)?;
        }
        while self.progress() == Progress::Handshaking {
            poll_fn(|cx| self.poll_flush(cx)).await?;
            if poll_fn(|cx| self.poll_read(cx, input)).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        let shaken = self.tls.as_mut().map(|tls| Shaken::of(tls)).transpose()?.flatten();
        shaken.ok_or_else(|| io::ErrorKind::ConnectionAborted.into())
    }

    /// Adds what the client sends to `input` as soon as there is any, and says how many octets that is; 0 is the
    /// end. Nothing is lost if this is given up before it is ready.
    pub(crate) fn poll_receive(
        &mut self,
        cx: &mut Context<'_>,
        input: &mut BytesMut,
    ) -> Poll<io::Result<usize>> {
        let before = input.len();
        for _ in 0..TEXTLESS_READS {
            if self.progress() == Progress::Closed {
                return Poll::Ready(Ok(0));
            }
            let taken = ready!(self.poll_read(cx, input))?;
            let came = input.len() - before;
            if taken == 0 || came > 0 {
                return Poll::Ready(Ok(came));
            }
            // A part of a record: the client may be holding the rest until this part is acknowledged.
            self.acknowledge();
        }
        // Others have their turn, and so has the caller's deadline.
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Writes `output`, and what else is waiting, in as few writes as the kernel allows. Both are empty afterwards
    /// and own no memory.
    pub(crate) async fn send(&mut self, output: &mut BytesMut) -> io::Result<()> {
        self.prepare(output)?;
        poll_fn(|cx| self.poll_flush(cx)).await
    }

    /// Writes `output` as the last that the client hears.
    pub(crate) async fn close(&mut self, output: &mut BytesMut) -> io::Result<()> {
        self.prepare(output)?;
        if let Some(tls) = &mut self.tls {
            tls.say_goodbye(&mut self.unsent).map_err(invalid)?;
        }
        poll_fn(|cx| self.poll_flush(cx)).await?;
        poll_fn(|cx| Pin::new(&mut self.socket).poll_shutdown(cx)).await
    }

    /// Waits for the client to close too, and drops what it still sends: to leave octets unread would reset the
    /// connection, and our last reply might be lost.
    pub(crate) async fn drain(&mut self) -> io::Result<()> {
        self.tls = None;
        let mut dropped = 0;
        while dropped < LINGER {
            match poll_fn(|cx| self.poll_read(cx, &mut BytesMut::new())).await? {
                0 => break,
                octets => dropped += octets,
            }
        }
        Ok(())
    }

    /// Tells TCP to acknowledge what came at once. A client that leaves Nagle's algorithm on holds its next small
    /// segment until then, up to 40 ms. The setting does not last (tcp(7)), so it is repeated wherever the rest of
    /// something is awaited.
    pub(crate) fn acknowledge(&self) {
        #[cfg(target_os = "linux")]
        // Without it all works as well, only slower.
        let _ = SockRef::from(&self.socket).set_tcp_quickack(true);
    }

    fn progress(&self) -> Progress {
        self.tls.as_ref().map_or(Progress::Open, |tls| tls.progress())
    }

    fn prepare(&mut self, output: &mut BytesMut) -> io::Result<()> {
        let text = mem::take(output);
        match &mut self.tls {
            Some(tls) => tls.seal(&text, &mut self.unsent).map_err(invalid),
            None => {
                self.unsent = text;
                Ok(())
            }
        }
    }

    /// One read of the socket, 0 being its end. Under TLS it need not bring any text.
    fn poll_read(&mut self, cx: &mut Context<'_>, input: &mut BytesMut) -> Poll<io::Result<usize>> {
        let mut space = [const { MaybeUninit::uninit() }; SPACE];
        let mut space = ReadBuf::uninit(&mut space);
        if let Some(tls) = &self.tls {
            space.put_slice(tls.partial());
        }
        let before = space.filled().len();
        if before == SPACE {
            return Poll::Ready(Err(invalid("handshake message too long")));
        }
        ready!(Pin::new(&mut self.socket).poll_read(cx, &mut space))?;
        let taken = space.filled().len() - before;
        if taken > 0 {
            self.take_in(space.filled_mut(), input)?;
        }
        Poll::Ready(Ok(taken))
    }

    fn take_in(&mut self, octets: &mut [u8], input: &mut BytesMut) -> io::Result<()> {
        match &mut self.tls {
            Some(tls) => tls.open(octets, input, &mut self.unsent).map_err(|error| {
                // The alert that tells the client why is worth one attempt.
                let _ = (&*SockRef::from(&self.socket)).write(&self.unsent);
                invalid(error)
            }),
            None => {
                input.extend_from_slice(octets);
                Ok(())
            }
        }
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.unsent.has_remaining() {
            let written = ready!(self.poll_write(cx))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.unsent.advance(written);
        }
        self.unsent = BytesMut::new();
        Poll::Ready(Ok(()))
    }

    /// Tries the socket itself first: right after accept the runtime does not know yet that it can be written.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        match (&*SockRef::from(&self.socket)).write(&self.unsent) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                Pin::new(&mut self.socket).poll_write(cx, &self.unsent)
            }
            done => Poll::Ready(done),
        }
    }
}

fn invalid(error: impl Into<Box<dyn Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}
