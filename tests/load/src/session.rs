//! One session with the server, from connecting to QUIT.

use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::client::Client;
use crate::fault::Fault;
use crate::message::Template;
use crate::options::{Mechanism, Options, Tls};
use crate::tally::Tally;
use crate::tls;

/// What every session does, made once a run.
pub(crate) struct Plan {
    address: String,
    tls: Tls,
    connector: TlsConnector,
    server_name: ServerName<'static>,
    auth: Vec<(Vec<u8>, u16)>,
    envelope: Vec<Vec<u8>>,
    template: Template,
    pipelining: bool,
    patience: Duration,
}

/// A logged-in connection.
#[derive(Debug)]
pub(crate) struct Session {
    client: Client<TlsStream<TcpStream>>,
    pipelining: bool,
}

impl Plan {
    /// # Errors
    /// When the options name files or hosts that cannot be used.
    pub(crate) fn new(options: &Options) -> anyhow::Result<Arc<Self>> {
        let name = options.server_name.clone().unwrap_or_else(|| options.host().to_owned());
        let password = options.password()?;
        Ok(Arc::new(Self {
            address: options.address.clone(),
            tls: options.tls,
            connector: tls::connector(options)?,
            server_name: ServerName::try_from(name)?,
            auth: auth(options.mechanism, &options.user, &password),
            envelope: envelope(options),
            template: Template::new(options.sender(), &options.to, options.size, std::process::id()),
            pipelining: !options.no_pipelining,
            patience: options.reply_timeout(),
        }))
    }

    /// Connects, starts TLS and logs in.
    pub(crate) async fn open(&self) -> Result<Session, Fault> {
        let tcp = TcpStream::connect(&self.address).await.map_err(|error| Fault::Connect(error.kind()))?;
        tcp.set_nodelay(true).map_err(|error| Fault::Connect(error.kind()))?;
        let mut client = match self.tls {
            Tls::Implicit => {
                let mut client = Client::new(self.handshake(tcp).await?, self.patience);
                client.expect("greeting", 220).await?;
                client
            }
            Tls::Starttls => Client::new(self.handshake(self.starttls(tcp).await?).await?, self.patience),
        };
        let pipelining = client.command("EHLO", EHLO, 250).await?.offers("PIPELINING") && self.pipelining;
        for (line, code) in &self.auth {
            client.command("AUTH", line, *code).await?;
        }
        Ok(Session { client, pipelining })
    }

    async fn starttls(&self, tcp: TcpStream) -> Result<TcpStream, Fault> {
        let mut client = Client::new(tcp, self.patience);
        client.expect("greeting", 220).await?;
        client.command("EHLO", EHLO, 250).await?;
        client.command("STARTTLS", b"STARTTLS\r\n", 220).await?;
        Ok(client.into_stream())
    }

    async fn handshake(&self, tcp: TcpStream) -> Result<TlsStream<TcpStream>, Fault> {
        let handshake = self.connector.connect(self.server_name.clone(), tcp);
        match tokio::time::timeout(self.patience, handshake).await {
            Err(_) => Err(Fault::Timeout("handshake")),
            Ok(Err(error)) => Err(Fault::Tls(error.to_string())),
            Ok(Ok(stream)) => Ok(stream),
        }
    }
}

const EHLO: &[u8] = b"EHLO load.example.org\r\n";

/// The lines of the log-in, each with the code that must answer it.
fn auth(mechanism: Mechanism, user: &str, password: &str) -> Vec<(Vec<u8>, u16)> {
    let line = |text: &str| format!("{text}\r\n").into_bytes();
    match mechanism {
        // RFC 4616, with the initial response of RFC 4954 section 4.
        Mechanism::Plain => {
            let response = STANDARD.encode(format!("\0{user}\0{password}"));
            vec![(line(&format!("AUTH PLAIN {response}")), 235)]
        }
        Mechanism::Login => vec![
            (line("AUTH LOGIN"), 334),
            (line(&STANDARD.encode(user)), 334),
            (line(&STANDARD.encode(password)), 235),
        ],
    }
}

/// MAIL and the RCPTs; DATA follows them.
fn envelope(options: &Options) -> Vec<Vec<u8>> {
    let mail = format!("MAIL FROM:<{}> SIZE={}\r\n", options.sender(), options.size);
    let recipients = options.to.iter().map(|to| format!("RCPT TO:<{to}>\r\n"));
    std::iter::once(mail).chain(recipients).map(String::into_bytes).collect()
}

impl Session {
    /// Sends `count` messages, the first of which has this number.
    pub(crate) async fn send(
        &mut self,
        plan: &Plan,
        first: u64,
        count: u64,
        tally: &mut Tally,
    ) -> Result<(), Fault> {
        let mut buffer = Vec::new();
        for number in first..first.saturating_add(count) {
            buffer.clear();
            let started = Instant::now();
            self.envelope(plan, &mut buffer).await?;
            buffer.clear();
            plan.template.write(number, &mut buffer);
            self.client.command("message", &buffer, 250).await?;
            tally.message(started.elapsed(), buffer.len());
        }
        Ok(())
    }

    async fn envelope(&mut self, plan: &Plan, buffer: &mut Vec<u8>) -> Result<(), Fault> {
        if self.pipelining {
            plan.envelope.iter().for_each(|line| buffer.extend_from_slice(line));
            buffer.extend_from_slice(b"DATA\r\n");
            self.client.send(buffer).await?;
            for _ in &plan.envelope {
                self.client.expect("envelope", 250).await?;
            }
            self.client.expect("DATA", 354).await?;
        } else {
            for line in &plan.envelope {
                self.client.command("envelope", line, 250).await?;
            }
            self.client.command("DATA", b"DATA\r\n", 354).await?;
        }
        Ok(())
    }

    /// Says QUIT; gives the connection back for [`Client::drain`] once 221 has come.
    pub(crate) async fn quit(mut self) -> Result<Client<TlsStream<TcpStream>>, Fault> {
        self.client.command("QUIT", b"QUIT\r\n", 221).await?;
        Ok(self.client)
    }
}
