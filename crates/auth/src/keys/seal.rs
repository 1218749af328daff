//! Secrets sealed for the store: encrypted, and bound to the place they lie in.
//!
//! An envelope is a format octet, the number of the master key (4 octets, big-endian), a nonce of 24 octets, and
//! the ciphertext of XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03) with its tag. Associated data is the
//! envelope's head and the place: what is copied to another account, purpose or version does not open. Nonces are
//! random: of 192 bits, none comes twice.

use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};
use store::{ChallengeKind, SealedPlace};
use thiserror::Error;
use types::Secret;

use crate::keys::key::{Key, Purpose, random};
use crate::keys::master_key::MasterKeys;

/// The format octet of an envelope. There is one format so far.
const FORMAT: u8 = 1;

/// Octets of an envelope's head: the format and the number of the key.
const HEAD: usize = 5;

/// Octets of a nonce.
const NONCE: usize = 24;

/// Why a sealed secret did not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Error)]
pub enum SealError {
    /// The secret is sealed under a master key that is not in the key file.
    #[error("it is sealed under master key {0}, which is not in the key file")]
    UnknownKey(u32),
    /// The envelope is damaged, or was sealed for another place.
    #[error("it is damaged, was sealed for another place, or under another key of the same number")]
    Damaged,
}

impl SealError {
    /// The reason code, as the audit trail has it.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            SealError::UnknownKey(_) => "unknown-key",
            SealError::Damaged => "damaged",
        }
    }
}

/// Seals a secret for its place under the master key with this number, and returns the envelope.
pub(crate) fn seal(key: (u32, &Key), place: SealedPlace, secret: &Secret) -> Vec<u8> {
    seal_with(key, place, secret, random())
}

#[expect(clippy::expect_used, reason = "only more than 2^38 octets are too many")]
fn seal_with((id, key): (u32, &Key), place: SealedPlace, secret: &Secret, nonce: [u8; NONCE]) -> Vec<u8> {
    let head = head(id);
    let associated = associated(&head, place);
    let payload = Payload { msg: secret.declassify(), aad: &associated };
    let ciphertext = cipher(key).encrypt(&XNonce::from(nonce), payload).expect("room for a secret");
    [head.as_slice(), &nonce, &ciphertext].concat()
}

/// Opens an envelope, and returns the secret in it.
///
/// # Errors
/// [`SealError::UnknownKey`] if the key file lacks its master key, [`SealError::Damaged`] if it was not sealed for this place.
pub(crate) fn open(masters: &MasterKeys, place: SealedPlace, sealed: &[u8]) -> Result<Secret, SealError> {
    let id = sealed_under(sealed)?;
    let key = masters.key(id).ok_or(SealError::UnknownKey(id))?;
    let (head, rest) = sealed.split_first_chunk::<HEAD>().ok_or(SealError::Damaged)?;
    let (nonce, ciphertext) = rest.split_first_chunk::<NONCE>().ok_or(SealError::Damaged)?;
    let payload = Payload { msg: ciphertext, aad: &associated(head, place) };
    let opened = cipher(key).decrypt(&XNonce::from(*nonce), payload);
    opened.map(Secret::from).map_err(|_| SealError::Damaged)
}

/// The number of the master key that an envelope says it is sealed under.
///
/// # Errors
/// [`SealError::Damaged`] if these octets are no envelope.
pub fn sealed_under(sealed: &[u8]) -> Result<u32, SealError> {
    match sealed.split_first_chunk::<HEAD>() {
        Some(([FORMAT, id @ ..], _)) => Ok(u32::from_be_bytes(*id)),
        _ => Err(SealError::Damaged),
    }
}

fn head(id: u32) -> [u8; HEAD] {
    let [a, b, c, d] = id.to_be_bytes();
    [FORMAT, a, b, c, d]
}

fn cipher(key: &Key) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new((&*key.derive(Purpose::Seal)).into())
}

/// The associated data of a place: a purpose, which says how the rest is read, then the place's ids and versions. Every part has a fixed
/// length, so that no two places have the same. The version is in milliseconds since 1970, as the store keeps times.
fn associated(head: &[u8; HEAD], place: SealedPlace) -> Vec<u8> {
    match place {
        SealedPlace::RootKey => [head.as_slice(), b"root"].concat(),
        SealedPlace::TotpSeed { account, enrolled_at } => {
            let version = enrolled_at.as_millisecond().to_be_bytes();
            [head.as_slice(), b"totp", account.as_bytes(), &version].concat()
        }
        SealedPlace::ChallengeKey { account, kind, credential, made_at } => {
            let version = made_at.as_millisecond().to_be_bytes();
            let (of_app_password, credential) = match &credential {
                Some(credential) => ([1], credential.as_bytes()),
                None => ([0], &[0; 16]),
            };
            let purpose = purpose(kind).as_slice();
            [head.as_slice(), purpose, account.as_bytes(), &of_app_password, credential, &version].concat()
        }
        SealedPlace::DkimKey { key, made_at } => {
            let version = made_at.as_millisecond().to_be_bytes();
            [head.as_slice(), b"dkim", key.as_bytes(), &version].concat()
        }
        SealedPlace::Webhook { webhook, made_at } => {
            let version = made_at.as_millisecond().to_be_bytes();
            [head.as_slice(), b"hook", webhook.as_bytes(), &version].concat()
        }
    }
}

