//! The next host, as a script: it answers as it is told and keeps what it is given.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use dns::fake::FakeDns;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::authority::Pair;
use crate::play::Accepted;
use crate::server::PATIENCE;

/// What the host is like.
pub struct Script {
    pub capabilities: Vec<&'static str>,
    pub tls: Tls,
    /// The reply to a line of the client (`.` for the end of a message), where it is not the usual one.
    pub answer: Answer,
}

/// From the line and how often such a line came before, to a reply without its CRLF.
pub type Answer = Box<dyn Fn(&str, usize) -> Option<String> + Send + Sync>;

/// The answer of a host that closes the connection without a word.
pub const HANG_UP: &str = "hang up";

/// When TLS begins.
pub enum Tls {
    Never,
    First(Pair),
    Asked(Pair),
}

impl Default for Script {
    fn default() -> Script {
        Script {
            capabilities: vec!["PIPELINING", "8BITMIME", "SMTPUTF8", "SIZE 100000000", "ENHANCEDSTATUSCODES"],
            tls: Tls::Never,
            answer: Box::new(|_, _| None),
        }
    }
}

/// A host that listens; its threads end with the test's process.
pub struct Smarthost {
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    seen: Mutex<Seen>,
    news: Condvar,
}

#[derive(Default)]
struct Seen {
    lines: Vec<String>,
    messages: Vec<Accepted>,
    connections: usize,
}

impl Smarthost {
    pub fn start(script: Script) -> Smarthost {
        Smarthost::at(TcpListener::bind("127.0.0.1:0").unwrap(), script)
    }

    /// A host where those listen that the DNS names.
    pub fn mail_host(script: Script) -> Smarthost {
        Smarthost::at(port_25(), script)
    }

    fn at(listener: TcpListener, script: Script) -> Smarthost {
        let address = listener.local_addr().unwrap();
        let shared = Arc::<Shared>::default();
        let (script, mine) = (Arc::new(script), Arc::clone(&shared));
        std::thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let (script, shared) = (Arc::clone(&script), Arc::clone(&mine));
                std::thread::spawn(move || drop(serve(socket, &script, &shared)));
            }
        });
        Smarthost { address, shared }
    }

    pub fn messages(&self) -> Vec<Accepted> {
        self.shared.seen().messages.clone()
    }

    /// Every line the clients said, outside of messages.
    pub fn lines(&self) -> Vec<String> {
        self.shared.seen().lines.clone()
    }

    pub fn connections(&self) -> usize {
        self.shared.seen().connections
    }

    pub fn until_messages(&self, number: usize) -> Vec<Accepted> {
        self.until(|seen| (seen.messages.len() >= number).then(|| seen.messages.clone()))
    }

    /// Waits for a line that begins so.
    pub fn until_line(&self, start: &str) -> String {
        self.until(|seen| seen.lines.iter().find(|line| line.starts_with(start)).cloned())
    }

    fn until<T>(&self, ask: impl Fn(&Seen) -> Option<T>) -> T {
        let end = Instant::now() + PATIENCE;
        let mut seen = self.shared.seen();
        loop {
            if let Some(answer) = ask(&seen) {
                return answer;
            }
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "the next host waited in vain; it heard {:#?}", seen.lines);
            seen = self.shared.news.wait_timeout(seen, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// The settings of delivery by MX to a host at this address, which may be of this machine.
pub fn by_mx(dns: &FakeDns, address: IpAddr) -> String {
    format!("[delivery.mx]\nallow_networks = [\"{address}\"]\n[dns]\nservers = [\"{}\"]", dns.address())
}

/// Port 25 at an address of this machine that is nobody else's: 127.0.0.0/8 has enough of them.
pub fn port_25() -> TcpListener {
    static NEXT: AtomicU8 = AtomicU8::new(2);
    let [_, _, a, b] = std::process::id().to_be_bytes();
    loop {
        let address = Ipv4Addr::new(127, a.max(1), b, NEXT.fetch_add(1, Ordering::Relaxed));
        match TcpListener::bind((address, 25)) {
            Ok(listener) => return listener,
            Err(error) => assert_eq!(error.kind(), ErrorKind::AddrInUse, "port 25 of {address}: {error}"),
        }
    }
}

impl Shared {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, change: impl FnOnce(&mut Seen)) {
        change(&mut self.seen());
        self.news.notify_all();
    }
}

trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

fn serve(socket: TcpStream, script: &Script, shared: &Shared) -> std::io::Result<()> {
    socket.set_read_timeout(Some(Duration::from_secs(60)))?;
    socket.set_nodelay(true)?;
    shared.tell(|seen| seen.connections += 1);
    let mut conversation = Conversation { script, shared, sender: String::new(), recipients: Vec::new() };
    match &script.tls {
        Tls::First(pair) => {
            conversation.run(Box::new(secured(socket, pair)), "220 next.example ESMTP\r\n").map(drop)
        }
        Tls::Never => conversation.run(Box::new(socket), "220 next.example ESMTP\r\n").map(drop),
        Tls::Asked(pair) => {
            let upgrade = conversation.run(Box::new(socket.try_clone()?), "220 next.example ESMTP\r\n")?;
            if upgrade { conversation.run(Box::new(secured(socket, pair)), "").map(drop) } else { Ok(()) }
        }
    }
}

fn secured(socket: TcpStream, pair: &Pair) -> StreamOwned<ServerConnection, TcpStream> {
    let key: PrivateKeyDer<'static> = rustls_pemfile::private_key(&mut pair.key.as_bytes()).unwrap().unwrap();
    let chain: Vec<CertificateDer<'static>> = vec![pair.der.clone()];
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap();
    StreamOwned::new(ServerConnection::new(Arc::new(config)).unwrap(), socket)
}

struct Conversation<'a> {
    script: &'a Script,
    shared: &'a Shared,
    sender: String,
    recipients: Vec<String>,
}

