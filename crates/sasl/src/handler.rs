//! The trait that judges claims, and its verdicts.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use types::SessionFacts;

use crate::claim::Claim;
use crate::refusal::Refusal;
use crate::scram::{ScramParameters, ServerSignature};

/// Decides whether a claim is true.
pub trait AuthHandler: Send + Sync + 'static {
    /// What the rest of the server needs to know of a user.
    type User: Send + Sync + 'static;

    /// Judges a claim. A refusal must not tell, by its content or by its time, whether the user exists; what
    /// could not be decided is [`Verdict::Unavailable`], never a refusal and never an acceptance.
    fn judge(&self, claim: Claim, session: &SessionFacts)
    -> impl Future<Output = Verdict<Self::User>> + Send;

    /// The salt and the iteration count that this user's SCRAM keys are made with (RFC 5802 section 3), asked before
    /// there is a claim. They must not tell whether the user exists: whoever has none needs some that always stay the
    /// same. `None`, which is right for a judge that knows the passwords themselves, lets them be made up for each login.
    fn scram_parameters(
        &self,
        username: &str,
        session: &SessionFacts,
    ) -> impl Future<Output = Option<ScramParameters>> + Send {
        let _ = (username, session);
        std::future::ready(None)
    }

    /// Judges the word of a trusted proxy that its client is this user, whom it has authenticated (the LOGIN attribute of
    /// XCLIENT). Whether the proxy may say so has been seen to. Without an implementation it is refused.
    fn vouched(
        &self,
        username: &str,
        session: &SessionFacts,
    ) -> impl Future<Output = Verdict<Self::User>> + Send {
        let _ = (username, session);
        std::future::ready(Verdict::refused())
    }

    /// Whether what was proved at a login still holds: the credential may have been revoked since, the account
    /// disabled. `false` ends the session.
    ///
    /// It is asked whenever a client that has logged in says something, but for the text of a message, and what the
    /// client said waits for the answer; so it must be cheap. What can't be told is `true`: nothing is lost by that, as
    /// whoever takes the mail may look again. Without an implementation a login holds as long as its session.
    fn still_holds(&self, user: &Self::User, session: &SessionFacts) -> impl Future<Output = bool> + Send {
        let _ = (user, session);
        std::future::ready(true)
    }
}

/// One judge for several doors, or for a door and for what lies behind it.
impl<H: AuthHandler> AuthHandler for Arc<H> {
    type User = H::User;

    async fn judge(&self, claim: Claim, session: &SessionFacts) -> Verdict<H::User> {
        H::judge(self, claim, session).await
    }

    async fn scram_parameters(&self, username: &str, session: &SessionFacts) -> Option<ScramParameters> {
        H::scram_parameters(self, username, session).await
    }

    async fn vouched(&self, username: &str, session: &SessionFacts) -> Verdict<H::User> {
        H::vouched(self, username, session).await
    }

    async fn still_holds(&self, user: &H::User, session: &SessionFacts) -> bool {
        H::still_holds(self, user, session).await
    }
}

/// What a judge says to a claim.
#[derive(Debug)]
#[non_exhaustive]
pub enum Verdict<U> {
    /// It is true.
    Accepted(Authenticated<U>),
    /// It is not, for whatever reason. `Refused(Refusal::default())` tells the client no more than that.
    Refused(Refusal),
    /// The account password is right, but this door wants an app password.
    NeedsAppPassword,
    /// Not judged: there were too many wrong ones.
    Throttled {
        /// How long until it will be judged again.
        retry_after: Duration,
    },
    /// Not judged: something needed for it is out of order or overloaded.
    Unavailable,
}

impl<U> Verdict<U> {
    /// It is not true, and the client learns no more than that.
    #[must_use]
    pub fn refused() -> Self {
        Self::Refused(Refusal::default())
    }

    /// The same verdict, of a user who is known by something else.
    #[must_use]
    pub fn map<V>(self, into: impl FnOnce(U) -> V) -> Verdict<V> {
        match self {
            Self::Accepted(proof) => Verdict::Accepted(proof.map(into)),
            Self::Refused(refusal) => Verdict::Refused(refusal),
            Self::NeedsAppPassword => Verdict::NeedsAppPassword,
            Self::Throttled { retry_after } => Verdict::Throttled { retry_after },
            Self::Unavailable => Verdict::Unavailable,
        }
    }
}

