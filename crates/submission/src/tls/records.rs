//! TLS records: made of text, and taken apart into text, in the caller's buffers.
//!
//! rustls' unbuffered interface, put so that it can be used in two words: [`Records::open`] what came, and
//! [`Records::seal`] what goes. It does no I/O.

use std::sync::Arc;

use bytes::BytesMut;
use rustls::server::{ServerConnectionData, UnbufferedServerConnection};
use rustls::unbuffered::{ConnectionState, EncodeError, EncryptError, UnbufferedStatus, WriteTraffic};
use rustls::{Error, ServerConfig};
use sasl::ChannelBindings;
use types::{ClientCertificate, TlsFacts};

use super::agreed::agreed;
use super::bound::Bound;
use super::client_certificate;
use super::failure::TlsFailure;

/// How far a TLS connection has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Progress {
    Handshaking,
    Open,
    /// The client has said that it will send no more, or has sent what cannot be trusted.
    Closed,
}

/// The server's side of one TLS connection.
pub(crate) struct Records {
    connection: UnbufferedServerConnection,
    /// The beginning of a record or handshake message whose end has not come.
    partial: Vec<u8>,
    progress: Progress,
    bound: Option<Arc<Bound>>,
}

impl Records {
    /// A connection that has not begun; what `bound` is its own is in `config` too.
    pub(crate) fn new(config: Arc<ServerConfig>, bound: Option<Arc<Bound>>) -> Result<Self, Error> {
        let connection = UnbufferedServerConnection::new(config)?;
        Ok(Self { connection, partial: Vec::new(), progress: Progress::Handshaking, bound })
    }

    pub(crate) fn progress(&self) -> Progress {
        self.progress
    }

    /// What has to stand in front of what comes next, when that is given to [`Records::open`].
    pub(crate) fn partial(&self) -> &[u8] {
        &self.partial
    }

    /// Takes records apart, as far as they are complete: text goes to `input`, what TLS itself answers to `unsent`.
    pub(crate) fn open(
        &mut self,
        mut records: &mut [u8],
        input: &mut BytesMut,
        unsent: &mut BytesMut,
    ) -> Result<(), TlsFailure> {
        loop {
            let UnbufferedStatus { discard, state } = self.connection.process_tls_records(records);
            let taken = match state {
                Ok(ConnectionState::WriteTraffic(_)) => {
                    self.progress = self.progress.max(Progress::Open);
                    None
                }
                Ok(ConnectionState::PeerClosed | ConnectionState::Closed) => {
                    self.progress = Progress::Closed;
                    None
                }
                Ok(state) => advance(state, input, unsent)?,
                Err(error) => {
                    self.progress = Progress::Closed;
                    self.take_alert(unsent);
                    return Err(TlsFailure::at(records, error));
                }
            };
            records = records.get_mut(discard + taken.unwrap_or(0)..).unwrap_or_default();
            if taken.is_none() {
                self.partial = records.to_vec();
                return Ok(());
            }
        }
    }

    /// Makes records of `text`.
    pub(crate) fn seal(&mut self, text: &[u8], unsent: &mut BytesMut) -> Result<(), Error> {
        if text.is_empty() {
            Ok(())
        } else {
            self.write(unsent, |traffic, space| traffic.encrypt(text, space))
        }
    }

    /// Adds the alert that tells a close from a truncation (RFC 8446 section 6.1).
    pub(crate) fn say_goodbye(&mut self, unsent: &mut BytesMut) -> Result<(), Error> {
        self.write(unsent, |traffic, space| traffic.queue_close_notify(space))
    }

    fn write(
        &mut self,
        unsent: &mut BytesMut,
        mut write: impl FnMut(
            &mut WriteTraffic<'_, ServerConnectionData>,
            &mut [u8],
        ) -> Result<usize, EncryptError>,
    ) -> Result<(), Error> {
        // The end of `partial` has not come, so that this makes no progress with it; but rustls has marks in it.
        while let Ok(state) = self.connection.process_tls_records(&mut self.partial).state {
            match state {
                ConnectionState::WriteTraffic(mut traffic) => {
                    return append(unsent, |space| write(&mut traffic, space).map_err(Refused::from));
                }
                state => {
                    if advance(state, &mut BytesMut::new(), unsent)?.is_none() {
                        break;
                    }
                }
            }
        }
        Err(Error::HandshakeNotComplete)
    }

    /// After an error: the alert that rustls has prepared, which is all that this connection will still say.
    fn take_alert(&mut self, unsent: &mut BytesMut) {
        while self.connection.wants_write() {
            let Ok(state) = self.connection.process_tls_records(&mut []).state else { return };
            if !matches!(advance(state, &mut BytesMut::new(), unsent), Ok(Some(_))) {
                return;
            }
        }
    }

