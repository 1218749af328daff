//! A plain mail client over a socket: it says what it is told, and hears replies.

use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use sasl::{ChannelBindings, Mechanism};
use socket2::{Domain, Socket, Type};
use types::Secret;

use crate::authority::HOSTNAME;
use crate::login::{Credentials, Login};

/// Longer than any reply may take; only a failing test waits so long.
const PATIENCE: Duration = Duration::from_secs(30);

/// One connection.
pub struct Client {
    stream: Stream,
    tls: Arc<ClientConfig>,
    heard: Vec<u8>,
}

/// A reply: its code and its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub code: u16,
    pub lines: Vec<String>,
}

impl Reply {
    /// What follows a 334.
    pub fn challenge(&self) -> Option<&str> {
        self.lines[0].strip_prefix("334 ")
    }
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
    /// Only while a handshake runs, or after one that failed.
    Gone,
}

impl Client {
    /// A connection in clear; the greeting is still to be heard.
    pub fn connect(address: SocketAddr, tls: &Arc<ClientConfig>) -> Client {
        Client::over(TcpStream::connect(address).unwrap(), tls)
    }

    /// As [`Client::connect`], from this address of the machine: on Linux, all of 127.0.0.0/8 is its own.
    pub fn connect_from(source: IpAddr, address: SocketAddr, tls: &Arc<ClientConfig>) -> Client {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::new(source, 0).into()).unwrap();
        socket.connect(&address.into()).unwrap();
        Client::over(socket.into(), tls)
    }

    fn over(socket: TcpStream, tls: &Arc<ClientConfig>) -> Client {
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        socket.set_write_timeout(Some(PATIENCE)).unwrap();
        Client { stream: Stream::Plain(socket), tls: Arc::clone(tls), heard: Vec::new() }
    }

    /// The handshake, here and now.
    pub fn handshake(&mut self) -> Result<(), String> {
        if !self.heard.is_empty() {
            return Err(format!(
                "octets in clear before the handshake: {:?}",
                String::from_utf8_lossy(&self.heard)
            ));
        }
        let Stream::Plain(mut socket) = std::mem::replace(&mut self.stream, Stream::Gone) else {
            return Err("TLS is already running".to_owned());
        };
        let name = ServerName::try_from(HOSTNAME).map_err(|error| error.to_string())?;
        let mut tls =
            ClientConnection::new(Arc::clone(&self.tls), name).map_err(|error| error.to_string())?;
        while tls.is_handshaking() {
            tls.complete_io(&mut socket).map_err(|error| format!("the handshake failed: {error}"))?;
        }
        self.stream = Stream::Tls(Box::new(StreamOwned::new(tls, socket)));
        Ok(())
    }

    /// Writes these octets at once.
    pub fn say(&mut self, octets: &[u8]) -> std::io::Result<()> {
        self.stream.write_all(octets)?;
        self.stream.flush()
    }

    /// The next line without its CRLF; `None` when the server has closed.
    pub fn line(&mut self) -> std::io::Result<Option<String>> {
        loop {
            if let Some(end) = self.heard.windows(2).position(|pair| pair == b"\r\n") {
                let line: Vec<u8> = self.heard.drain(..end + 2).take(end).collect();
                return Ok(Some(String::from_utf8_lossy(&line).into_owned()));
            }
            let mut octets = [0; 4096];
            match self.stream.read(&mut octets) {
                Ok(0) => return Ok(None),
                Ok(count) => self.heard.extend_from_slice(&octets[..count]),
                Err(error)
                    if matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset) =>
                {
                    return Ok(None);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Octets that were read with a line that was heard, but lie behind it.
    pub fn said_already(&self) -> String {
        String::from_utf8_lossy(&self.heard).into_owned()
    }

    /// One whole reply.
    pub fn reply(&mut self) -> std::io::Result<Reply> {
        let mut lines = Vec::new();
        loop {
            let line = self.line()?.ok_or(ErrorKind::UnexpectedEof)?;
            let more = line.as_bytes().get(3) == Some(&b'-');
            lines.push(line);
            if !more {
                let code = lines[0].get(..3).and_then(|code| code.parse().ok()).unwrap_or(0);
                return Ok(Reply { code, lines });
            }
        }
    }

    /// Says a line and hears its reply.
    pub fn ask(&mut self, line: &str) -> std::io::Result<Reply> {
        self.say(format!("{line}\r\n").as_bytes())?;
        self.reply()
    }

    /// As [`Client::ask`], and panics unless the code is `code`.
    pub fn expect(&mut self, line: &str, code: u16) -> Reply {
        let reply = self.ask(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        assert_eq!(reply.code, code, "{line}: {reply:?}");
        reply
    }

    pub fn auth_plain(&mut self, user: &str, password: &str) -> std::io::Result<Reply> {
        self.say_auth_plain(user, password)?;
        self.reply()
    }

    /// As [`Client::auth_plain`], but hears no reply yet.
    pub fn say_auth_plain(&mut self, user: &str, password: &str) -> std::io::Result<()> {
        let response = STANDARD.encode(format!("\0{user}\0{password}"));
        self.say(format!("AUTH PLAIN {response}\r\n").as_bytes())
    }

    /// A login by any mechanism, up to the first reply that is no challenge.
    pub fn auth(&mut self, mechanism: Mechanism, user: &str, secret: &str) -> std::io::Result<Reply> {
        let credentials = Credentials { username: user.to_owned(), secret: secret.to_owned() };
        self.log_in(Login::new(mechanism, credentials, self.bindings()))
    }

    /// As [`Client::auth`], by somebody with a mind of his own.
    pub fn log_in(&mut self, mut login: Login) -> std::io::Result<Reply> {
        let mut reply = self.ask(&login.command())?;
        while let Some(challenge) = reply.challenge() {
            reply = self.ask(&login.answer(challenge))?;
        }
        Ok(reply)
    }

    /// What the connection can be bound by: under TLS, what RFC 9266 says.
    pub fn bindings(&self) -> ChannelBindings {
        let Stream::Tls(tls) = &self.stream else { return ChannelBindings::default() };
        let octets = tls.conn.export_keying_material([0; 32], b"EXPORTER-Channel-Binding", None).unwrap();
        let mut bindings = ChannelBindings::default();
        bindings.exporter = Some(Secret::new(octets));
        bindings
    }

    /// MAIL, RCPT and DATA; the reply to the end of the message, or the first that is not what it should be.
    pub fn send(&mut self, from: &str, to: &[&str], message: &[u8]) -> std::io::Result<Reply> {
        let mail = self.ask(&format!("MAIL FROM:<{from}>"))?;
        if mail.code != 250 {
            return Ok(mail);
        }
        for recipient in to {
            let rcpt = self.ask(&format!("RCPT TO:<{recipient}>"))?;
            if rcpt.code != 250 {
                return Ok(rcpt);
            }
        }
        let data = self.ask("DATA")?;
        if data.code != 354 {
            return Ok(data);
        }
        self.say(&stuffed(message))?;
        self.reply()
    }

    /// Closes our half and hears what the server still says, up to its end.
    pub fn hang_up(&mut self) -> std::io::Result<Vec<String>> {
        if let Stream::Tls(tls) = &mut self.stream {
            tls.conn.send_close_notify();
            // A server that has closed already cannot be told.
            let _ = tls.flush();
        }
        let _ = self.socket().map(|socket| socket.shutdown(Shutdown::Write));
        let mut lines = Vec::new();
        while let Some(line) = self.line()? {
            lines.push(line);
        }
        Ok(lines)
    }

    /// What the server showed of itself.
    pub fn certificate(&self) -> Option<CertificateDer<'static>> {
        match &self.stream {
            Stream::Tls(tls) => Some(tls.conn.peer_certificates()?.first()?.clone().into_owned()),
            Stream::Plain(_) | Stream::Gone => None,
        }
    }

    fn socket(&self) -> Option<&TcpStream> {
        match &self.stream {
            Stream::Plain(socket) => Some(socket),
            Stream::Tls(tls) => Some(&tls.sock),
            Stream::Gone => None,
        }
    }
}

/// The message as it goes over the wire after DATA, its end included (RFC 5321 section 4.5.2).
pub fn stuffed(message: &[u8]) -> Vec<u8> {
    let mut octets = Vec::with_capacity(message.len() + 64);
    for line in message.split_inclusive(|octet| *octet == b'\n') {
        if line.first() == Some(&b'.') {
            octets.push(b'.');
        }
        octets.extend_from_slice(line);
    }
    octets.extend_from_slice(b".\r\n");
    octets
}

impl Read for Stream {
    fn read(&mut self, octets: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Stream::Plain(socket) => socket.read(octets),
            Stream::Tls(tls) => tls.read(octets),
            Stream::Gone => Err(ErrorKind::NotConnected.into()),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
        match self {
            Stream::Plain(socket) => socket.write(octets),
            Stream::Tls(tls) => tls.write(octets),
            Stream::Gone => Err(ErrorKind::NotConnected.into()),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        match self {
            Stream::Plain(socket) => socket.flush(),
            Stream::Tls(tls) => tls.flush(),
            Stream::Gone => Err(ErrorKind::NotConnected.into()),
        }
    }
}
