//! Judging by the password itself, for who knows it: a judge of few users, or one that offers CRAM-MD5, which can't do
//! with less. Who keeps hashes judges [`PasswordClaim`]s, and [`ScramClaim`](crate::ScramClaim)s by their keys.

use std::fmt;

use types::{Secret, SessionFacts};

use crate::claim::{Claim, PasswordClaim};
use crate::handler::{AuthHandler, Authenticated, Verdict};

/// The [`AuthHandler`] of [`passwords`].
pub struct Passwords<F>(F);

/// A judge who knows the passwords themselves: `known` has the password of a name, and what the rest of the server is to know of
/// that user. Every mechanism that proves a password can be offered with it.
///
/// ```
/// # use types::Secret;
/// let auth = sasl::passwords(|name| (name == "demo").then(|| (Secret::new("secret"), name.to_owned())));
/// ```
pub fn passwords<U, F>(known: F) -> Passwords<F>
where
    U: Send + Sync + 'static,
    F: Fn(&str) -> Option<(Secret, U)> + Send + Sync + 'static,
{
    Passwords(known)
}

impl<U, F> AuthHandler for Passwords<F>
where
    U: Send + Sync + 'static,
    F: Fn(&str) -> Option<(Secret, U)> + Send + Sync + 'static,
{
    type User = U;

    async fn judge(&self, claim: Claim, _: &SessionFacts) -> Verdict<U> {
        let (password, user) = claim.username().and_then(&self.0).unzip();
        claim.judge_by_password(password.as_ref().zip(user))
    }
}

impl<F> fmt::Debug for Passwords<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passwords").finish_non_exhaustive()
    }
}

impl Claim {
    /// The verdict on a password, a CRAM-MD5 response or a SCRAM proof: right if it is of the user's password, and if
    /// the user wants to be nobody else. What is known of the user it names is the password, and what the rest of the server
    /// is to know; `None` if there is no such user, which then is as wrong as a wrong password and costs as much. A token or
    /// a certificate is refused: no password says anything about it.
    ///
    /// ```
    /// # use std::collections::HashMap;
    /// # use sasl::{AuthHandler, Claim, Verdict};
    /// # use types::{Secret, SessionFacts};
    /// struct Passwords(HashMap<String, Secret>);
    ///
    /// impl AuthHandler for Passwords {
    ///     type User = String;
    ///
    ///     async fn judge(&self, claim: Claim, _: &SessionFacts) -> Verdict<String> {
    ///         let known = claim.username().and_then(|name| self.0.get_key_value(name));
    ///         claim.judge_by_password(known.map(|(name, password)| (password, name.clone())))
    ///     }
    /// }
    /// ```
    ///
    /// A SCRAM proof takes some milliseconds of a processor's time, as many as its iterations take.
    pub fn judge_by_password<U>(self, known: Option<(&Secret, U)>) -> Verdict<U> {
        let nobodys = Secret::new("a password that is never right");
        let password = known.as_ref().map_or(&nobodys, |(password, _)| *password);
        let (is_right, signature) = match &self {
            Self::Password(claim) => (claim.validates(password), None),
            Self::CramMd5(claim) => (claim.validates(password), None),
            Self::Scram(claim) => {
                let signature = claim.validates(password);
                (signature.is_some(), signature)
            }
            Self::Token(_) | Self::External(_) => (false, None),
        };
        match (known, self.username()) {
            (Some((_, user)), Some(name)) if is_right && !self.acts_for_another() => {
                let proof = Authenticated::new(name.to_owned(), user);
                Verdict::Accepted(match signature {
                    Some(signature) => proof.with_signature(signature),
                    None => proof,
                })
            }
            _ => Verdict::refused(),
        }
    }

    /// The client has proved to be one user, if it has, and wants to act in the name of another. A judge must refuse that
    /// unless it knows that this user may (RFC 4616 section 2). A certificate claims no user name, so any name that comes
    /// with one is another's to this function: compare [`Claim::authzid`] with its owner instead.
    #[must_use]
    pub fn acts_for_another(&self) -> bool {
        self.authzid().is_some_and(|authzid| self.username() != Some(authzid))
    }
}

impl PasswordClaim {
    /// Whether this is the password that was sent. In constant time for passwords of one length.
    #[must_use]
    pub fn validates(&self, password: &Secret) -> bool {
        self.password == *password
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ExternalClaim, Mechanism, TokenClaim};

    fn claim(authzid: Option<&str>, password: &str) -> Claim {
        Claim::Password(PasswordClaim {
            mechanism: Mechanism::Plain,
            authzid: authzid.map(str::to_owned),
            username: "ann".to_owned(),
            password: Secret::new(password),
        })
    }

    /// Whom a claim is accepted as, if ann's password is `secret`.
    fn judged(claim: Claim) -> Option<u32> {
        match claim.judge_by_password(Some((&Secret::new("secret"), 7))) {
            Verdict::Accepted(proof) => {
                assert_eq!(proof.identity(), "ann");
                Some(proof.into_user())
            }
            Verdict::Refused(refusal) => {
                assert_eq!(refusal, crate::Refusal::default());
                None
            }
            other @ (Verdict::NeedsAppPassword | Verdict::Throttled { .. } | Verdict::Unavailable) => {
                panic!("{other:?}")
            }
        }
    }

    #[test]
    fn a_judge_of_passwords_shows_none() {
        let judge = crate::passwords(|_| Some((Secret::new("secret"), ())));
        assert_eq!(format!("{judge:?}"), "Passwords { .. }");
    }

    #[test]
    fn the_right_password_is_right_for_its_own_user_alone() {
        assert_eq!(judged(claim(None, "secret")), Some(7));
        assert_eq!(judged(claim(Some("ann"), "secret")), Some(7));
        assert_eq!(judged(claim(Some("bob"), "secret")), None);
        assert_eq!(judged(claim(None, "Secret")), None);
    }

    #[test]
    fn nobody_is_let_in_by_the_password_that_stands_for_none() {
        for password in ["a password that is never right", "secret", ""] {
            let verdict = claim(None, password).judge_by_password::<()>(None);
            assert!(matches!(verdict, Verdict::Refused(_)), "{verdict:?}");
        }
    }

    #[test]
    fn a_password_says_nothing_about_a_token_or_a_certificate() {
        let (username, token) = (Some("ann".to_owned()), Secret::new("secret"));
        assert_eq!(judged(Claim::Token(TokenClaim { mechanism: Mechanism::XOAuth2, username, token })), None);
        assert_eq!(judged(Claim::External(ExternalClaim { authzid: Some("ann".to_owned()) })), None);
    }
}
