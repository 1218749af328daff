//! A whole submission server with one user, whose password is in its source: the least that an embedder has to write.
//!
//! ```sh
//! openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=localhost -addext subjectAltName=DNS:localhost \
//!     -keyout key.pem -out certificate.pem
//! cargo run -p gatepost-submission --example fixed_password -- 127.0.0.1:2587
//! ```
//! and, while it runs:
//!
//! ```sh
//! curl --ssl-reqd --cacert certificate.pem smtp://localhost:2587 --user demo:secret \
//!     --mail-from demo@example.test --mail-rcpt you@example.net --upload-file README.md --crlf
//! ```
//! `--login-options AUTH=CRAM-MD5`, or LOGIN, makes curl prove the password in another way.

use submission::tls::Identity;
use submission::{ListenTls, Mechanism, Secret, Server, Settings, TlsVersion, collect, passwords};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = std::env::args().nth(1).unwrap_or("127.0.0.1:2587".into());
    let identity = Identity::load("certificate.pem".as_ref(), "key.pem".as_ref())?;
    let mut settings = Settings::new("localhost");
    settings.mechanisms = Mechanism::OF_PASSWORDS.to_vec();
    let auth = passwords(|name| (name == "demo").then(|| (Secret::new("secret"), name.to_owned())));
    let mail = collect(|user, envelope, octets| async move {
        let sender = envelope.reverse_path;
        println!("{user} sends {} octets from {sender}", octets.len());
        Ok(()) // This promises that the message is kept for good.
    });
    let server = Server::builder(settings, auth, mail)
        .tls(identity, TlsVersion::V1_2)
        .listen(address.parse()?, ListenTls::StartTls)
        .bind()?;
    for (address, _) in server.addresses() {
        println!("listening on {address}");
    }
    server.serve_until(tokio::signal::ctrl_c()).await;
    Ok(())
}
