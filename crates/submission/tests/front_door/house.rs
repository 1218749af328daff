//! A server with one user, which keeps its mail in memory.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use esmtp::{Durable, Envelope, Rejection, SenderAllowed, Settings};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use sasl::{AuthHandler, Authenticated, Claim, Mechanism, Verdict};
use submission::tls::Identity;
use submission::{Handle, Limits, ListenTls, Listener, MailHandler, Server, TlsVersion};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use types::{ForwardPath, QueueId, SessionFacts};

pub(crate) const USER: &str = "demo@example.test";
pub(crate) const PASSWORD: &str = "correct horse";
/// A user whose judge panics.
pub(crate) const POISON: &str = "poison@example.test";

/// Knows one password, until it is revoked.
#[derive(Clone, Default)]
pub(crate) struct Judge {
    revoked: Arc<AtomicBool>,
    asked: Arc<AtomicUsize>,
    met: Arc<Mutex<Option<SessionFacts>>>,
}

impl Judge {
    pub(crate) fn revoke(&self) {
        self.revoked.store(true, Ordering::Relaxed);
    }

    /// How often it was asked whether a login still holds.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }

    /// What was known of the session of the last login.
    pub(crate) fn met(&self) -> SessionFacts {
        self.met.lock().unwrap().clone().unwrap()
    }
}

impl AuthHandler for Judge {
    type User = String;

    async fn judge(&self, claim: Claim, session: &SessionFacts) -> Verdict<String> {
        *self.met.lock().unwrap() = Some(session.clone());
        let Claim::Password(claim) = claim else { return Verdict::Unavailable };
        assert_ne!(claim.username, POISON);
        if claim.username == USER && claim.password.declassify() == PASSWORD.as_bytes() {
            return Verdict::Accepted(Authenticated::new(claim.username.clone(), claim.username));
        }
        Verdict::Refused(sasl::Refusal::default())
    }

    async fn vouched(&self, username: &str, session: &SessionFacts) -> Verdict<String> {
        *self.met.lock().unwrap() = Some(session.clone());
        match username {
            USER => Verdict::Accepted(Authenticated::new(USER.to_owned(), USER.to_owned())),
            POISON => Verdict::Unavailable,
            _ => Verdict::Refused(sasl::Refusal::default()),
        }
    }

    async fn still_holds(&self, user: &String, session: &SessionFacts) -> bool {
        // Whom a proxy has introduced need not have said EHLO.
        assert_eq!((user.as_str(), session.extended || session.proxy.is_some()), (USER, true));
        self.asked.fetch_add(1, Ordering::Relaxed);
        !self.revoked.load(Ordering::Relaxed)
    }
}

/// What came in.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Kept {
    pub(crate) user: Option<String>,
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    pub(crate) text: Vec<u8>,
    pub(crate) ehlo: Option<String>,
}

/// Keeps what comes in. A message to `slow@…` is committed only once there is a permit; `alone@…` wants no other
/// recipient before it.
#[derive(Clone)]
pub(crate) struct Shelf {
    pub(crate) kept: Arc<Mutex<Vec<Kept>>>,
    pub(crate) permits: Arc<Semaphore>,
}

impl Default for Shelf {
    fn default() -> Self {
        Self { kept: Arc::default(), permits: Arc::new(Semaphore::new(0)) }
    }
}

impl MailHandler<String> for Shelf {
    type Message = Kept;

    const CHECKS_SENDERS: bool = false;

    async fn sender(
        &self,
        _: Option<&Arc<String>>,
        _: &Envelope,
        _: &SessionFacts,
    ) -> Result<SenderAllowed, Rejection> {
        Ok(SenderAllowed::unchecked())
    }

    async fn recipient(
        &self,
        _: Option<&Arc<String>>,
        envelope: &Envelope,
        path: &ForwardPath,
        _: &SessionFacts,
    ) -> Result<(), Rejection> {
        let alone = envelope.recipients.is_empty();
        if alone || !path.to_string().starts_with("<alone@") {
            return Ok(());
        }
        Err(Rejection::SendingLimit { limit: 1, what: "recipients a day", wait: Duration::from_secs(60) })
    }

    fn open(&self, user: Option<&Arc<String>>, _: &Envelope, session: &SessionFacts) -> Kept {
        let ehlo = session.ehlo.as_ref().map(|name| name.as_str().to_owned());
        Kept { user: user.map(|user| user.to_string()), from: String::new(), to: vec![], text: vec![], ehlo }
    }

