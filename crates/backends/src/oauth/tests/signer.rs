//! Keys of a provider, or of somebody who would like to be one.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256};
use serde_json::Value;

pub(super) struct Signer {
    pub(super) id: &'static str,
    pub(super) pair: KeyPair,
    key: EncodingKey,
    algorithm: Algorithm,
}

impl Signer {
    pub(super) fn es256(id: &'static str) -> Self {
        let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let key = EncodingKey::from_ec_pem(pair.serialize_pem().as_bytes()).unwrap();
        Self { id, pair, key, algorithm: Algorithm::ES256 }
    }

    pub(super) fn rs256(id: &'static str) -> Self {
        let pair = KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap();
        let key = EncodingKey::from_rsa_pem(pair.serialize_pem().as_bytes()).unwrap();
        Self { id, pair, key, algorithm: Algorithm::RS256 }
    }

    /// What is published of it, without what it is for.
    pub(super) fn jwk(&self) -> Value {
        let mut jwk =
            serde_json::to_value(Jwk::from_encoding_key(&self.key, self.algorithm).unwrap()).unwrap();
        jwk["kid"] = self.id.into();
        jwk.as_object_mut().unwrap().remove("alg");
        jwk
    }

    /// A token with the header that these keys should have.
    pub(super) fn sign(&self, claims: &Value) -> String {
        let header = serde_json::json!({"alg": self.algorithm, "typ": "at+jwt", "kid": self.id});
        self.sign_as(self.algorithm, &header.to_string(), &claims.to_string())
    }

    /// A token with any header and any claims, well-formed or not.
    pub(super) fn sign_as(&self, algorithm: Algorithm, header: &str, claims: &str) -> String {
        sign(&self.key, algorithm, header, claims)
    }
}

pub(super) fn sign(key: &EncodingKey, algorithm: Algorithm, header: &str, claims: &str) -> String {
    let message = unsigned(header, claims);
    let signature = crypto::sign(message.as_bytes(), key, algorithm).unwrap();
    format!("{message}.{signature}")
}

pub(super) fn unsigned(header: &str, claims: &str) -> String {
    format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims))
}