    /// What logins can be bound to, once the handshake is over; it is told once.
    pub(crate) fn take_bindings(&mut self) -> ChannelBindings {
        let suite = self.connection.negotiated_cipher_suite();
        let bound = self.bound.take().zip(suite);
        bound.map(|(bound, suite)| bound.bindings(suite)).unwrap_or_default()
    }

    /// The certificate that the client showed, in this handshake or in the one that this session goes back to.
    pub(crate) fn client_certificate(&self) -> Result<Option<Arc<ClientCertificate>>, Error> {
        let own = self.connection.peer_certificates().and_then(<[_]>::first);
        own.map(client_certificate::read).transpose()
    }

    /// What the handshake agreed on, once it has.
    pub(crate) fn facts(&self) -> Option<TlsFacts> {
        agreed(&self.connection)
    }
}

/// Does what a state of the handshake or of the stream asks for, and says how many octets of input that has taken beyond
/// those which rustls knew of. Nothing when only the client can bring it on.
fn advance(
    state: ConnectionState<'_, '_, ServerConnectionData>,
    input: &mut BytesMut,
    unsent: &mut BytesMut,
) -> Result<Option<usize>, Error> {
    let mut taken = 0;
    match state {
        ConnectionState::ReadTraffic(mut text) => {
            while let Some(record) = text.next_record() {
                let record = record?;
                input.extend_from_slice(record.payload);
                taken += record.discard;
            }
        }
        ConnectionState::EncodeTlsData(mut made) => {
            append(unsent, |space| made.encode(space).map_err(Refused::from))?;
        }
        // Not yet: it leaves with what follows.
        ConnectionState::TransmitTlsData(made) => made.done(),
        ConnectionState::BlockedHandshake => return Ok(None),
        // Early data was never offered, and the others are the caller's.
        _ => return Err(Error::HandshakeNotComplete),
    }
    Ok(Some(taken))
}

/// Why rustls did not write: the space was too small, or it never will.
enum Refused {
    Needs(usize),
    Never,
}

impl From<EncryptError> for Refused {
    fn from(error: EncryptError) -> Self {
        match error {
            EncryptError::InsufficientSize(needs) => Self::Needs(needs.required_size),
            EncryptError::EncryptExhausted => Self::Never,
        }
    }
}

impl From<EncodeError> for Refused {
    fn from(error: EncodeError) -> Self {
        match error {
            EncodeError::InsufficientSize(needs) => Self::Needs(needs.required_size),
            EncodeError::AlreadyEncoded => Self::Never,
        }
    }
}

