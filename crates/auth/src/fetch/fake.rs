//! A server of HTTP for tests, on a port of this machine: it answers as it is told to, well or badly, and remembers what
//! it was asked.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{
    AsyncBufRead, AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _,
    BufReader,
};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use types::Endpoint;

/// What was asked.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// `GET /keys`.
    pub(crate) line: String,
    /// The headers, a line each.
    pub(crate) headers: Vec<String>,
    pub(crate) body: String,
}

/// How to answer.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// With this status and this body.
    With(u16, String),
    /// Elsewhere.
    Redirect(String),
    /// With a body of so many octets.
    Large(u64),
    /// With a body without end, an octet at a time.
    Trickle,
    /// Not at all: the connection closes.
    HangUp,
}

/// Decides about the answer.
type Manner = Box<dyn Fn(&Asked) -> Reply + Send>;

pub(crate) struct FakeServer {
    pub(crate) origin: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    manner: Arc<Mutex<Manner>>,
}

impl FakeServer {
    pub(crate) async fn start(manner: impl Fn(&Asked) -> Reply + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let manner: Arc<Mutex<Manner>> = Arc::new(Mutex::new(Box::new(manner)));
        let asked = Arc::default();
        let server = Self { origin, asked: Arc::clone(&asked), manner: Arc::clone(&manner) };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&asked), Arc::clone(&manner)));
            }
        });
        server
    }

    pub(crate) fn behave(&self, manner: impl Fn(&Asked) -> Reply + Send + 'static) {
        *self.manner.lock().unwrap() = Box::new(manner);
    }

    pub(crate) fn endpoint(&self, path: &str) -> Endpoint {
        Endpoint::parse(&format!("{}{path}", self.origin)).unwrap()
    }

    /// Everything it was asked so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// How often the path was asked for.
    pub(crate) fn times(&self, path: &str) -> usize {
        self.asked().iter().filter(|asked| asked.line.ends_with(&format!(" {path}"))).count()
    }
}

/// One request a connection.
async fn serve<S>(stream: S, asked: Arc<Mutex<Vec<Asked>>>, manner: Arc<Mutex<Manner>>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut stream = BufReader::new(stream);
    let Some(request) = read(&mut stream).await else { return };
    asked.lock().unwrap().push(request.clone());
    let reply = manner.lock().unwrap()(&request);
    // The client may have had enough.
    let _ = answer(stream.get_mut(), reply).await;
}

async fn read(stream: &mut (impl AsyncBufRead + Unpin)) -> Option<Asked> {
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok().filter(|octets| *octets > 0)?;
        match line.trim_end() {
            "" => break,
            line => head.push(line.to_owned()),
        }
    }
    let line = head.remove(0).trim_end_matches(" HTTP/1.1").to_owned();
    let length = head.iter().find_map(|header| header.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    stream.read_exact(&mut body).await.ok()?;
    Some(Asked { line, headers: head, body: String::from_utf8(body).unwrap() })
}

async fn answer(stream: &mut (impl AsyncWrite + Unpin), reply: Reply) -> std::io::Result<()> {
    let head = |status: u16, more: &str| format!("HTTP/1.1 {status} -\r\nconnection: close\r\n{more}\r\n");
    match reply {
        Reply::With(status, body) => {
            let length = format!("content-length: {}\r\n", body.len());
            stream.write_all((head(status, &length) + &body).as_bytes()).await
        }
        Reply::Redirect(to) => stream.write_all(head(302, &format!("location: {to}\r\n")).as_bytes()).await,
        Reply::Large(octets) => {
            stream.write_all(head(200, &format!("content-length: {octets}\r\n")).as_bytes()).await?;
            for _ in 0..octets.div_ceil(1 << 16) {
                stream.write_all(&[b' '; 1 << 16]).await?;
            }
            Ok(())
        }
        Reply::Trickle => {
            stream.write_all(head(200, "").as_bytes()).await?;
            loop {
                stream.write_all(b" ").await?;
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
        Reply::HangUp => Ok(()),
    }
}

/// A server with TLS that says `{}` to everybody, and the authority that signed its certificate.
pub(crate) async fn tls() -> (Endpoint, CertificateDer<'static>) {
    let mut parameters = CertificateParams::default();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let names = CertificateParams::new(["localhost".to_owned()]).unwrap();
    let certificate = names.signed_by(&key, &authority).unwrap().der().clone();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(stream) = acceptor.accept(stream).await else { continue };
            let manner: Manner = Box::new(|_| Reply::With(200, "{}".to_owned()));
            serve(stream, Arc::default(), Arc::new(Mutex::new(manner))).await;
        }
    });
    (Endpoint::parse(&format!("https://localhost:{port}/")).unwrap(), authority.der().clone())
}
