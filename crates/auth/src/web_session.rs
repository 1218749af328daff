//! What opens a browser session: 256 random bits, which a cookie carries, and which the store knows by a keyed digest alone.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use types::WebSessionId;
use zeroize::Zeroizing;

use crate::keys::key::{Key, Purpose, keyed, random};

/// Octets of a token.
const OCTETS: usize = 32;

/// What opens a session: whoever has it is signed in.
#[derive(Clone)]
pub struct SessionToken(Zeroizing<[u8; OCTETS]>);

impl SessionToken {
    /// A new token, of octets from the system itself.
    #[must_use]
    pub fn generate() -> Self {
        Self(Zeroizing::new(random()))
    }

    /// The token as text for a cookie: 43 characters of base64url.
    #[must_use]
    pub fn declassify(&self) -> Zeroizing<String> {
        Zeroizing::new(BASE64URL.encode(self.0.as_slice()))
    }

    /// The token that is written so; `None` if none is.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let octets = Zeroizing::new(BASE64URL.decode(text).ok()?);
        octets.as_slice().try_into().ok().map(|octets| Self(Zeroizing::new(octets)))
    }
}

impl fmt::Debug for SessionToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionToken(…)")
    }
}

/// The key of the digests, derived from the root key of the store.
pub struct SessionTokenKey(Hmac<Sha256>);

impl SessionTokenKey {
    pub(crate) fn new(root: &Key) -> Self {
        Self(keyed(root.derive(Purpose::SessionTokenDigest).as_slice()))
    }

    /// HMAC-SHA-256 of the token: what the store keeps and looks up.
    #[must_use]
    pub fn digest(&self, token: &SessionToken) -> [u8; 32] {
        self.0.clone().chain_update(token.0.as_slice()).finalize().into_bytes().into()
    }
}

impl fmt::Debug for SessionTokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionTokenKey(…)")
    }
}

/// What makes the keys of the forms of sessions, derived from the root key of the store.
pub struct SessionFormKey(Hmac<Sha256>);

impl SessionFormKey {
    pub(crate) fn new(root: &Key) -> Self {
        Self(keyed(root.derive(Purpose::SessionForms).as_slice()))
    }

    /// The key of the forms of this session: the same for as long as it lasts, whatever token opens it, so that a form that was loaded
    /// before a confirmation is good behind it.
    #[must_use]
    pub fn of(&self, session: WebSessionId) -> [u8; 32] {
        self.0.clone().chain_update(session.as_bytes()).finalize().into_bytes().into()
    }
}

impl fmt::Debug for SessionFormKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionFormKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(root: u8) -> SessionTokenKey {
        SessionTokenKey::new(&Key::from_octets(&[root; 32]).unwrap())
    }

    #[test]
    fn a_token_reads_back_and_nothing_else_is_one() {
        let token = SessionToken::generate();
        let text = token.declassify();
        assert_eq!(text.len(), 43);
        assert_eq!(SessionToken::parse(&text).unwrap().0, token.0);
        for other in ["", "x", &format!("{}A", *text), &format!("{}=", *text), &text.replace(|_| true, "+")] {
            assert!(SessionToken::parse(other).is_none(), "{other:?}");
        }
        assert_ne!(SessionToken::generate().declassify(), text);
    }

    #[test]
    fn a_digest_is_of_one_token_and_one_key() {
        let token = SessionToken::generate();
        assert_eq!(key(7).digest(&token), key(7).digest(&token));
        assert_ne!(key(7).digest(&token), key(8).digest(&token));
        assert_ne!(key(7).digest(&token), key(7).digest(&SessionToken::generate()));
    }

    #[test]
    fn debug_shows_no_octet() {
        assert_eq!(
            format!("{:?} {:?}", SessionToken::generate(), key(1)),
            "SessionToken(…) SessionTokenKey(…)"
        );
    }
}
