//! Form tokens: a form carries a value that only a page of the same session can have, and that is good for one path.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// The hidden field of a form that has the token.
pub(crate) const FIELD: &str = "csrf";

/// What makes the tokens of one browser: the key of its session, or what stands for it before there is one. Nobody else knows it.
#[derive(Clone)]
pub(crate) struct FormKey(Zeroizing<Vec<u8>>);

impl FormKey {
    /// Of the key of a session, or of this cookie's value before there is one.
    pub(crate) fn of(octets: impl AsRef<[u8]>) -> Self {
        Self(Zeroizing::new(octets.as_ref().to_vec()))
    }

    /// The token of a form that is sent to this path.
    pub(crate) fn token(&self, path: &str) -> String {
        // HMAC takes keys of any length.
        let mac = Hmac::<Sha256>::new_from_slice(&self.0).map(|mac| mac.chain_update(path.as_bytes()));
        mac.map(|mac| BASE64URL.encode(mac.finalize().into_bytes())).unwrap_or_default()
    }

    /// Whether this is the token of a form that is sent to this path.
    pub(crate) fn fits(&self, path: &str, token: &str) -> bool {
        let expected = self.token(path);
        !expected.is_empty() && bool::from(expected.as_bytes().ct_eq(token.as_bytes()))
    }
}

impl fmt::Debug for FormKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FormKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_for_one_browser_and_one_path() {
        let (ours, other) = (FormKey::of("ours"), FormKey::of("other"));
        let token = ours.token("/sign-out");
        assert!(ours.fits("/sign-out", &token));
        for (key, path, token) in [
            (&other, "/sign-out", token.as_str()),
            (&ours, "/account/password", token.as_str()),
            (&ours, "/sign-out", ""),
            (&ours, "/sign-out", &format!("{token}x")),
        ] {
            assert!(!key.fits(path, token), "{path} {token}");
        }
        assert_eq!(format!("{ours:?}"), "FormKey(…)");
    }
}
