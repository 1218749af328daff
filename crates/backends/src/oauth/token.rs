//! What a token looks like: one that is signed (RFC 7515 section 7.1), or one that only its issuer can read.
//!
//! It is read once: what the signature was checked of is what is judged.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use types::SignatureAlgorithm;

use super::flaw::TokenFlaw;
use super::json::Object;

/// The form of a token.
pub(crate) enum Shape<'a> {
    /// A JWT with a signature.
    Signed(Jwt<'a>),
    /// What began as one and is none, so that nobody can have issued it.
    Broken,
    /// Anything else.
    Opaque,
}

/// A JWT that nothing is known of yet.
pub(crate) struct Jwt<'a> {
    header: Object,
    claims: Object,
    /// What is signed: header and claims as they were sent.
    pub(crate) message: &'a str,
    /// In base64.
    pub(crate) signature: &'a str,
}

impl<'a> Shape<'a> {
    pub(crate) fn of(token: &'a str) -> Shape<'a> {
        let parts = token.rsplit_once('.').and_then(|(message, signature)| {
            let (header, claims) = message.split_once('.')?;
            Some((message, header, claims, signature)).filter(|_| !claims.contains('.'))
        });
        let Some((message, header, claims, signature)) = parts else { return Shape::Opaque };
        let Some(header) = object(header).filter(|header| header.get("alg").is_some()) else {
            return Shape::Opaque;
        };
        object(claims)
            .map_or(Shape::Broken, |claims| Shape::Signed(Jwt { header, claims, message, signature }))
    }
}

fn object(base64: &str) -> Option<Object> {
    Object::parse(&URL_SAFE_NO_PAD.decode(base64).ok()?)
}

impl Jwt<'_> {
    /// Who says to have issued it.
    pub(crate) fn issuer(&self) -> Option<&str> {
        self.claims.text("iss")
    }

    pub(crate) fn claims(&self) -> &Object {
        &self.claims
    }

    /// The algorithm, if it is one of these. The header chooses among what the configuration allows, and no more.
    pub(crate) fn algorithm(&self, allowed: &[SignatureAlgorithm]) -> Result<SignatureAlgorithm, TokenFlaw> {
        let named = self.header.text("alg");
        let found = allowed.iter().find(|algorithm| named == Some(algorithm.name()));
        found.copied().ok_or(TokenFlaw::Algorithm)
    }

    /// Keys or where to get them (`jwk`, `jku`, `x5c`, `x5u`) may stand in a header too, and nobody looks at them.
    pub(crate) fn key_id(&self) -> Result<Option<&str>, TokenFlaw> {
        match self.header.get("kid") {
            None => Ok(None),
            Some(id) => id.as_str().map(Some).ok_or(TokenFlaw::Malformed),
        }
    }

    /// Whether the header says nothing that it takes more than this to understand, and is of one of these types.
    ///
    /// RFC 7515 section 4.1.11: who does not understand all of `crit` must refuse. RFC 8725 section 3.11: one kind of
    /// token must not pass for another.
    pub(crate) fn has_type(&self, types: &[String]) -> Result<(), TokenFlaw> {
        if self.header.get("crit").is_some() {
            return Err(TokenFlaw::Critical);
        }
        let named = match self.header.get("typ") {
            None => "",
            Some(named) => named.as_str().filter(|named| !named.is_empty()).ok_or(TokenFlaw::Type)?,
        };
        let plain = plain_type(named);
        match types.iter().any(|right| plain_type(right).eq_ignore_ascii_case(plain)) {
            true => Ok(()),
            false => Err(TokenFlaw::Type),
        }
    }
}

/// RFC 7515 section 4.1.9: `application/` may be left out.
fn plain_type(media_type: &str) -> &str {
    match media_type.split_at_checked("application/".len()) {
        Some((prefix, plain)) if prefix.eq_ignore_ascii_case("application/") && !plain.is_empty() => plain,
        _ => media_type,
    }
}
