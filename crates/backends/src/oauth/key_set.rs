//! The keys that a provider publishes (RFC 7517 section 5).

use jsonwebtoken::DecodingKey;
use jsonwebtoken::jwk::{
    AlgorithmParameters, CommonParameters, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse,
};
use serde::Deserialize;
use serde_json::Value;

use types::SignatureAlgorithm;

use super::algorithm::{in_jwt, signs_by};

/// Keys that are kept of a set at most. Providers have two or three.
const MAX_KEYS: usize = 100;

/// The keys that sign.
#[derive(Clone, Debug)]
pub(crate) struct KeySet(Vec<Key>);

#[derive(Clone, Debug)]
struct Key {
    id: Option<String>,
    algorithm: Option<KeyAlgorithm>,
    kind: AlgorithmParameters,
    decoding: DecodingKey,
}

impl KeySet {
    /// A set without a key for a signature is none: whoever reads it must not forget those that he has.
    ///
    /// RFC 7517 section 5: keys that are not understood are passed over.
    pub(crate) fn parse(octets: &[u8]) -> Option<KeySet> {
        #[derive(Deserialize)]
        struct Written {
            keys: Vec<Value>,
        }
        let Written { keys } = serde_json::from_slice(octets).ok()?;
        let keys: Vec<_> = keys.into_iter().filter_map(Key::read).take(MAX_KEYS).collect();
        (!keys.is_empty()).then_some(KeySet(keys))
    }

    /// The keys with this id that sign by this algorithm. A token that names no key is for the only one there is.
    pub(crate) fn find(&self, id: Option<&str>, algorithm: SignatureAlgorithm) -> Vec<DecodingKey> {
        let fitting = self.0.iter().filter(|key| key.signs_by(algorithm));
        match id {
            Some(_) => {
                fitting.filter(|key| key.id.as_deref() == id).map(|key| key.decoding.clone()).collect()
            }
            None => {
                let all: Vec<_> = fitting.map(|key| key.decoding.clone()).collect();
                if all.len() == 1 { all } else { Vec::new() }
            }
        }
    }

    /// Names of the keys, for the log.
    pub(crate) fn ids(&self) -> Vec<&str> {
        self.0.iter().map(|key| key.id.as_deref().unwrap_or("-")).collect()
    }
}

impl Key {
    fn read(value: Value) -> Option<Key> {
        let jwk: Jwk = serde_json::from_value(value).ok()?;
        // A secret that is published is none.
        if !signs(&jwk.common) || matches!(jwk.algorithm, AlgorithmParameters::OctetKey(_)) {
            return None;
        }
        let decoding = DecodingKey::from_jwk(&jwk).ok()?;
        let CommonParameters { key_id, key_algorithm, .. } = jwk.common;
        Some(Key { id: key_id, algorithm: key_algorithm, kind: jwk.algorithm, decoding })
    }

    fn signs_by(&self, algorithm: SignatureAlgorithm) -> bool {
        let said = self.algorithm.is_none_or(|said| said == in_jwt(algorithm).into());
        said && signs_by(&self.kind, algorithm)
    }
}

/// RFC 7517 sections 4.2 and 4.3.
fn signs(key: &CommonParameters) -> bool {
    let usage = key.public_key_use.as_ref().is_none_or(|usage| *usage == PublicKeyUse::Signature);
    let operations = key.key_operations.as_ref();
    usage && operations.is_none_or(|operations| operations.contains(&KeyOperations::Verify))
}
