//! A whole submission server with one user and a password in its source: what an embedder has to write.
//!
//! ```text
//! cargo run -p submission --example fixed_password -- certificate.pem
//! curl --ssl-reqd --crlf --cacert certificate.pem smtp://localhost:2587 --user demo:secret \
//!     --mail-from demo@example.test --mail-rcpt you@example.net --upload-file README.md
//! ```
//! The certificate is made at the start and written to the file that is named, so that clients can trust it.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use esmtp::{Durable, Envelope, Rejection, SenderAllowed, Settings};
use rustls::pki_types::PrivatePkcs8KeyDer;
use sasl::{AuthHandler, Authenticated, Claim, Mechanism, Refusal, Verdict};
use submission::tls::{self, Identity, MinVersion};
use submission::{MailHandler, Server, TlsMode};
use tokio_util::sync::CancellationToken;
use types::{ForwardPath, QueueId, Secret, SessionFacts};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let auth = FixedPassword { name: "demo", password: Secret::new("secret") };
    let identity = identity()?;
    tls::warm_up(&identity)?;
    let server = Server::builder(settings(), auth, Counter::default())
        .tls(identity, MinVersion::Tls12)
        .listen(([127, 0, 0, 1], 2587).into(), TlsMode::StartTls)
        .listen(([127, 0, 0, 1], 2465).into(), TlsMode::Implicit)
        .bind()?;
    for (address, mode) in server.addresses() {
        println!("listening on {address} ({mode:?})");
    }
    let stop = CancellationToken::new();
    let serving = tokio::spawn(server.serve(stop.clone()));
    tokio::signal::ctrl_c().await?;
    stop.cancel();
    Ok(serving.await?)
}

/// What the protocol offers.
fn settings() -> Settings {
    Settings {
        hostname: "localhost".to_owned(),
        starttls: true,
        hide_starttls: false,
        allow_insecure: false,
        mechanisms: vec![Mechanism::Plain, Mechanism::Login],
        required_message: "Authentication required".to_owned(),
        message_size: 35 * 1024 * 1024,
        recipients: 100,
        max_unauthenticated_commands: Some(10),
        max_failures: 3,
    }
}

/// A certificate that is good for this run.
fn identity() -> Result<Identity, Box<dyn Error>> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()])?;
    if let Some(file) = std::env::args_os().nth(1) {
        std::fs::write(file, made.cert.pem())?;
    }
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    Ok(Identity::new(vec![made.cert.der().clone()], key.into())?)
}

/// Knows one user.
struct FixedPassword {
    name: &'static str,
    password: Secret,
}

/// What this server knows of a user: a name.
struct User(&'static str);

impl AuthHandler for FixedPassword {
    type User = User;

    async fn judge(&self, claim: Claim, _: &SessionFacts) -> Verdict<User> {
        let Claim::Password(claim) = claim else { return Verdict::Refused(Refusal::default()) };
        // `Secret` compares in constant time; the name is no secret here.
        let is_right = claim.password == self.password && claim.username == self.name;
        if is_right && claim.authzid.is_none() {
            Verdict::Accepted(Authenticated::new(claim.username, User(self.name)))
        } else {
            Verdict::Refused(Refusal::default())
        }
    }
}

/// Numbers the messages, and forgets them.
#[derive(Default)]
struct Counter {
    messages: AtomicU64,
}

/// A message under way.
struct Counted {
    user: &'static str,
    octets: usize,
}

impl MailHandler<User> for Counter {
    type Message = Counted;

    async fn sender(
        &self,
        user: Option<&Arc<User>>,
        _: &Envelope,
        _: &SessionFacts,
    ) -> Result<SenderAllowed, Rejection> {
        // A real server looks here whether the address belongs to the user.
        user.map(|_| SenderAllowed::after_check()).ok_or(Rejection::SenderNotOwned)
    }

    async fn recipient(
        &self,
        _: Option<&Arc<User>>,
        _: &Envelope,
        _: &ForwardPath,
        _: &SessionFacts,
    ) -> Result<(), Rejection> {
        Ok(())
    }

    fn open(&self, user: Option<&Arc<User>>, _: &Envelope, _: &SessionFacts) -> Counted {
        Counted { user: user.map_or("nobody", |user| user.0), octets: 0 }
    }

    async fn body(&self, message: &mut Counted, chunk: Bytes) {
        message.octets += chunk.len();
    }

    async fn commit(&self, message: Counted, envelope: Envelope) -> Result<Durable, Rejection> {
        let number = self.messages.fetch_add(1, Ordering::Relaxed);
        let recipients = envelope.forward_paths.len();
        println!("{}: {} octets for {recipients} recipients", message.user, message.octets);
        // A real server calls this once its disk has said so.
        Ok(Durable::after_sync(QueueId::new(number, [0; 10])))
    }
}