fn purpose(kind: ChallengeKind) -> &'static [u8; 4] {
    match kind {
        ChallengeKind::CramMd5 => b"cram",
        ChallengeKind::ScramSha256 => b"scrm",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD as BASE64;
    use jiff::Timestamp;
    use proptest::prelude::*;
    use types::{AccountId, CredentialId, DkimKeyId, WebhookId};

    use super::*;
    use crate::keys::master_key::tests::numbered;

    /// Seals under the newest of these keys.
    fn seal(masters: &MasterKeys, place: SealedPlace, secret: &Secret) -> Vec<u8> {
        super::seal(masters.newest_key(), place, secret)
    }

    fn seal_with(masters: &MasterKeys, place: SealedPlace, secret: &Secret, nonce: [u8; NONCE]) -> Vec<u8> {
        super::seal_with(masters.newest_key(), place, secret, nonce)
    }

    fn place(account: u8, version: i64) -> SealedPlace {
        let enrolled_at = Timestamp::from_millisecond(version).unwrap();
        SealedPlace::TotpSeed { account: AccountId::from_bytes([account; 16]), enrolled_at }
    }

    fn dkim_key(id: u8, version: i64) -> SealedPlace {
        let made_at = Timestamp::from_millisecond(version).unwrap();
        SealedPlace::DkimKey { key: DkimKeyId::from_bytes([id; 16]), made_at }
    }

    fn webhook(id: u8, version: i64) -> SealedPlace {
        let made_at = Timestamp::from_millisecond(version).unwrap();
        SealedPlace::Webhook { webhook: WebhookId::from_bytes([id; 16]), made_at }
    }

    /// A key of the account password, or of an app password.
    fn challenge_key(kind: ChallengeKind, credential: Option<u8>) -> SealedPlace {
        let credential = credential.map(|credential| CredentialId::from_bytes([credential; 16]));
        let made_at = Timestamp::from_millisecond(1_700_000_000_123).unwrap();
        SealedPlace::ChallengeKey { account: AccountId::from_bytes([5; 16]), kind, credential, made_at }
    }

    fn seed() -> Secret {
        Secret::new("twenty octets a seed")
    }

    #[test]
    fn a_known_envelope_never_changes() {
        // Computed apart, with Python: HKDF by hmac, HChaCha20 by hand, the rest by its cryptography package.
        let sealed = seal_with(&numbered(&[1, 7]), place(5, 1_700_000_000_123), &seed(), [9; NONCE]);
        let known =
            "AQAAAAcJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQnoI506LwYHJkJcnJ9yKdb+XAUVY4m20b9+Xm77bN0n8UQwqo0=";
        assert_eq!(BASE64.encode(&sealed), known);
        assert_eq!(open(&numbered(&[7]), place(5, 1_700_000_000_123), &sealed), Ok(seed()));
        let root = seal_with(&numbered(&[7]), SealedPlace::RootKey, &seed(), [9; NONCE]);
        assert_eq!(
            BASE64.encode(root),
            "AQAAAAcJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQnoI506LwYHJkJcnJ9yKdb+XAUVYy7r8z2Be6l7PfOkK5NVdG4="
        );
    }

    #[test]
    fn a_known_envelope_of_a_challenge_key_never_changes() {
        // Computed apart like the others.
        for (place, known) in [
            (
                challenge_key(ChallengeKind::CramMd5, Some(6)),
                "AQAAAAcJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQnoI506LwYHJkJcnJ9yKdb+XAUVY+A5dayqWP0+edwruLjlT50=",
            ),
            (
                challenge_key(ChallengeKind::ScramSha256, None),
                "AQAAAAcJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQnoI506LwYHJkJcnJ9yKdb+XAUVY8FakFSoaPs4cJ3+bG8klU0=",
            ),
        ] {
            let sealed = seal_with(&numbered(&[7]), place, &seed(), [9; NONCE]);
            assert_eq!(BASE64.encode(&sealed), known);
            assert_eq!(open(&numbered(&[7]), place, &sealed), Ok(seed()));
        }
    }

    #[test]
    fn a_known_envelope_of_a_dkim_key_never_changes() {
        // Computed apart, with Python: HKDF by hmac, the rest by its nacl package.
        let sealed = seal_with(&numbered(&[7]), dkim_key(5, 1_700_000_000_123), &seed(), [9; NONCE]);
        assert_eq!(
            BASE64.encode(&sealed),
            "AQAAAAcJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQnoI506LwYHJkJcnJ9yKdb+XAUVY5yqUWZDeVqzr9daW92EPwk="
        );
        assert_eq!(open(&numbered(&[7]), dkim_key(5, 1_700_000_000_123), &sealed), Ok(seed()));
        for elsewhere in [
            dkim_key(6, 1_700_000_000_123),
            dkim_key(5, 1),
            place(5, 1_700_000_000_123),
            webhook(5, 1_700_000_000_123),
        ] {
            assert_eq!(open(&numbered(&[7]), elsewhere, &sealed), Err(SealError::Damaged), "{elsewhere:?}");
        }
    }

    #[test]
    fn a_flipped_bit_anywhere_fails_closed() {
        let masters = numbered(&[1, 2, 3]);
        let sealed = seal(&masters, place(1, 1), &seed());
        for bit in 0..sealed.len() * 8 {
            let mut damaged = sealed.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(open(&masters, place(1, 1), &damaged).is_err(), "bit {bit}");
        }
        assert_eq!(open(&masters, place(1, 1), &sealed), Ok(seed()));
    }

    #[test]
    fn what_lies_elsewhere_fails_closed() {
        let masters = numbered(&[1]);
        let sealed = seal(&masters, place(1, 1), &seed());
        for elsewhere in [place(2, 1), place(1, 2), SealedPlace::RootKey] {
            assert_eq!(open(&masters, elsewhere, &sealed), Err(SealError::Damaged), "{elsewhere:?}");
        }
        let root = seal(&masters, SealedPlace::RootKey, &seed());
        assert_eq!(open(&masters, place(1, 1), &root), Err(SealError::Damaged));
    }

    #[test]
    fn a_challenge_key_of_another_kind_or_password_fails_closed() {
        let (cram, scram) = (ChallengeKind::CramMd5, ChallengeKind::ScramSha256);
        let masters = numbered(&[1]);
        let sealed = seal(&masters, challenge_key(scram, Some(0)), &seed());
        for elsewhere in [
            challenge_key(cram, Some(0)),
            challenge_key(scram, Some(1)),
            challenge_key(scram, None),
            place(5, 1_700_000_000_123),
        ] {
            assert_eq!(open(&masters, elsewhere, &sealed), Err(SealError::Damaged), "{elsewhere:?}");
        }
        assert_eq!(open(&masters, challenge_key(scram, Some(0)), &sealed), Ok(seed()));
    }

    #[test]
    fn what_is_cut_short_or_too_long_fails_closed() {
        let masters = numbered(&[1]);
        let mut sealed = seal(&masters, place(1, 1), &Secret::new(""));
        for octets in 0..sealed.len() {
            assert_eq!(open(&masters, place(1, 1), &sealed[..octets]), Err(SealError::Damaged));
        }
        sealed.push(0);
        assert_eq!(open(&masters, place(1, 1), &sealed), Err(SealError::Damaged));
    }

    #[test]
    fn another_key_does_not_open() {
        let sealed = seal(&numbered(&[1, 2]), place(1, 1), &seed());
        assert_eq!(open(&numbered(&[1]), place(1, 1), &sealed), Err(SealError::UnknownKey(2)));
        // The octets of a key are its number modulo 256: two here, but another.
        let mut other = sealed.clone();
        other[1..HEAD].copy_from_slice(&257u32.to_be_bytes());
        assert_eq!(open(&numbered(&[1, 257]), place(1, 1), &other), Err(SealError::Damaged));
        // The very key under another number neither.
        other[1..HEAD].copy_from_slice(&258u32.to_be_bytes());
        assert_eq!(open(&numbered(&[258]), place(1, 1), &other), Err(SealError::Damaged));
    }

    #[test]
    fn no_nonce_comes_twice() {
        let masters = numbered(&[1]);
        let sealed = (0..1000).map(|_| seal(&masters, SealedPlace::RootKey, &seed()));
        let used = sealed.map(|sealed| sealed[HEAD..].first_chunk().copied().unwrap());
        let nonces: HashSet<[u8; NONCE]> = used.chain((0..100_000).map(|_| random())).collect();
        assert_eq!(nonces.len(), 101_000);
    }

    #[test]
    fn an_error_tells_nothing_of_the_secret() {
        let sealed = seal(&numbered(&[2]), place(1, 1), &seed());
        let error = open(&numbered(&[1]), place(1, 1), &sealed).unwrap_err();
        assert_eq!(error.to_string(), "it is sealed under master key 2, which is not in the key file");
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens_in_its_place(
            octets: Vec<u8>, account: u8, version in 0i64..1 << 40, newest in 1u32..9,
        ) {
            let masters = numbered(&(1..=newest).collect::<Vec<_>>());
            let place = place(account, version);
            let sealed = seal(&masters, place, &Secret::new(octets.clone()));
            prop_assert_eq!(sealed_under(&sealed), Ok(newest));
            prop_assert_eq!(sealed.len(), HEAD + NONCE + octets.len() + 16);
            prop_assert_eq!(open(&masters, place, &sealed), Ok(Secret::new(octets)));
        }

        #[test]
        fn whatever_is_stored_is_refused_at_worst(octets: Vec<u8>) {
            prop_assert!(open(&numbered(&[1]), SealedPlace::RootKey, &octets).is_err());
        }
    }
}
