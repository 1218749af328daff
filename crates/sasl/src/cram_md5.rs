//! CRAM-MD5 (RFC 2195): the HMAC-MD5 of our challenge under the password.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::Md5;
use types::Secret;

use crate::circumstances::Circumstances;
use crate::exchange_error::ExchangeError;
use crate::name::read_username;

/// Waits for what the client makes of the challenge.
#[derive(Debug)]
pub(crate) struct AwaitingDigest {
    challenge: String,
}

impl AwaitingDigest {
    pub(crate) fn new(circumstances: &Circumstances<'_>) -> Self {
        let Circumstances { hostname, nonce, .. } = circumstances;
        Self { challenge: format!("<{nonce}@{}>", id_right(hostname)) }
    }

    pub(crate) fn challenge(&self) -> &str {
        &self.challenge
    }

    /// The response is the name, a space and the digest; a name may have spaces of its own.
    pub(crate) fn take(self, response: &Secret) -> Result<CramMd5Claim, ExchangeError> {
        let text = response.declassify_str().ok_or(ExchangeError::Malformed)?;
        let (username, digest) = text.rsplit_once(' ').ok_or(ExchangeError::Malformed)?;
        Ok(CramMd5Claim {
            username: read_username(username.as_bytes())?,
            challenge: self.challenge,
            response: read_digest(digest).ok_or(ExchangeError::Malformed)?,
        })
    }
}

