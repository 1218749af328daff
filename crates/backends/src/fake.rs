//! A server of HTTP for tests, on a port of this machine: it answers as it is told to, well or badly, and remembers what
//! it was asked.
#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{
    AsyncBufRead, AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _,
    BufReader,
};
use tokio::net::TcpListener;
use types::Endpoint;

/// What was asked.
#[derive(Clone, Debug)]
pub struct Asked {
    /// `GET /keys`.
    pub line: String,
    /// The headers, a line each.
    pub headers: Vec<String>,
    /// What came behind the headers.
    pub body: String,
}

/// How to answer.
#[derive(Clone, Debug)]
pub enum Reply {
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

/// A server on a port of this machine; it ends with the runtime.
pub struct FakeServer {
    /// `http://127.0.0.1:PORT`.
    pub origin: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    manner: Arc<Mutex<Manner>>,
}

impl std::fmt::Debug for FakeServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FakeServer").field("origin", &self.origin).finish_non_exhaustive()
    }
}

impl FakeServer {
    /// Starts a server that answers in this manner.
    pub async fn start(manner: impl Fn(&Asked) -> Reply + Send + 'static) -> Self {
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

    /// Answers in another manner from now on.
    pub fn behave(&self, manner: impl Fn(&Asked) -> Reply + Send + 'static) {
        *self.manner.lock().unwrap() = Box::new(manner);
    }

    /// The endpoint at this path of the server.
    #[must_use]
    pub fn endpoint(&self, path: &str) -> Endpoint {
        Endpoint::parse(&format!("{}{path}", self.origin)).unwrap()
    }

    /// Everything it was asked so far.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// How often the path was asked for.
    #[must_use]
    pub fn times(&self, path: &str) -> usize {
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

#[cfg(test)]
pub(crate) mod tls;