impl Conversation<'_> {
    /// Up to the end, or up to STARTTLS (true).
    fn run(&mut self, stream: Box<dyn Stream + '_>, greeting: &str) -> std::io::Result<bool> {
        let mut stream = BufReader::new(stream);
        stream
            .get_mut()
            .write_all(self.usual("", greeting.trim_end()).as_bytes())
            .and_then(|()| stream.get_mut().flush())?;
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line)? == 0 {
                return Ok(false);
            }
            let line = line.trim_end().to_owned();
            if let Some(octets) = chunk(&line, &mut stream)? {
                self.shared.tell(|seen| seen.lines.push(line));
                let reply = self.end_of_message(octets);
                stream.get_mut().write_all(reply.as_bytes())?;
                stream.get_mut().flush()?;
                continue;
            }
            let reply = self.reply(&line);
            if reply.starts_with(HANG_UP) {
                return Ok(false);
            }
            stream.get_mut().write_all(reply.as_bytes())?;
            stream.get_mut().flush()?;
            if reply.starts_with("354") {
                let octets = message(&mut stream)?;
                let reply = self.end_of_message(octets);
                if reply.starts_with(HANG_UP) {
                    return Ok(false);
                }
                stream.get_mut().write_all(reply.as_bytes())?;
                stream.get_mut().flush()?;
            }
            match line.to_ascii_uppercase().as_str() {
                "QUIT" => return Ok(false),
                "STARTTLS" if reply.starts_with("220") => return Ok(true),
                _ => {}
            }
        }
    }

    fn reply(&mut self, line: &str) -> String {
        let upper = line.to_ascii_uppercase();
        let usual = match upper.split_whitespace().next().unwrap_or_default() {
            "EHLO" => self.capabilities(),
            "MAIL" | "RCPT" | "RSET" | "HELO" | "NOOP" => "250 2.0.0 OK".to_owned(),
            "DATA" => "354 go on".to_owned(),
            "QUIT" => "221 2.0.0 bye".to_owned(),
            "STARTTLS" => "220 2.0.0 go".to_owned(),
            "AUTH" => "235 2.7.0 welcome".to_owned(),
            _ => "500 5.5.2 what?".to_owned(),
        };
        let reply = self.usual(line, &usual);
        if reply.starts_with('2') && upper.starts_with("MAIL FROM:") {
            (self.sender, self.recipients) = (path(line), Vec::new());
        }
        if reply.starts_with('2') && upper.starts_with("RCPT TO:") {
            self.recipients.push(path(line));
        }
        reply
    }

    /// The scripted reply or else the usual one, with its CRLF.
    fn usual(&self, line: &str, usual: &str) -> String {
        let before = self.shared.seen().lines.iter().filter(|said| said.as_str() == line).count();
        if !line.is_empty() {
            self.shared.tell(|seen| seen.lines.push(line.to_owned()));
        }
        let reply = (self.script.answer)(line, before).unwrap_or_else(|| usual.to_owned());
        if reply.is_empty() { reply } else { reply + "\r\n" }
    }

    fn capabilities(&self) -> String {
        let mut lines = vec!["250-next.example"];
        lines.extend(self.script.capabilities.iter().copied());
        if matches!(self.script.tls, Tls::Asked(_)) {
            lines.push("STARTTLS");
        }
        lines.push("HELP");
        lines.join("\r\n250-").replace("\r\n250-HELP", "\r\n250 HELP").replacen("250-250-", "250-", 1)
    }

    fn end_of_message(&mut self, octets: Vec<u8>) -> String {
        let reply = self.usual(".", "250 2.0.0 taken");
        if reply.starts_with('2') {
            let accepted = Accepted {
                sender: self.sender.clone(),
                recipients: std::mem::take(&mut self.recipients),
                octets,
            };
            self.shared.tell(|seen| seen.messages.push(accepted));
        }
        reply
    }
}

/// The octets up to CRLF.CRLF, dots unstuffed; every line has to end in CRLF.
fn message(stream: &mut impl BufRead) -> std::io::Result<Vec<u8>> {
    let mut octets = Vec::new();
    loop {
        let mut line = Vec::new();
        if stream.read_until(b'\n', &mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if line == b".\r\n" {
            return Ok(octets);
        }
        octets.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
    }
}

/// The octets behind a BDAT, which is the only one of its message (RFC 3030 section 2).
fn chunk(line: &str, stream: &mut impl Read) -> std::io::Result<Option<Vec<u8>>> {
    let size = line.strip_prefix("BDAT ").and_then(|rest| rest.strip_suffix(" LAST"));
    let Some(size) = size.and_then(|size| size.parse().ok()) else { return Ok(None) };
    let mut octets = vec![0; size];
    stream.read_exact(&mut octets)?;
    Ok(Some(octets))
}

fn path(line: &str) -> String {
    let inside = line.split_once('<').map_or("", |(_, rest)| rest);
    inside.rsplit_once('>').map_or(inside, |(path, _)| path).to_owned()
}
