//! The seed of a second factor as WildDuck keeps it: in clear, or encrypted under the `totp.secret` of its
//! configuration.

use auth::totp::Seed;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::{AES_192, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;
use md5::{Digest as _, Md5};
use types::Secret;
use zeroize::Zeroizing;

/// Why there is no seed, and what to do about it.
const NO_SECRET: &str = "the seed of its second factor is encrypted; pass --totp-secret-file with the totp.secret of \
                         WildDuck's configuration";
const WRONG_SECRET: &str = "the seed of its second factor does not open; is --totp-secret-file the totp.secret of \
                            WildDuck's configuration?";
const NO_SEED: &str = "the seed of its second factor is malformed; switch it off in WildDuck";

/// The seed that is written there.
pub(super) fn open(written: &str, secret: Option<&Secret>) -> Result<Seed, String> {
    let base32 = match written.strip_prefix('$') {
        None => Zeroizing::new(written.to_owned()),
        Some(sealed) => {
            let secret = secret.ok_or(NO_SECRET)?;
            let opened = decrypt(sealed, secret.declassify()).ok_or(WRONG_SECRET)?;
            Zeroizing::new(String::from_utf8(opened.to_vec()).map_err(|_| WRONG_SECRET)?)
        }
    };
    Seed::from_base32(&base32).ok_or_else(|| NO_SEED.to_owned())
}

/// `wd01$aes-256-gcm$tag$iv$salt$text`, or as earlier versions wrote it, the text alone, all in hex.
fn decrypt(sealed: &str, secret: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let fields: Vec<&str> = sealed.split('$').collect();
    match fields.as_slice() {
        ["wd01", "aes-256-gcm", tag, iv, salt, text] => {
            gcm(secret, &hex(salt)?, &hex(iv)?, [hex(text)?, hex(tag)?].concat())
        }
        [text] => cbc(secret, hex(text)?),
        _ => None,
    }
}

/// The key is what scrypt makes of secret and salt, at the cost that is Node's default.
fn gcm(secret: &[u8], salt: &[u8], iv: &[u8], text_and_tag: Vec<u8>) -> Option<Zeroizing<Vec<u8>>> {
    let mut key = Zeroizing::new([0; 32]);
    let cost = scrypt::Params::new(14, 8, 1).ok()?;
    scrypt::scrypt(secret, salt, &cost, key.as_mut_slice()).ok()?;
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key.as_slice()).ok()?);
    let nonce = Nonce::try_assume_unique_for_key(iv).ok()?;
    let mut text = Zeroizing::new(text_and_tag);
    let length = key.open_in_place(nonce, Aad::empty(), &mut text).ok()?.len();
    text.truncate(length);
    Some(text)
}

/// AES-192 in CBC with key and IV as OpenSSL derived them of old: MD5 of all before, and the secret, again and again.
fn cbc(secret: &[u8], text: Vec<u8>) -> Option<Zeroizing<Vec<u8>>> {
    let mut derived = Zeroizing::new(Vec::with_capacity(48));
    let mut digest = Vec::new();
    while derived.len() < 40 {
        digest = Md5::new().chain_update(&digest).chain_update(secret).finalize().to_vec();
        derived.extend_from_slice(&digest);
    }
    let (key, rest) = derived.split_first_chunk::<24>()?;
    let iv = FixedLength::from(*rest.first_chunk::<16>()?);
    let key = PaddedBlockDecryptingKey::cbc_pkcs7(UnboundCipherKey::new(&AES_192, key).ok()?).ok()?;
    let mut text = Zeroizing::new(text);
    let length = key.decrypt(&mut text, DecryptionContext::Iv128(iv)).ok()?.len();
    text.truncate(length);
    Some(text)
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digit = |digit: &u8| char::from(*digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    pairs.iter().map(|[high, low]| Some(digit(high)? << 4 | digit(low)?)).collect()
}
