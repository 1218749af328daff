//! A next host that does as it is told, and remembers what it was told.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};

use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore};
use tokio_rustls::TlsAcceptor;

/// How the host behaves.
#[derive(Clone)]
pub(crate) struct Manners {
    /// The keywords of EHLO.
    pub(crate) offers: Vec<&'static str>,
    /// The keywords of EHLO inside TLS.
    pub(crate) offers_in_tls: Vec<&'static str>,
    /// To STARTTLS.
    /// If it is empty, the host hangs up without a word.
    pub(crate) start_tls: &'static str,
    /// To AUTH.
    pub(crate) auth: &'static str,
    /// What is said first.
    pub(crate) greeting: &'static str,
    /// To EHLO, instead of the keywords.
    pub(crate) ehlo: Option<&'static str>,
    /// To MAIL.
    pub(crate) mail: &'static str,
    /// To RCPT.
    pub(crate) rcpt: &'static str,
    /// To DATA.
    pub(crate) data: &'static str,
    /// To the text.
    pub(crate) text: &'static str,
    /// Messages after which the host hangs up without a word.
    pub(crate) messages: usize,
    /// Messages after which the host says 421 to the next MAIL, and hangs up.
    pub(crate) farewell: usize,
    /// Permits to answer the text.
    pub(crate) pace: Arc<Semaphore>,
    pub(crate) tls: Option<Arc<ServerConfig>>,
    pub(crate) implicit_tls: bool,
}

impl Default for Manners {
    fn default() -> Manners {
        Manners {
            offers: vec!["PIPELINING", "SIZE 1000000", "8BITMIME"],
            offers_in_tls: vec!["PIPELINING"],
            start_tls: "220 go ahead",
            auth: "235 2.7.0 welcome",
            greeting: "220 peer.example",
            ehlo: None,
            mail: "250 2.1.0 fine",
            rcpt: "250 2.1.5 fine",
            data: "354 go ahead",
            text: "250 2.0.0 taken",
            messages: usize::MAX,
            farewell: usize::MAX,
            pace: Arc::new(Semaphore::new(Semaphore::MAX_PERMITS)),
            tls: None,
            implicit_tls: false,
        }
    }
}

#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) connections: usize,
    /// Commands as they came, those inside TLS marked `*`.
    pub(crate) commands: Vec<String>,
    /// The texts taken, as they were before dot-stuffing.
    pub(crate) texts: Vec<String>,
    pub(crate) quits: usize,
    changed: Arc<Notify>,
}

pub(crate) struct Peer {
    pub(crate) address: IpAddr,
    pub(crate) port: u16,
    pub(crate) seen: Arc<Mutex<Seen>>,
}

impl Peer {
    pub(crate) async fn start(manners: Manners) -> Peer {
        Peer::at(TcpListener::bind(("127.0.0.1", 0)).await.unwrap(), manners)
    }

    /// A host where hosts of the internet listen, at an address of this machine that is nobody else's.
    pub(crate) async fn mail_host(manners: Manners) -> (Peer, IpAddr) {
        let listener = loop {
            let [a, b, c] = rand::random();
            if let Ok(listener) = TcpListener::bind((Ipv4Addr::new(127, a, b, c), 25)).await {
                break listener;
            }
        };
        let address = listener.local_addr().unwrap().ip();
        (Peer::at(listener, manners), address)
    }

    fn at(listener: TcpListener, manners: Manners) -> Peer {
        let (address, port) = (listener.local_addr().unwrap().ip(), listener.local_addr().unwrap().port());
        let seen = Arc::new(Mutex::new(Seen::default()));
        tokio::spawn(accept(listener, manners, seen.clone()));
        Peer { address, port, seen }
    }

    pub(crate) fn commands(&self) -> Vec<String> {
        self.seen.lock().unwrap().commands.clone()
    }

    pub(crate) fn has_seen(&self, command: &str) -> bool {
        self.commands().iter().any(|seen| seen.trim_start_matches('*').starts_with(command))
    }

    /// Waits until a command has come `times`.
    pub(crate) async fn until_seen(&self, command: &str, times: usize) {
        let all = self.seen.lock().unwrap().changed.clone();
        loop {
            let changed = all.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if self.commands().iter().filter(|seen| *seen == command).count() >= times {
                return;
            }
            changed.await;
        }
    }

    pub(crate) fn texts(&self) -> Vec<String> {
        self.seen.lock().unwrap().texts.clone()
    }

    pub(crate) fn connections(&self) -> usize {
        self.seen.lock().unwrap().connections
    }
}

