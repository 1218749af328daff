//! Words of the file that stand for values of `types`, which knows nothing of files.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, EnumAccess, Error as _, VariantAccess as _, Visitor};
use types::{
    BareLineEnds, DomainPattern, HostTls, ListenTls, Mechanism, SecondFactorRule, SenderCheck,
    SignatureAlgorithm, TlsVersion, WebPart,
};

use crate::value::Text;

/// A value that is written as a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Word<T>(pub(crate) T);

impl<'de, T: FromWord> Deserialize<'de> for Word<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::read(deserializer).map(Word)
    }
}

/// What a word can stand for.
pub(crate) trait FromWord: Sized {
    /// Reads the word, or says which there are.
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;
}

const MECHANISMS: &str = "\"SCRAM-SHA-256-PLUS\", \"SCRAM-SHA-256\", \"OAUTHBEARER\", \"XOAUTH2\", \"EXTERNAL\", \
     \"CRAM-MD5\", \"PLAIN\" or \"LOGIN\"";

impl FromWord for Mechanism {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let parse = |name: &str| {
            Mechanism::from_name(name)
                .ok_or_else(|| format!("\"{name}\" is not a mechanism; write {MECHANISMS}"))
        };
        deserializer.deserialize_str(Text { expecting: MECHANISMS, parse })
    }
}

/// The names of [`SignatureAlgorithm`].
pub(crate) const ALGORITHMS: &str =
    "\"RS256\", \"RS384\", \"RS512\", \"PS256\", \"PS384\", \"PS512\", \"ES256\", \"ES384\" or \"EdDSA\"";

impl FromWord for SignatureAlgorithm {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let parse = |name: &str| {
            SignatureAlgorithm::from_name(name).ok_or_else(|| match name {
                "HS256" | "HS384" | "HS512" => format!(
                    "\"{name}\" is not for this, as who can check such a token can make one; write {ALGORITHMS}"
                ),
                _ => format!("\"{name}\" is no algorithm for signatures; write {ALGORITHMS}"),
            })
        };
        deserializer.deserialize_str(Text { expecting: ALGORITHMS, parse })
    }
}

impl FromWord for DomainPattern {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let parse = |text: &str| {
            DomainPattern::parse(text).map_err(|_| {
                format!(
                    "\"{text}\" is not a domain; write \"example.org\", or \"*.example.org\" for all below it"
                )
            })
        };
        deserializer.deserialize_str(Text { expecting: "a domain", parse })
    }
}

/// A closed set whose members are written by their names and nothing else.
trait Named: Copy + 'static {
    const ALL: &'static [Self];
    const NAMES: &'static [&'static str];
}

impl Named for ListenTls {
    const ALL: &'static [Self] = &Self::ALL;
    const NAMES: &'static [&'static str] = &[Self::StartTls.name(), Self::Implicit.name(), Self::Off.name()];
}

impl Named for HostTls {
    const ALL: &'static [Self] = &Self::ALL;
    const NAMES: &'static [&'static str] =
        &[Self::Verify.name(), Self::Opportunistic.name(), Self::Off.name()];
}

impl Named for TlsVersion {
    const ALL: &'static [Self] = &Self::ALL;
    const NAMES: &'static [&'static str] = &[Self::V1_2.name(), Self::V1_3.name()];
}

impl Named for BareLineEnds {
    const ALL: &'static [Self] = &Self::ALL;
    const NAMES: &'static [&'static str] = &[Self::Refuse.name(), Self::Repair.name()];
}

impl Named for SenderCheck {
    const ALL: &'static [Self] = &Self::ALL;
    const NAMES: &'static [&'static str] = &[Self::Reject.name(), Self::Off.name()];
}

impl Named for SecondFactorRule {
    const ALL: &'static [Self] = &Self::ALL;
    const NAMES: &'static [&'static str] = &[Self::Optional.name(), Self::Required.name()];
}

impl Named for WebPart {
    const ALL: &'static [Self] = &Self::ALL;
    const NAMES: &'static [&'static str] = &[
        Self::Account.name(),
        Self::Admin.name(),
        Self::Clients.name(),
        Self::Api.name(),
        Self::Metrics.name(),
        Self::Health.name(),
    ];
}

impl<T: Named> FromWord for T {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // A name that is forgotten would have those behind it stand for others.
        const { assert!(T::ALL.len() == T::NAMES.len(), "each value has its name") };
        deserializer.deserialize_enum("", T::NAMES, NameVisitor(PhantomData))
    }
}

struct NameVisitor<T>(PhantomData<T>);

impl<'de, T: Named> Visitor<'de> for NameVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a word")
    }

    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<T, A::Error> {
        let (name, variant) = access.variant::<String>()?;
        variant.unit_variant()?;
        let meant = T::NAMES.iter().zip(T::ALL).find(|(known, _)| **known == name);
        meant.map(|(_, meant)| *meant).ok_or_else(|| A::Error::unknown_variant(&name, T::NAMES))
    }
}
