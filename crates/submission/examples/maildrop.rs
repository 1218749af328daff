//! A mail handler that keeps what it takes: each message becomes a file, on disk before the client has its 250.
//!
//! ```sh
//! openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=localhost -addext subjectAltName=DNS:localhost \
//!     -keyout key.pem -out certificate.pem
//! mkdir maildrop
//! cargo run -p gatepost-submission --example maildrop -- maildrop certificate.pem key.pem 127.0.0.1:2465
//! ```
//! and, while it runs:
//!
//! ```sh
//! curl --cacert certificate.pem smtps://localhost:2465 --user alice:wonderland \
//!     --mail-from alice@example.test --mail-rcpt you@example.test --upload-file README.md --crlf
//! ls maildrop
//! ```
//! Bob's password is `builder`, and he may write to other domains too. Who may send as whom is decided by what the login
//! knew of the user, and refusals have words of their own.

use std::error::Error;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use submission::tls::Identity;
use submission::{
    AddressError, AuthHandler, BadRefusalReply, Bytes, Claim, Durable, Envelope, ForwardPath, ListenTls,
    MailHandler, Mailbox, QueueId, RefusalReply, Rejection, Secret, SenderAllowed, Server, SessionFacts,
    Settings, TlsVersion, Verdict, random_queue_id,
};
use tempfile::NamedTempFile;
use tokio::task::spawn_blocking;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [directory, certificate, key, address] = arguments.as_slice() else {
        return Err("usage: maildrop DIRECTORY CERTIFICATE KEY ADDRESS".into());
    };
    let server = Server::builder(Settings::new("localhost"), people()?, Maildrop::new(directory)?)
        .tls(Identity::load(certificate.as_ref(), key.as_ref())?, TlsVersion::V1_2)
        .listen(address.parse()?, ListenTls::Implicit)
        .bind()?;
    for (address, _) in server.addresses() {
        println!("listening on {address}");
    }
    server.serve_until(tokio::signal::ctrl_c()).await;
    Ok(())
}

/// Somebody, and what the mail handler wants to know of them.
#[derive(Clone)]
struct Person {
    name: &'static str,
    address: Mailbox,
    may_write_abroad: bool,
}

/// Knows everybody, and their passwords.
struct People(Vec<(Secret, Person)>);

fn people() -> Result<People, AddressError> {
    let person = |name, address, may_write_abroad| {
        Mailbox::parse(address).map(|address| Person { name, address, may_write_abroad })
    };
    let alice = person("alice", "alice@example.test", false)?;
    let bob = person("bob", "bob@example.test", true)?;
    Ok(People(vec![(Secret::new("wonderland"), alice), (Secret::new("builder"), bob)]))
}

impl AuthHandler for People {
    type User = Person;

    async fn judge(&self, claim: Claim, _: &SessionFacts) -> Verdict<Person> {
        let known = self.0.iter().find(|(_, person)| claim.username() == Some(person.name));
        claim.judge_by_password(known.map(|(password, person)| (password, person.clone())))
    }
}

/// A directory with a file for each message.
struct Maildrop {
    directory: PathBuf,
    abroad: RefusalReply,
}

/// A message that is being received. Its file has another name until it is whole, and goes away when this is dropped.
struct Draft {
    id: QueueId,
    file: io::Result<NamedTempFile>,
}

impl Maildrop {
    fn new(directory: impl Into<PathBuf>) -> Result<Self, BadRefusalReply> {
        let abroad =
            RefusalReply::new(550, "5.7.1", "You may write to example.test only; ask the postmaster")?;
        Ok(Self { directory: directory.into(), abroad })
    }
}

impl MailHandler<Person> for Maildrop {
    type Message = Draft;

    const CHECKS_SENDERS: bool = true;

    async fn sender(
        &self,
        user: Option<&Arc<Person>>,
        envelope: &Envelope,
        _: &SessionFacts,
    ) -> Result<SenderAllowed, Rejection> {
        // Addresses have several spellings, and one normal form.
        let sender = envelope.reverse_path.mailbox().map(Mailbox::normal);
        let own = |person: &&Arc<Person>| sender == Some(person.address.normal());
        let refused = || Rejection::SenderNotOwned(envelope.reverse_path.clone());
        user.filter(own).map(|_| SenderAllowed::after_check()).ok_or_else(refused)
    }

    async fn recipient(
        &self,
        user: Option<&Arc<Person>>,
        _: &Envelope,
        path: &ForwardPath,
        _: &SessionFacts,
    ) -> Result<(), Rejection> {
        let is_at_home = path.to_string().to_lowercase().ends_with("@example.test>");
        if is_at_home || user.is_some_and(|person| person.may_write_abroad) {
            return Ok(());
        }
        Err(self.abroad.clone().into())
    }

    fn open(&self, user: Option<&Arc<Person>>, _: &Envelope, session: &SessionFacts) -> Draft {
        let user = user.map_or("nobody", |person| person.name);
        let trace = format!("Received: from {} (user {user})\r\n", session.peer.ip());
        let file = NamedTempFile::new_in(&self.directory).and_then(|mut file| {
            file.write_all(trace.as_bytes())?;
            Ok(file)
        });
        Draft { id: random_queue_id(), file }
    }

    /// Writes to the page cache, which is quick. What goes wrong is kept, and told at the end.
    async fn body(&self, draft: &mut Draft, chunk: Bytes) {
        if let Ok(file) = &mut draft.file
            && let Err(error) = file.write_all(&chunk)
        {
            draft.file = Err(error);
        }
    }

    async fn commit(&self, draft: Draft, _: Envelope) -> Result<Durable, Rejection> {
        let Draft { id, file } = draft;
        let path = self.directory.join(format!("{id}.eml"));
        let kept = spawn_blocking(move || file.and_then(|file| keep(file, &path))).await;
        match kept {
            Ok(Ok(())) => Ok(Durable::after_sync(id)),
            failure => {
                eprintln!("cannot keep {id}: {failure:?}");
                Err(Rejection::StorageFailing)
            }
        }
    }
}

/// First the octets, then the name, then the directory that has the name: what is there after the power went is whole.
fn keep(file: NamedTempFile, path: &Path) -> io::Result<()> {
    file.as_file().sync_all()?;
    file.persist_noclobber(path)?;
    path.parent().map_or(Ok(()), |directory| File::open(directory)?.sync_all())
}
