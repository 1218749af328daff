//! A program of the operator's own that judges logins, asked over HTTP: one POST of JSON for each claim, and its verdict.
//!
//! What goes there and what comes back is told in docs/http-handler.md. Nobody guesses what an answer may have meant: if
//! it is not just as it should be, the claim can't be judged. And nobody waits for long: an answer has its deadline,
//! and only so many claims are asked about at a time.

mod claim;
mod question;
mod answer;

pub use claim::{Evidence, HttpClaim};

use std::time::Duration;

use jiff::Timestamp;
use rand::RngExt as _;
use rustls::pki_types::CertificateDer;
use sasl::{ScramClaim, ScramKeys, ServerSignature};
use tokio::sync::{Semaphore, SemaphorePermit};
use types::{Endpoint, Mailbox, Secret, SessionFacts};
use zeroize::Zeroizing;

use self::answer::{HandlerAnswer, Word};
use self::question::Question;
use crate::fetch::{BadHeader, FetchError, Fetcher, FetcherError, Header};

/// How long a claim waits for its turn; after that the login is deferred.
const TURN: Duration = Duration::from_secs(1);

/// Which program to ask, and how.
#[derive(Debug)]
pub struct HttpSettings {
    /// Where claims are posted to.
    pub endpoint: Endpoint,
    /// The secret that proves to the program who asks.
    pub secret: Secret,
    /// How long an answer may take.
    pub timeout: Duration,
    /// How many claims are asked about at a time.
    pub concurrency: usize,
    /// Authorities that may have signed the program's certificate, besides those that the system trusts.
    pub authorities: Vec<CertificateDer<'static>>,
}

/// Asks the operator's program.
#[derive(Debug)]
pub struct HttpHandler {
    endpoint: Endpoint,
    fetcher: Fetcher,
    authorization: Header,
    turns: Semaphore,
}

/// The program's verdict on a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HttpVerdict {
    /// The claim is true.
    Accepted(HttpUser),
    /// The claim is not true.
    Refused,
    /// The program does not know the user.
    Unknown,
}

/// The user whom the program has accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpUser {
    /// The address of the account.
    pub address: Mailbox,
    /// When the login ends; `None` if it lasts as long as the session.
    pub until: Option<Timestamp>,
    /// With SCRAM, the server's own proof.
    pub signature: Option<ServerSignature>,
}

/// Why the program can't be asked at all.
#[derive(Debug, thiserror::Error)]
pub enum HttpSetupError {
    /// The secret would break the request.
    #[error("the secret is not of printable characters; make another, such as with `openssl rand -hex 32`")]
    Secret(#[source] BadHeader),
    /// No requests over TLS.
    #[error(transparent)]
    Fetcher(#[from] FetcherError),
}

/// Why a claim could not be judged.
#[derive(Debug, thiserror::Error)]
pub enum HttpFault {
    /// Too many claims are being asked about.
    #[error(
        "{0} has had no time for the login within a second; make it faster, or raise auth.http.concurrency"
    )]
    Busy(Endpoint),
    /// There is no answer.
    #[error("the program of [auth.http] has given no answer")]
    Fetch(#[from] FetchError),
    /// The answer is no verdict.
    #[error("{endpoint} answered with the status {status}, where 200 and a verdict belong; {}", advice(*status))]
    Status {
        /// Who answered.
        endpoint: Endpoint,
        /// How.
        status: u16,
    },
    /// The answer can't be understood.
    #[error("the answer of {endpoint} {wrong}; docs/http-handler.md says what it should be")]
    Answer {
        /// Whose answer.
        endpoint: Endpoint,
        /// What is wrong with it. What it says is not repeated, for that may be secret.
        wrong: &'static str,
    },
    /// The program accepts anything; it may not look at passwords at all.
    #[error("{0} accepted a made-up password of a made-up user; it must refuse what it does not know")]
    AcceptsAnything(Endpoint),
    /// The thread that makes keys of a password has failed.
    #[error("keys could not be made of the password")]
    Keys(#[from] tokio::task::JoinError),
}

fn advice(status: u16) -> &'static str {
    match status {
        401 | 403 => "its secret must be that of auth.http.secret_file",
        404 | 405 => "is auth.http.url right?",
        300..=399 => "redirects are not followed, so write where they lead as auth.http.url",
        _ => "its own log may say why",
    }
}

impl HttpHandler {
    /// # Errors
    /// If the secret can't be sent, or requests over TLS can't be set up.
    pub fn new(settings: HttpSettings) -> Result<Self, HttpSetupError> {
        let HttpSettings { endpoint, secret, timeout, concurrency, authorities } = settings;
        let bearer = Zeroizing::new([b"Bearer ", secret.declassify()].concat());
        let authorization = Header::new("authorization", &Secret::new(bearer.as_slice()));
        Ok(Self {
            endpoint,
            fetcher: Fetcher::new(timeout, &authorities)?,
            authorization: authorization.map_err(HttpSetupError::Secret)?,
            turns: Semaphore::new(concurrency),
        })
    }