/// Lets `write` add to `unsent`: it is asked how much it needs, then given that.
fn append(
    unsent: &mut BytesMut,
    mut write: impl FnMut(&mut [u8]) -> Result<usize, Refused>,
) -> Result<(), Error> {
    let end = unsent.len();
    loop {
        match write(unsent.get_mut(end..).unwrap_or_default()) {
            Ok(written) => {
                unsent.truncate(end + written);
                return Ok(());
            }
            Err(Refused::Needs(octets)) if unsent.len() < end + octets => unsent.resize(end + octets, 0),
            Err(_) => return Err(Error::EncryptError),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use rustls::pki_types::{PrivatePkcs8KeyDer, ServerName};
    use rustls::{ClientConfig, ClientConnection, RootCertStore};
    use types::TlsVersion;

    use super::*;
    use crate::tls::Identity;
    use crate::tls::offer::Offer;

    /// A client and a server of the same configuration, so that one handshake is like another.
    struct World {
        server: Offer,
        client: Arc<ClientConfig>,
    }

    impl World {
        fn new() -> Self {
            let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
            let certificate = made.cert.der().clone();
            let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
            let identity = Identity::new(vec![certificate.clone()], key.into()).unwrap();
            let mut roots = RootCertStore::empty();
            roots.add(certificate).unwrap();
            let client = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
            let server = Offer::new(&identity, TlsVersion::V1_2, false).unwrap();
            Self { server, client: Arc::new(client) }
        }

        fn pair(&self) -> Pair {
            let name = ServerName::try_from("localhost").unwrap();
            Pair {
                client: ClientConnection::new(Arc::clone(&self.client), name).unwrap(),
                server: self.server.records().unwrap(),
                input: BytesMut::new(),
            }
        }
    }

    struct Pair {
        client: ClientConnection,
        server: Records,
        /// The text that the server got.
        input: BytesMut,
    }

    impl Pair {
        /// All that the client has to send now.
        fn flight(&mut self) -> Vec<u8> {
            let mut flight = Vec::new();
            while self.client.wants_write() {
                self.client.write_tls(&mut flight).unwrap();
            }
            flight
        }

        /// Gives the server octets, and its answer to the client.
        fn give(&mut self, octets: &[u8]) -> Result<(), TlsFailure> {
            let mut unsent = BytesMut::new();
            let mut records = [self.server.partial(), octets].concat();
            let result = self.server.open(&mut records, &mut self.input, &mut unsent);
            self.take(&unsent);
            result
        }

        fn take(&mut self, mut records: &[u8]) {
            while !records.is_empty() {
                self.client.read_tls(&mut records).unwrap();
                let _ = self.client.process_new_packets();
            }
        }

        fn exchange(&mut self, step: usize) {
            loop {
                let flight = self.flight();
                if flight.is_empty() {
                    return;
                }
                flight.chunks(step).for_each(|piece| self.give(piece).unwrap());
            }
        }
    }

    #[test]
    fn records_may_come_in_any_pieces() {
        let world = World::new();
        let text: Vec<u8> = (0..40_000u32).flat_map(u32::to_le_bytes).collect();
        for step in [1, 2, 3, 5, 7, 64, 1000, 16_384, 100_000] {
            let mut pair = world.pair();
            pair.exchange(step);
            assert_eq!(pair.server.progress(), Progress::Open);
            assert!(pair.server.partial().is_empty());
            for half in text.chunks(text.len() / 2) {
                let mut half = half;
                while !half.is_empty() {
                    let written = pair.client.writer().write(half).unwrap();
                    half = half.split_at(written).1;
                    pair.exchange(step);
                }
                // New keys for both sides in the middle of it.
                pair.client.refresh_traffic_keys().unwrap();
                pair.exchange(step);
            }
            assert_eq!(pair.input, text);
            let mut unsent = BytesMut::new();
            pair.server.seal(b"250 OK\r\n", &mut unsent).unwrap();
            pair.take(&unsent);
            let mut reply = [0; 8];
            pair.client.reader().read_exact(&mut reply).unwrap();
            assert_eq!(&reply, b"250 OK\r\n");
        }
    }

    #[test]
    fn a_wrong_octet_anywhere_is_found() {
        let world = World::new();
        let mut sound = world.pair();
        let hello = sound.flight().len();
        for place in 0..hello {
            let mut pair = world.pair();
            let mut flight = pair.flight();
            flight[place] ^= 0x55;
            // It may still be some hello, but never the one that the client remembers.
            let _ = pair.give(&flight);
            pair.client.process_new_packets().map(drop).unwrap_or_default();
            assert_ne!(pair.server.progress(), Progress::Open, "octet {place}");
        }
        let text = *b"QUIT\r\n";
        for place in 0..200 {
            let mut pair = world.pair();
            let hello = pair.flight();
            pair.give(&hello).unwrap();
            pair.client.writer().write_all(&text).unwrap();
            let mut flight = pair.flight();
            let Some(octet) = flight.get_mut(place) else { break };
            *octet ^= 0x55;
            if pair.give(&flight).is_ok() {
                let _ = pair.give(&[0; 64]);
            }
            // The version in the header of a record is no part of it (RFC 8446 section 5.1), nor is anything of
            // a ChangeCipherSpec.
            assert!(pair.input.is_empty() || *pair.input == text[..], "octet {place}");
        }
    }

    #[test]
    fn an_error_is_told_by_an_alert() {
        let mut pair = World::new().pair();
        let mut unsent = BytesMut::new();
        let mut records = *b"EHLO client.test\r\n";
        assert!(pair.server.open(&mut records, &mut BytesMut::new(), &mut unsent).is_err());
        // Content type 21 (RFC 8446 section 5.1).
        assert_eq!(unsent.first(), Some(&21));
    }

    #[test]
    fn nothing_is_sealed_before_the_handshake() {
        let mut pair = World::new().pair();
        assert!(pair.server.seal(b"220", &mut BytesMut::new()).is_err());
    }

    #[test]
    fn behind_the_clients_goodbye_nothing_is_opened() {
        let mut pair = World::new().pair();
        pair.exchange(1000);
        pair.client.writer().write_all(b"NOOP\r\n").unwrap();
        pair.client.send_close_notify();
        let mut flight = pair.flight();
        flight.extend_from_slice(b"QUIT\r\n");
        pair.give(&flight).unwrap();
        assert_eq!(pair.input, "NOOP\r\n");
        assert_eq!(pair.server.progress(), Progress::Closed);
        assert!(pair.server.say_goodbye(&mut BytesMut::new()).is_ok());
    }
}