async fn accept(listener: TcpListener, manners: Manners, seen: Arc<Mutex<Seen>>) {
    while let Ok((stream, _)) = listener.accept().await {
        seen.lock().unwrap().connections += 1;
        // Replies to one flight of commands are written one by one.
        stream.set_nodelay(true).unwrap();
        let talk = Talk { manners: manners.clone(), seen: seen.clone(), tls: false };
        tokio::spawn(talk.serve(stream));
    }
}

struct Talk {
    manners: Manners,
    seen: Arc<Mutex<Seen>>,
    tls: bool,
}

impl Talk {
    async fn serve(mut self, mut stream: TcpStream) -> std::io::Result<()> {
        if self.manners.implicit_tls {
            return self.serve_tls(stream, true).await;
        }
        if self.talk(&mut stream, true).await? {
            return self.serve_tls(stream, false).await;
        }
        Ok(())
    }

    async fn serve_tls(mut self, stream: TcpStream, greet: bool) -> std::io::Result<()> {
        self.tls = true;
        // A host without a certificate hangs up.
        let Some(tls) = self.manners.tls.clone() else { return Ok(()) };
        let acceptor = TlsAcceptor::from(tls);
        let mut stream = acceptor.accept(stream).await?;
        self.talk(&mut stream, greet).await.map(|_| ())
    }

    /// Talks until the end; `true` if TLS is to begin.
    async fn talk(
        &mut self,
        stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
        greet: bool,
    ) -> std::io::Result<bool> {
        let mut stream = BufReader::new(stream);
        let mut messages = 0;
        if greet {
            stream.write_all(format!("{}\r\n", self.manners.greeting).as_bytes()).await?;
        }
        while let Some(line) = line(&mut stream).await? {
            let mark = if self.tls { "*" } else { "" };
            self.saw(format!("{mark}{line}"));
            if let Some(size) = line.strip_prefix("BDAT ") {
                self.chunk(size, &mut stream).await?;
                messages += 1;
                continue;
            }
            let verb = line.split(' ').next().unwrap_or_default().to_ascii_uppercase();
            let reply = match verb.as_str() {
                "EHLO" => self.manners.ehlo.map_or_else(|| self.ehlo(), str::to_owned),
                "STARTTLS" if self.manners.start_tls.is_empty() => return Ok(false),
                "STARTTLS" => self.manners.start_tls.into(),
                "AUTH" => self.manners.auth.into(),
                "MAIL" if messages >= self.manners.farewell => "421 4.7.0 enough for now".into(),
                "MAIL" => self.manners.mail.into(),
                "RCPT" if line.contains("<refused") => "550 5.1.1 nobody here".into(),
                "RCPT" if line.contains("<greylisted") && self.times(&line) == 1 => {
                    "450 4.7.1 come again".into()
                }
                "RCPT" if line.contains("<later") => "450 4.7.1 come again".into(),
                "RCPT" => self.manners.rcpt.into(),
                "DATA" => self.manners.data.into(),
                "QUIT" => {
                    self.seen.lock().unwrap().quits += 1;
                    "221 bye".into()
                }
                _ => "250 fine".into(),
            };
            stream.write_all(format!("{reply}\r\n").as_bytes()).await?;
            stream.flush().await?;
            match verb.as_str() {
                "STARTTLS" if reply.starts_with("220") => return Ok(true),
                "DATA" if reply.starts_with("354") => {
                    self.text(&mut stream).await?;
                    messages += 1;
                }
                "QUIT" => return Ok(false),
                "MAIL" if reply.starts_with("421") => return Ok(false),
                _ => {}
            }
            if messages == self.manners.messages {
                return Ok(false);
            }
        }
        Ok(false)
    }

    /// The octets of a BDAT, which has to be the only one of its message (RFC 3030 section 2).
    async fn chunk(
        &mut self,
        size: &str,
        stream: &mut (impl AsyncBufReadExt + AsyncWrite + Unpin),
    ) -> std::io::Result<()> {
        let size = size.strip_suffix(" LAST").unwrap().parse().unwrap();
        let mut octets = vec![0; size];
        stream.read_exact(&mut octets).await?;
        self.seen.lock().unwrap().texts.push(String::from_utf8(octets).unwrap());
        stream.write_all(b"250 2.0.0 taken\r\n").await?;
        stream.flush().await
    }

    /// How often a command has come, on whichever connection.
    fn times(&self, command: &str) -> usize {
        self.seen.lock().unwrap().commands.iter().filter(|seen| *seen == command).count()
    }

    fn saw(&self, command: String) {
        let mut seen = self.seen.lock().unwrap();
        seen.commands.push(command);
        seen.changed.notify_waiters();
    }

    fn ehlo(&self) -> String {
        let offers = if self.tls { &self.manners.offers_in_tls } else { &self.manners.offers };
        let lines = offers.iter().map(|offer| format!("250-{offer}\r\n"));
        format!("250-peer.example\r\n{}250 HELP", lines.collect::<String>())
    }