/// The proof that a judge accepted a claim. Judges alone make one: search for `Authenticated::new` and you have
/// every place where somebody can come to be logged in.
#[derive(Debug)]
pub struct Authenticated<U> {
    identity: String,
    user: U,
    signature: Option<ServerSignature>,
}

impl<U> Authenticated<U> {
    /// For judges, once a claim is proved. `identity` is the normal form of the user's name, for logs.
    #[must_use]
    pub fn new(identity: String, user: U) -> Self {
        Self { identity, user, signature: None }
    }

    /// This outcome, with the server's own proof, which a [`ScramClaim`](crate::ScramClaim) gives to those who know the
    /// password and the client waits for.
    #[must_use]
    pub fn with_signature(self, signature: ServerSignature) -> Self {
        Self { signature: Some(signature), ..self }
    }

    /// The server's own proof, if there is one.
    #[must_use]
    pub fn signature(&self) -> Option<&ServerSignature> {
        self.signature.as_ref()
    }

    /// Who it is, for logs.
    #[must_use]
    pub fn identity(&self) -> &str {
        &self.identity
    }

    /// What is known of the user.
    #[must_use]
    pub fn user(&self) -> &U {
        &self.user
    }

    /// The same proof, of a user who is known by something else.
    #[must_use]
    pub fn map<V>(self, into: impl FnOnce(U) -> V) -> Authenticated<V> {
        Authenticated { identity: self.identity, user: into(self.user), signature: self.signature }
    }

    /// Gives the user away and the proof up.
    #[must_use]
    pub fn into_user(self) -> U {
        self.user
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use types::SessionId;

    use super::*;
    use crate::ExternalClaim;

    /// Says something else than a judge that does not answer, to each question.
    struct Judge;

    impl AuthHandler for Judge {
        type User = u32;

        async fn judge(&self, claim: Claim, _: &SessionFacts) -> Verdict<u32> {
            Verdict::Accepted(Authenticated::new(claim.username().unwrap_or_default().to_owned(), 1))
        }

        async fn scram_parameters(&self, username: &str, _: &SessionFacts) -> Option<ScramParameters> {
            Some(ScramParameters { salt: username.into(), iterations: 4096 })
        }

        async fn vouched(&self, username: &str, _: &SessionFacts) -> Verdict<u32> {
            Verdict::Accepted(Authenticated::new(username.to_owned(), 2))
        }

        async fn still_holds(&self, user: &u32, _: &SessionFacts) -> bool {
            *user == 1
        }
    }

    /// What comes of a future that waits for nothing.
    fn now<T>(future: impl Future<Output = T>) -> T {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(value) => value,
            Poll::Pending => panic!("it waits"),
        }
    }

    #[test]
    fn a_judge_that_is_shared_is_asked_everything() {
        let address = "192.0.2.1:465".parse().unwrap();
        let (judge, session) = (Arc::new(Judge), SessionFacts::new(SessionId::new([1; 8]), address, address));
        let accepted = |verdict: Verdict<u32>| {
            let Verdict::Accepted(proof) = verdict else { panic!("{verdict:?}") };
            (proof.identity().to_owned(), proof.into_user())
        };
        let claim = Claim::External(ExternalClaim { authzid: Some("ann".to_owned()) });
        assert_eq!(accepted(now(AuthHandler::judge(&judge, claim, &session))), ("ann".to_owned(), 1));
        assert_eq!(accepted(now(AuthHandler::vouched(&judge, "bob", &session))), ("bob".to_owned(), 2));
        let parameters = now(AuthHandler::scram_parameters(&judge, "ann", &session)).unwrap();
        assert_eq!((parameters.salt, parameters.iterations), (b"ann".to_vec(), 4096));
        assert!(now(AuthHandler::still_holds(&judge, &1, &session)));
        assert!(!now(AuthHandler::still_holds(&judge, &2, &session)));
    }
}
