//! CRAM-MD5 (RFC 2195): the HMAC-MD5 of our challenge under the password.

use types::Secret;

/// A claim to be `username`, because the client knows what to make of our challenge.
#[derive(Debug)]
pub struct CramMd5Claim {
    username: String,
    challenge: String,
    response: [u8; 16],
}

impl CramMd5Claim {
    /// The authentication identity, as in [`PasswordClaim::username`](crate::PasswordClaim::username).
    #[must_use]
    pub fn username(&self) -> &str {
        &self.username
    }

    /// What the client was sent: a msg-id that nobody else was sent.
    #[must_use]
    pub fn challenge(&self) -> &str {
        &self.challenge
    }

    /// What it made of it.
    #[must_use]
    pub fn response(&self) -> &[u8; 16] {
        &self.response
    }

    /// Whether who made the response knows this password. In constant time.
    #[must_use]
    pub fn validates(&self, password: &Secret) -> bool {
        let _ = password;
        false
    }
}