    async fn text(
        &mut self,
        stream: &mut (impl AsyncBufReadExt + AsyncWrite + Unpin),
    ) -> std::io::Result<()> {
        let mut text = String::new();
        loop {
            match line(stream).await? {
                None => return Ok(()),
                Some(line) if line == "." => break,
                Some(line) => text.extend([line.strip_prefix('.').unwrap_or(&line), "\r\n"]),
            }
        }
        self.manners.pace.acquire().await.unwrap().forget();
        if self.manners.text.starts_with('2') {
            self.seen.lock().unwrap().texts.push(text);
        }
        stream.write_all(format!("{}\r\n", self.manners.text).as_bytes()).await?;
        stream.flush().await
    }
}

async fn line(stream: &mut (impl AsyncBufReadExt + Unpin)) -> std::io::Result<Option<String>> {
    let mut line = Vec::new();
    if stream.read_until(b'\n', &mut line).await? == 0 || !line.ends_with(b"\r\n") {
        return Ok(None);
    }
    line.truncate(line.len() - 2);
    Ok(Some(String::from_utf8_lossy(&line).into_owned()))
}

/// An authority that signs certificates.
pub(crate) struct Authority {
    pub(crate) certificate: CertificateDer<'static>,
    parameters: rcgen::CertificateParams,
    key: rcgen::KeyPair,
}

impl Authority {
    pub(crate) fn new() -> Authority {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut parameters = rcgen::CertificateParams::new(Vec::new()).unwrap();
        parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let name = format!("authority {}", rand::random::<u64>());
        parameters.distinguished_name.push(rcgen::DnType::CommonName, name);
        let certificate = parameters.self_signed(&key).unwrap().der().clone();
        Authority { certificate, parameters, key }
    }

    /// What a host of this name speaks TLS with.
    pub(crate) fn host(&self, name: &str) -> Arc<ServerConfig> {
        self.issue(name).1
    }

    /// A certificate for a host of this name, and what it speaks TLS with.
    fn issue(&self, name: &str) -> (CertificateDer<'static>, Arc<ServerConfig>) {
        let issuer = rcgen::Issuer::from_params(&self.parameters, &self.key);
        let key = rcgen::KeyPair::generate().unwrap();
        let leaf = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
        let leaf = leaf.signed_by(&key, &issuer).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(provider);
        let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
        let leaf = leaf.der().clone();
        (leaf.clone(), Arc::new(builder.with_single_cert(vec![leaf], key).unwrap()))
    }
}

/// An authority, and a certificate of it for `name`.
pub(crate) fn certificate(name: &str) -> (CertificateDer<'static>, Arc<ServerConfig>) {
    let authority = Authority::new();
    let host = authority.host(name);
    (authority.certificate, host)
}

/// A certificate for `name`, of an authority that nobody knows.
pub(crate) fn own_certificate(name: &str) -> (CertificateDer<'static>, Arc<ServerConfig>) {
    Authority::new().issue(name)
}

/// Of X.509 version 1, as some old hosts have it, and which our side can't read.
const OF_VERSION_1: &str = "MIIBKDCBzwIUQmD2WwuxXJ43wxaQ+U9b0xmRBNQwCgYIKoZIzj0EAwIwFjEUMBIGA1UEAwwLb2xkLmV4YW1wbGUwIBcNMjYx\
     MTMwMTk0NDQ2WhgPMjEyNjExMDYxOTQ0NDZaMBYxFDASBgNVBAMMC29sZC5leGFtcGxlMFkwEwYHKoZIzj0CAQYIKoZIzj0D\
     AQcDQgAEgqR6pZfddZ4ZgJ9MOytdtvYflg0KDRU0faoyImvvU2zoa42oS0hlfminKVxDBRxISO/9E+iolRG4Up6DeHBYyzAK\
     BggqhkjOPQQDAgNIADBFAiAbi7kOqFDRtLOCC+szghnA4WY3jTvTnrJInSRCF6hVDwIhAL9sGWMT2s0rEyFGpLBEnQGwixez\
     7rfpvcc812aPRo8x";

/// What a host speaks TLS with whose certificate can't be read.
pub(crate) fn unreadable_certificate() -> Arc<ServerConfig> {
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let key = PrivateKeyDer::try_from(rcgen::KeyPair::generate().unwrap().serialize_der()).unwrap();
    let key = provider.key_provider.load_private_key(key).unwrap();
    let certificate = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, OF_VERSION_1);
    let shown = rustls::sign::CertifiedKey::new(vec![certificate.unwrap().into()], key);
    let builder = ServerConfig::builder_with_provider(provider.into());
    let builder = builder.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    Arc::new(builder.with_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(shown))))
}
