//! A client that says exactly what it is told to.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::house::{PASSWORD, Running, USER};

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

pub(crate) struct Client {
    stream: BufReader<Box<dyn Stream>>,
}

pub(crate) fn trusting(certificate: &CertificateDer<'static>) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).unwrap();
    ClientConfig::builder().with_root_certificates(roots).with_no_client_auth()
}

pub(crate) async fn shake(
    socket: TcpStream,
    config: ClientConfig,
) -> io::Result<tokio_rustls::client::TlsStream<TcpStream>> {
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, socket).await
}

impl Client {
    pub(crate) fn over(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Self {
        Self { stream: BufReader::new(Box::new(stream)) }
    }

    /// In clear, and greeted.
    pub(crate) async fn plain(address: SocketAddr) -> Self {
        let mut client = Self::over(TcpStream::connect(address).await.unwrap());
        client.expect("220 mail.example.test ").await;
        client
    }

    /// Under implicit TLS, and greeted.
    pub(crate) async fn implicit(server: &Running) -> Self {
        let socket = TcpStream::connect(server.implicit).await.unwrap();
        let mut client = Self::over(shake(socket, trusting(&server.certificate)).await.unwrap());
        client.expect("220 mail.example.test ").await;
        client
    }

    /// Under STARTTLS, and silent since.
    pub(crate) async fn starttls(server: &Running) -> Self {
        Self::starttls_as(server, trusting(&server.certificate)).await
    }

    pub(crate) async fn starttls_as(server: &Running, config: ClientConfig) -> Self {
        let mut socket = TcpStream::connect(server.starttls).await.unwrap();
        for (line, reply) in [("", "220"), ("EHLO before.test\r\n", "250"), ("STARTTLS\r\n", "220")] {
            socket.write_all(line.as_bytes()).await.unwrap();
            let mut octets = [0; 1024];
            let length = socket.read(&mut octets).await.unwrap();
            assert!(octets[..length].starts_with(reply.as_bytes()));
            assert!(!String::from_utf8_lossy(&octets[..length]).contains("AUTH"));
        }
        Self::over(shake(socket, config).await.unwrap())
    }

    /// The same connection, under TLS from here on.
    pub(crate) async fn secured(self, certificate: &CertificateDer<'static>) -> Self {
        let connector = TlsConnector::from(Arc::new(trusting(certificate)));
        let name = ServerName::try_from("localhost").unwrap();
        Self::over(connector.connect(name, self.stream.into_inner()).await.unwrap())
    }

    /// Under TLS and logged in.
    pub(crate) async fn known(server: &Running) -> Self {
        let mut client = Self::implicit(server).await;
        client.log_in().await;
        client
    }

    pub(crate) async fn log_in(&mut self) {
        self.ask("EHLO client.test\r\n", "250 ").await;
        self.ask(&auth_plain(USER, PASSWORD), "235 2.7.0 ").await;
    }

    pub(crate) async fn send(&mut self, text: impl AsRef<[u8]>) {
        self.stream.write_all(text.as_ref()).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    /// Reads one reply, and all of its lines; the last must begin like this.
    pub(crate) async fn expect(&mut self, beginning: &str) -> String {
        let mut reply = String::new();
        loop {
            let start = reply.len();
            self.stream.read_line(&mut reply).await.unwrap();
            if reply.as_bytes().get(start + 3) != Some(&b'-') {
                assert!(reply.split_at(start).1.starts_with(beginning), "{reply:?} instead of {beginning:?}");
                return reply;
            }
        }
    }

    /// The next line, or what there is of one when the server closes.
    pub(crate) async fn line(&mut self) -> String {
        let mut line = String::new();
        let _ = self.stream.read_line(&mut line).await;
        line
    }

    pub(crate) async fn ask(&mut self, text: &str, beginning: &str) -> String {
        self.send(text).await;
        self.expect(beginning).await
    }

    /// Says that it will say no more.
    pub(crate) async fn close(&mut self) {
        self.stream.shutdown().await.unwrap();
    }

    /// All that the server still says, until it closes in an orderly way.
    pub(crate) async fn rest(&mut self) -> String {
        let mut rest = String::new();
        self.stream.read_to_string(&mut rest).await.unwrap();
        rest
    }

    /// All that the server still says, however it closes.
    pub(crate) async fn last_words(&mut self) -> String {
        let mut words = Vec::new();
        let _ = self.stream.read_to_end(&mut words).await;
        String::from_utf8(words).unwrap()
    }

    /// Whether nothing is there to be read, after a while.
    pub(crate) async fn is_silent(&mut self, milliseconds: u64) -> bool {
        let wait = std::time::Duration::from_millis(milliseconds);
        tokio::time::timeout(wait, self.stream.fill_buf()).await.is_err()
    }
}

pub(crate) fn auth_plain(user: &str, password: &str) -> String {
    format!("AUTH PLAIN {}\r\n", STANDARD.encode(format!("\0{user}\0{password}")))
}