/// The challenge has to be a msg-id (RFC 5322 section 3.6.4), whatever a hostname holds: `dot-atom-text`.
fn id_right(hostname: &str) -> String {
    let kept = hostname.replace(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_' | '.'), "");
    let labels: Vec<&str> = kept.split('.').filter(|label| !label.is_empty()).collect();
    if labels.is_empty() { "localhost".to_owned() } else { labels.join(".") }
}

/// 32 hexadecimal digits.
fn read_digest(text: &str) -> Option<[u8; 16]> {
    let mut digest = [0; 16];
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    if pairs.len() != digest.len() {
        return None;
    }
    for (octet, [high, low]) in digest.iter_mut().zip(pairs) {
        *octet = (hex(*high)? << 4) | hex(*low)?;
    }
    Some(digest)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// A claim to be `username`, because the client knows what to make of our challenge.
pub struct CramMd5Claim {
    username: String,
    challenge: String,
    response: [u8; 16],
}

/// Without the challenge and the response: who has both can try passwords on them.
impl fmt::Debug for CramMd5Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CramMd5Claim").field("username", &self.username).finish_non_exhaustive()
    }
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

    /// Whether who made the response knows this password. In constant time. Nobody has to know an empty one, as some
    /// keep for those who have none; to HMAC one of NULs is the same.
    #[must_use]
    #[expect(clippy::expect_used, reason = "RFC 2104 section 3: HMAC takes a key of any length")]
    pub fn validates(&self, password: &Secret) -> bool {
        if password.declassify().iter().all(|octet| *octet == 0) {
            return false;
        }
        let mac = Hmac::<Md5>::new_from_slice(password.declassify()).expect("a key of any length");
        mac.chain_update(&self.challenge).verify_slice(&self.response).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ChannelBindings, MAX_USERNAME, Nonces};

    fn answer(challenge: &str, response: impl AsRef<[u8]>) -> Result<CramMd5Claim, ExchangeError> {
        AwaitingDigest { challenge: challenge.to_owned() }.take(&Secret::new(response.as_ref()))
    }

    #[test]
    fn the_example_of_rfc_2195() {
        let challenge = "<1896.697170952@postoffice.reston.mci.net>";
        let claim = answer(challenge, "tim b913a602c7eda7a495b4e6e7334d3890").unwrap();
        assert_eq!((claim.username(), claim.challenge()), ("tim", challenge));
        assert_eq!(u128::from_be_bytes(*claim.response()), 0xb913_a602_c7ed_a7a4_95b4_e6e7_334d_3890);
        assert!(claim.validates(&Secret::new("tanstaaftanstaaf")));
        for wrong in ["", "tanstaaftanstaa", "tanstaaftanstaaF", "tanstaaftanstaaf "] {
            assert!(!claim.validates(&Secret::new(wrong)), "{wrong:?}");
        }
    }

    #[test]
    fn sas_02_an_empty_password_is_nobodys() {
        for empty in ["", "\0", "\0\0\0"] {
            let mac = Hmac::<Md5>::new_from_slice(empty.as_bytes()).unwrap().chain_update("<x@y>");
            let response = mac.finalize().into_bytes().into();
            let claim = CramMd5Claim { username: "tim".to_owned(), challenge: "<x@y>".to_owned(), response };
            assert!(!claim.validates(&Secret::new(empty)), "{empty:?}");
        }
    }

    #[test]
    fn what_passwords_can_be_tried_on_is_not_shown() {
        let claim = answer("<x@y>", "tim b913a602c7eda7a495b4e6e7334d3890").unwrap();
        assert_eq!(format!("{claim:?}"), "CramMd5Claim { username: \"tim\", .. }");
    }

    #[test]
    fn sas_09_an_answer_is_to_one_challenge() {
        for challenge in ["<1896.697170952@postoffice.reston.mci.ne>", "<x@y>", ""] {
            let claim = answer(challenge, "tim b913a602c7eda7a495b4e6e7334d3890").unwrap();
            assert!(!claim.validates(&Secret::new("tanstaaftanstaaf")));
        }
        for bit in 0..128 {
            let mut claim =
                answer("<1896.697170952@postoffice.reston.mci.net>", "tim b913a602c7eda7a495b4e6e7334d3890")
                    .unwrap();
            claim.response[bit / 8] ^= 1 << (bit % 8);
            assert!(!claim.validates(&Secret::new("tanstaaftanstaaf")), "bit {bit}");
        }
    }

    #[test]
    fn sas_09_challenges_are_msg_ids_and_none_comes_twice() {
        let mut nonces = Nonces::new([7; 32]);
        let mut seen = std::collections::HashSet::new();
        for _ in 0..10_000 {
            let challenge = challenge_for("mail.example.org", &nonces.draw());
            let (left, right) = challenge.split_once('@').unwrap();
            assert_eq!((left.len(), right), (25, "mail.example.org>"));
            assert!(seen.insert(challenge));
        }
    }

    fn challenge_for(hostname: &str, nonce: &crate::Nonce) -> String {
        let bindings = ChannelBindings::default();
        let circumstances = Circumstances { hostname, nonce, bindings: &bindings, offers_plus: false };
        AwaitingDigest::new(&circumstances).challenge().to_owned()
    }

    #[test]
    fn whatever_the_hostname_the_challenge_is_a_msg_id() {
        for (hostname, right) in [
            ("mail.example.org", "mail.example.org"),
            ("..a..b.", "a.b"),
            ("a>\r\n<b c@d", "abcd"),
            ("é", "localhost"),
            ("", "localhost"),
            ("[::1]", "1"),
        ] {
            assert_eq!(id_right(hostname), right);
        }
    }

    #[test]
    fn a_response_is_a_name_a_space_and_32_digits() {
        let digest = "B913a602c7eda7a495b4e6e7334d3890";
        let name = |text: &str| answer("<x@y>", text).map(|claim| claim.username);
        assert_eq!(name(&format!("tim {digest}")).as_deref(), Ok("tim"));
        assert_eq!(name(&format!("tim tom {digest}")).as_deref(), Ok("tim tom"));
        assert_eq!(name(&format!("jörg {digest}")).as_deref(), Ok("jörg"));
        let long = "n".repeat(MAX_USERNAME);
        assert_eq!(name(&format!("{long} {digest}")).as_deref(), Ok(long.as_str()));
        for text in [
            String::new(),
            digest.to_owned(),
            format!(" {digest}"),
            format!("tim{digest}"),
            format!("tim {digest} "),
            format!("tim {digest}0"),
            format!("tim {}", digest.trim_end_matches('0')),
            format!("tim {}", digest.replace('B', "g")),
            format!("tim {}", digest.replace('B', "+")),
            format!("tim {}", digest.replace("B9", "é")),
            format!("t\nim {digest}"),
            format!("{long}n {digest}"),
        ] {
            assert_eq!(name(&text), Err(ExchangeError::Malformed), "{text:?}");
        }
        assert!(answer("<x@y>", [b"\xff ", digest.as_bytes()].concat()).is_err());
    }
}
