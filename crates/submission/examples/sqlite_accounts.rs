//! Logins that are looked up in a database: SQLite, with Argon2 hashes as other programs write them (PHC strings).
//!
//! ```sh
//! openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=localhost -addext subjectAltName=DNS:localhost \
//!     -keyout key.pem -out certificate.pem
//! cargo run -p gatepost-submission --example sqlite_accounts -- add accounts.db alice@example.test secret
//! cargo run -p gatepost-submission --example sqlite_accounts -- serve accounts.db certificate.pem key.pem 127.0.0.1:2587
//! ```
//! and, while it runs:
//!
//! ```sh
//! curl --ssl-reqd --cacert certificate.pem smtp://localhost:2587 --user alice@example.test:secret \
//!     --mail-from alice@example.test --mail-rcpt you@example.net --upload-file README.md --crlf
//! ```
//! Further accounts may be added meanwhile. Nobody has a hash to make a SCRAM proof or a CRAM-MD5 response from, so PLAIN
//! and LOGIN it is.

use std::error::Error;
use std::sync::Arc;

use argon2::{Argon2, PasswordHash, PasswordHasher, PasswordVerifier};
use sqlx::SqlitePool;
use sqlx::sqlite::SqliteConnectOptions;
use submission::tls::Identity;
use submission::{
    AuthHandler, Authenticated, Bytes, Claim, Durable, Envelope, ForwardPath, ListenTls, MailHandler,
    Mailbox, PasswordClaim, Rejection, Secret, SenderAllowed, Server, SessionFacts, Settings, TlsVersion,
    Verdict, random_queue_id,
};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["add", database, address, password] => add(database, address, password).await,
        ["serve", database, certificate, key, address] => serve(database, certificate, key, address).await,
        _ => Err("usage: sqlite_accounts add DATABASE ADDRESS PASSWORD\n       \
                  sqlite_accounts serve DATABASE CERTIFICATE KEY ADDRESS"
            .into()),
    }
}

async fn serve(database: &str, certificate: &str, key: &str, address: &str) -> Result<(), Box<dyn Error>> {
    let auth = Database::open(open(database).await?)?;
    let server = Server::builder(Settings::new("localhost"), auth, Forgetful)
        .tls(Identity::load(certificate.as_ref(), key.as_ref())?, TlsVersion::V1_2)
        .listen(address.parse()?, ListenTls::StartTls)
        .bind()?;
    for (address, _) in server.addresses() {
        println!("listening on {address}");
    }
    server.serve_until(tokio::signal::ctrl_c()).await;
    Ok(())
}

async fn open(path: &str) -> sqlx::Result<SqlitePool> {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    let pool = SqlitePool::connect_with(options).await?;
    sqlx::query(
        "CREATE TABLE IF NOT EXISTS accounts (id INTEGER PRIMARY KEY, address TEXT UNIQUE, password TEXT)",
    )
    .execute(&pool)
    .await?;
    Ok(pool)
}

async fn add(database: &str, address: &str, password: &str) -> Result<(), Box<dyn Error>> {
    sqlx::query("INSERT INTO accounts (address, password) VALUES ($1, $2)")
        .bind(address)
        .bind(hash(password)?)
        .execute(&open(database).await?)
        .await?;
    Ok(())
}

fn hash(password: &str) -> Result<String, argon2::password_hash::Error> {
    Ok(Argon2::default().hash_password(password.as_bytes())?.to_string())
}

/// Judges logins by a table.
struct Database {
    pool: SqlitePool,
    /// Stands for the hash of those who are not there, so that they cost as much as those who are.
    nobodys: String,
    /// Each hash takes 19 MiB; a flood of logins has to wait for its turn.
    turns: Semaphore,
}

/// What the mail handler is given of a user: a row.
struct Account {
    id: i64,
    address: String,
}

impl Database {
    fn open(pool: SqlitePool) -> Result<Self, argon2::password_hash::Error> {
        Ok(Self { pool, nobodys: hash("nobody's")?, turns: Semaphore::new(2) })
    }

    async fn judge_password(&self, claim: PasswordClaim) -> Result<Verdict<Account>, Box<dyn Error>> {
        let row: Option<(i64, String)> =
            sqlx::query_as("SELECT id, password FROM accounts WHERE address = $1")
                .bind(&claim.username)
                .fetch_optional(&self.pool)
                .await?;
        let (id, hash) = row.map_or_else(|| (None, self.nobodys.clone()), |(id, hash)| (Some(id), hash));
        let _turn = self.turns.acquire().await?;
        // Not on a thread that has connections to serve.
        let is_right = spawn_blocking(move || is_right(&claim.password, &hash)).await??;
        Ok(match id {
            Some(id) if is_right => {
                let address = claim.username;
                Verdict::Accepted(Authenticated::new(address.clone(), Account { id, address }))
            }
            _ => Verdict::refused(),
        })
    }
}

fn is_right(password: &Secret, hash: &str) -> Result<bool, argon2::password_hash::phc::Error> {
    let hash = PasswordHash::new(hash)?;
    Ok(Argon2::default().verify_password(password.declassify(), &hash).is_ok())
}

impl AuthHandler for Database {
    type User = Account;

    async fn judge(&self, claim: Claim, _: &SessionFacts) -> Verdict<Account> {
        if claim.acts_for_another() {
            return Verdict::refused();
        }
        let Claim::Password(claim) = claim else { return Verdict::refused() };
        self.judge_password(claim).await.unwrap_or_else(|error| {
            // What could not be judged is neither right nor wrong: the client is told to come back.
            eprintln!("cannot judge a login: {error}");
            Verdict::Unavailable
        })
    }
}

/// Takes what an account sends in its own name, and forgets it.
struct Forgetful;

impl MailHandler<Account> for Forgetful {
    type Message = ();

    const CHECKS_SENDERS: bool = true;

    async fn sender(
        &self,
        user: Option<&Arc<Account>>,
        envelope: &Envelope,
        _: &SessionFacts,
    ) -> Result<SenderAllowed, Rejection> {
        // Addresses have several spellings, and one normal form. A name that is no address sends nothing.
        let sender = envelope.reverse_path.mailbox().map(Mailbox::normal);
        let is_own = |address: Mailbox| sender == Some(address.normal());
        let own = |account: &&Arc<Account>| Mailbox::parse(&account.address).is_ok_and(is_own);
        let refused = || Rejection::SenderNotOwned(envelope.reverse_path.clone());
        user.filter(own).map(|_| SenderAllowed::after_check()).ok_or_else(refused)
    }

    async fn recipient(
        &self,
        _: Option<&Arc<Account>>,
        _: &Envelope,
        _: &ForwardPath,
        _: &SessionFacts,
    ) -> Result<(), Rejection> {
        Ok(())
    }

    fn open(&self, user: Option<&Arc<Account>>, _: &Envelope, _: &SessionFacts) {
        if let Some(account) = user {
            println!("account {} sends a message", account.id);
        }
    }

    async fn body(&self, (): &mut (), _: Bytes) {}

    async fn commit(&self, (): (), _: Envelope) -> Result<Durable, Rejection> {
        Ok(Durable::after_sync(random_queue_id()))
    }
}