    /// Asks about the claim. Without a session it is only examined.
    ///
    /// What the client wants to act as is told to the program, but not judged by it: see
    /// [`Claim::authzid`](sasl::Claim::authzid). Nor is looked at the clock: whether [`HttpUser::until`] has passed is
    /// for the caller to tell.
    ///
    /// # Errors
    /// If there is no verdict in time.
    pub async fn ask(
        &self,
        claim: HttpClaim<'_>,
        session: Option<&SessionFacts>,
    ) -> Result<HttpVerdict, HttpFault> {
        // JSON is text, so no program can know such a password.
        let Some(question) = Question::about(&claim, session) else { return Ok(HttpVerdict::Refused) };
        let turn = self.turn().await?;
        let answer =
            self.fetcher.post_json(&self.endpoint, std::slice::from_ref(&self.authorization), &question);
        let answer = answer.await?;
        drop(turn);
        if answer.status != 200 {
            return Err(HttpFault::Status { endpoint: self.endpoint.clone(), status: answer.status });
        }
        let answer = HandlerAnswer::read(&answer.body).map_err(|wrong| self.misunderstood(wrong))?;
        self.weigh(answer, &claim).await
    }

    /// Tries whether the program answers, by asking about a user whom nobody has: `gatepost-check` at our `hostname`, with a
    /// password made up for the occasion.
    ///
    /// # Errors
    /// If there is no verdict in time, or if it is to accept.
    pub async fn reach(&self, hostname: &str) -> Result<(), HttpFault> {
        let username = format!("gatepost-check@{hostname}");
        let claim = HttpClaim {
            mechanism: "PLAIN",
            username: Some(&username),
            authzid: None,
            evidence: Evidence::Password(&made_up()),
        };
        match self.ask(claim, None).await? {
            HttpVerdict::Accepted(_) => Err(HttpFault::AcceptsAnything(self.endpoint.clone())),
            HttpVerdict::Refused | HttpVerdict::Unknown => Ok(()),
        }
    }

    async fn turn(&self) -> Result<SemaphorePermit<'_>, HttpFault> {
        match tokio::time::timeout(TURN, self.turns.acquire()).await {
            Ok(Ok(turn)) => Ok(turn),
            Ok(Err(_)) | Err(_) => Err(HttpFault::Busy(self.endpoint.clone())),
        }
    }

    /// What the answer means for this claim.
    async fn weigh(&self, answer: HandlerAnswer, claim: &HttpClaim<'_>) -> Result<HttpVerdict, HttpFault> {
        let HandlerAnswer { word, address, password, until } = answer;
        match word {
            Word::Refuse => return Ok(HttpVerdict::Refused),
            Word::Unknown => return Ok(HttpVerdict::Unknown),
            Word::Accept => {}
        }
        let address = match address {
            Some(address) => address,
            None => Mailbox::parse(claim.username.unwrap_or_default()).map_err(|_| {
                self.misunderstood("lacks \"address\", and the user name is no address of an account")
            })?,
        };
        let signature = match self.check(claim.evidence, password).await? {
            Checked::Right(signature) => signature,
            Checked::Wrong => return Ok(HttpVerdict::Refused),
        };
        Ok(HttpVerdict::Accepted(HttpUser { address, until, signature }))
    }

    /// Whether the client has proved to know the password that the program has told us, if it has.
    async fn check(&self, evidence: Evidence<'_>, password: Option<Secret>) -> Result<Checked, HttpFault> {
        Ok(match (evidence, password) {
            (Evidence::Password(claimed), Some(password)) => (*claimed == password).into(),
            (Evidence::CramMd5(claim), Some(password)) => claim.validates(&password).into(),
            (Evidence::Scram(claim), Some(password)) => prove(claim, password).await?,
            // Without our own proof, which needs the password, the client would not believe us.
            (Evidence::Scram(_), None) => {
                return Err(self.misunderstood("accepts a login by SCRAM without \"password\""));
            }
            (Evidence::Token(_) | Evidence::Certificate, Some(_)) => {
                return Err(self.misunderstood("has a \"password\" for a login that is by none"));
            }
            (
                Evidence::Password(_) | Evidence::CramMd5(_) | Evidence::Token(_) | Evidence::Certificate,
                None,
            ) => Checked::Right(None),
        })
    }

    fn misunderstood(&self, wrong: &'static str) -> HttpFault {
        HttpFault::Answer { endpoint: self.endpoint.clone(), wrong }
    }
}

/// A password that nobody has: sixteen letters, drawn evenly.
fn made_up() -> Secret {
    let mut random = rand::rng();
    Secret::new(std::array::from_fn::<u8, 16, _>(|_| random.random_range(b'a'..=b'z')))
}

/// Whether a client knows a password.
enum Checked {
    Right(Option<ServerSignature>),
    Wrong,
}

impl From<bool> for Checked {
    fn from(right: bool) -> Self {
        if right { Self::Right(None) } else { Self::Wrong }
    }
}

/// Making the keys takes many hashes, for which other sessions should not wait.
async fn prove(claim: &ScramClaim, password: Secret) -> Result<Checked, tokio::task::JoinError> {
    let parameters = claim.parameters().clone();
    let keys = tokio::task::spawn_blocking(move || ScramKeys::derive(&password, &parameters)).await?;
    let signature = keys.and_then(|keys| claim.proves(&keys));
    Ok(signature.map_or(Checked::Wrong, |signature| Checked::Right(Some(signature))))
}

#[cfg(test)]
mod tests;