    async fn body(&self, message: &mut Kept, chunk: Bytes) {
        message.text.extend_from_slice(&chunk);
    }

    async fn commit(&self, mut message: Kept, envelope: Envelope) -> Result<Durable, Rejection> {
        message.from = envelope.reverse_path.to_string();
        message.to = envelope.forward_paths().map(ToString::to_string).collect();
        if message.to.iter().any(|path| path.starts_with("<slow@")) {
            self.permits.acquire().await.unwrap().forget();
        }
        self.kept.lock().unwrap().push(message);
        Ok(Durable::after_sync(QueueId::new(0, [7; 10])))
    }
}

pub(crate) fn settings() -> Settings {
    let mut settings = Settings::new("mail.example.test");
    settings.message_size = 40 * 1024 * 1024;
    settings
}

/// The usual settings with these mechanisms.
fn offering(mechanisms: [Mechanism; 2]) -> Settings {
    let mut settings = settings();
    settings.mechanisms = mechanisms.to_vec();
    settings
}

/// The usual settings, in which nobody has to log in soon.
pub(crate) fn patient() -> Settings {
    let mut settings = settings();
    settings.max_unauthenticated_commands = None;
    settings
}

/// The usual limits, but for what `change` does to them.
pub(crate) fn limits(change: impl FnOnce(&mut Limits)) -> Limits {
    let mut limits = Limits::default();
    change(&mut limits);
    limits
}

/// A fresh identity for `localhost`, and the certificate that clients should trust.
pub(crate) fn identity() -> (Identity, CertificateDer<'static>) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = made.cert.der().clone();
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    (Identity::new(vec![certificate.clone()], key.into()).unwrap(), certificate)
}

/// A server that runs.
pub(crate) struct Running {
    pub(crate) starttls: SocketAddr,
    pub(crate) implicit: SocketAddr,
    pub(crate) identity: Identity,
    pub(crate) certificate: CertificateDer<'static>,
    pub(crate) judge: Judge,
    pub(crate) shelf: Shelf,
    pub(crate) handle: Handle,
    pub(crate) stop: CancellationToken,
    pub(crate) task: JoinHandle<()>,
}

impl Running {
    pub(crate) fn start() -> Self {
        Self::with(limits(|limits| limits.failure_delay = Duration::from_millis(1)))
    }

    pub(crate) fn with(limits: Limits) -> Self {
        Self::behind(limits, |listener| listener)
    }

    /// With listeners that are not like any other.
    pub(crate) fn behind(limits: Limits, special: impl Fn(Listener) -> Listener) -> Self {
        Self::built(settings(), limits, special)
    }

    /// Asks clients for certificates, and offers EXTERNAL to those who have shown one. Takes XCLIENT.
    pub(crate) fn asking_for_certificates() -> Self {
        let settings = offering([Mechanism::Plain, Mechanism::External]);
        let believed = ["127.0.0.1/32".parse().unwrap()];
        Self::built(settings, Limits::default(), |listener| {
            listener.client_certificates(true).xclient(believed)
        })
    }

    /// Offers SCRAM bound to TLS.
    pub(crate) fn binding_logins() -> Self {
        let settings = offering([Mechanism::ScramSha256Plus, Mechanism::Plain]);
        Self::built(settings, Limits::default(), |listener| listener)
    }

    fn built(settings: Settings, limits: Limits, special: impl Fn(Listener) -> Listener) -> Self {
        let (identity, certificate) = identity();
        let judge = Judge::default();
        let shelf = Shelf::default();
        let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
        let door = |mode| special(Listener::new(loopback, mode));
        let server = Server::builder(settings, judge.clone(), shelf.clone())
            .tls(identity.clone(), TlsVersion::V1_2)
            .limits(limits)
            .listener(door(ListenTls::StartTls))
            .listener(door(ListenTls::Implicit))
            .bind()
            .unwrap();
        let addresses = server.addresses();
        let (stop, handle) = (CancellationToken::new(), server.handle());
        let task = tokio::spawn(server.serve(stop.clone()));
        Self {
            starttls: addresses[0].0,
            implicit: addresses[1].0,
            identity,
            certificate,
            judge,
            shelf,
            handle,
            stop,
            task,
        }
    }

    pub(crate) fn kept(&self) -> Vec<Kept> {
        self.shelf.kept.lock().unwrap().clone()
    }
}
