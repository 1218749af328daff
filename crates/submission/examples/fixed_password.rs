//! A whole submission server with one user, whose password is in its source: the least that an embedder has to write.
//!
//! ```sh
//! openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=localhost -addext subjectAltName=DNS:localhost \
//!     -keyout key.pem -out certificate.pem
//! cargo run -p submission --example fixed_password -- certificate.pem key.pem 127.0.0.1:2587
//! ```
//! and, while it runs:
//!
//! ```sh
//! curl --ssl-reqd --cacert certificate.pem smtp://localhost:2587 --user demo:secret \
//!     --mail-from demo@example.test --mail-rcpt you@example.net --upload-file README.md --crlf
//! ```
//! `--login-options AUTH=CRAM-MD5`, or LOGIN, makes curl prove the password in another way.

use std::error::Error;
use std::sync::Arc;

use submission::tls::Identity;
use submission::{
    AuthHandler, Bytes, Claim, Durable, Envelope, ForwardPath, ListenTls, MailHandler, Mechanism, Rejection,
    Secret, SenderAllowed, Server, SessionFacts, Settings, TlsVersion, Verdict, random_queue_id,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [certificate, key, address] = arguments.as_slice() else {
        return Err("usage: fixed_password CERTIFICATE KEY ADDRESS".into());
    };
    let settings = Settings { mechanisms: mechanisms(), ..Settings::new("localhost") };
    let auth = FixedPassword { name: "demo", password: Secret::new("secret") };
    let server = Server::builder(settings, auth, Printer)
        .tls(Identity::load(certificate.as_ref(), key.as_ref())?, TlsVersion::V1_2)
        .listen(address.parse()?, ListenTls::StartTls)
        .bind()?;
    for (address, _) in server.addresses() {
        println!("listening on {address}");
    }
    server.serve_until(tokio::signal::ctrl_c()).await;
    Ok(())
}

/// Who has the password itself can offer every mechanism that proves one. Who has a hash of it is left with PLAIN and LOGIN.
fn mechanisms() -> Vec<Mechanism> {
    vec![
        Mechanism::ScramSha256Plus,
        Mechanism::ScramSha256,
        Mechanism::CramMd5,
        Mechanism::Plain,
        Mechanism::Login,
    ]
}

/// Knows one user.
struct FixedPassword {
    name: &'static str,
    password: Secret,
}

impl AuthHandler for FixedPassword {
    /// What the mail handler is given of a user. Any type will do.
    type User = String;

    async fn judge(&self, claim: Claim, _: &SessionFacts) -> Verdict<String> {
        let is_known = claim.username() == Some(self.name);
        claim.judge_by_password(is_known.then(|| (&self.password, self.name.to_owned())))
    }
}

/// Prints what comes in, and forgets it.
struct Printer;

impl MailHandler<String> for Printer {
    /// What there is of a message while it is being received.
    type Message = Vec<u8>;

    async fn sender(
        &self,
        user: Option<&Arc<String>>,
        envelope: &Envelope,
        _: &SessionFacts,
    ) -> Result<SenderAllowed, Rejection> {
        // Whoever has logged in may write in any name; `examples/maildrop.rs` looks closer.
        let refused = || Rejection::SenderNotOwned(envelope.reverse_path.clone());
        user.map(|_| SenderAllowed::after_check()).ok_or_else(refused)
    }

    async fn recipient(
        &self,
        _: Option<&Arc<String>>,
        _: &Envelope,
        _: &ForwardPath,
        _: &SessionFacts,
    ) -> Result<(), Rejection> {
        Ok(())
    }

    fn open(&self, user: Option<&Arc<String>>, envelope: &Envelope, session: &SessionFacts) -> Vec<u8> {
        let user = user.map_or("nobody", |user| user.as_str());
        println!("{user} at {} sends from {}", session.peer, envelope.reverse_path);
        Vec::new()
    }

    async fn body(&self, message: &mut Vec<u8>, chunk: Bytes) {
        message.extend_from_slice(&chunk);
    }

    async fn commit(&self, message: Vec<u8>, envelope: Envelope) -> Result<Durable, Rejection> {
        for recipient in &envelope.forward_paths {
            println!("{} octets to {recipient}", message.len());
        }
        // A server that is not an example says so only once its disk has.
        Ok(Durable::after_sync(random_queue_id()))
    }
}
