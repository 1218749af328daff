//! Who has logged in to a session, and how.

use sasl::{Authenticated, Mechanism};

/// A login that holds. The session owns it, and with it the proof; it is gone with STARTTLS, XCLIENT and the session's end.
#[derive(Debug)]
pub struct Login<U> {
    proof: Authenticated<U>,
    means: &'static str,
}

impl<U> Login<U> {
    pub(super) fn by(mechanism: Mechanism, proof: Authenticated<U>) -> Self {
        Self { proof, means: mechanism.name() }
    }

    /// By the word of a proxy.
    pub(super) fn by_xclient(proof: Authenticated<U>) -> Self {
        Self { proof, means: "XCLIENT" }
    }

    /// Who it is, for logs.
    pub fn identity(&self) -> &str {
        self.proof.identity()
    }

    /// The mechanism of the login, or `XCLIENT`.
    pub fn means(&self) -> &'static str {
        self.means
    }

    /// What the judge knows of the user.
    pub fn user(&self) -> &U {
        self.proof.user()
    }
}
