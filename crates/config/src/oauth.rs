//! `[[oauth.provider]]`: whose access tokens are taken, and what they must say.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};
use toml::Spanned;
use types::{Endpoint, SignatureAlgorithm};

use crate::endpoint;
use crate::fault::Fault;
use crate::value::{self, Base, Time};
use crate::word::{ALGORITHMS, Word};

/// An identity provider whose access tokens are taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OAuthProvider {
    /// For logs and the audit trail; no two have the same.
    pub name: String,
    /// As its tokens and its own document have it, to the letter; no two have the same.
    pub issuer: String,
    /// Whom tokens are for: one of these. Empty only if the provider is asked about tokens.
    pub audience: Vec<String>,
    /// What tokens must allow: each of these.
    pub scope: Vec<String>,
    /// The claim that holds an account's address.
    pub claim: String,
    /// How tokens are proved.
    pub proof: OAuthProof,
    /// How long an answer may take.
    pub timeout: Duration,
    /// PEM: CAs that are trusted for it, besides the system's.
    pub tls_ca: Option<PathBuf>,
}

/// How a provider proves its tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OAuthProof {
    /// It signs them (RFC 9068).
    Signature {
        /// By one of these, which all have the same kind of key; never empty.
        algorithms: Vec<SignatureAlgorithm>,
        /// What `typ` may be; empty text for none.
        types: Vec<String>,
        /// Where its keys are, if not where it says, on its own server.
        jwks_uri: Option<Endpoint>,
    },
    /// It is asked about each (RFC 7662); one provider at most.
    Introspection {
        /// Where.
        endpoint: Endpoint,
        /// Who asks.
        client_id: String,
        /// A file whose first line is the password of who asks.
        client_secret_file: PathBuf,
    },
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Section {
    provider: Vec<Spanned<Written>>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Written {
    name: Option<Spanned<String>>,
    issuer: Option<Spanned<String>>,
    audience: Option<Spanned<Several>>,
    scope: Option<Spanned<String>>,
    claim: Option<Spanned<String>>,
    algorithms: Option<Spanned<Vec<Spanned<Word<SignatureAlgorithm>>>>>,
    r#type: Option<Spanned<Several>>,
    jwks_uri: Option<Spanned<String>>,
    introspection_endpoint: Option<Spanned<String>>,
    client_id: Option<Spanned<String>>,
    client_secret_file: Option<Spanned<String>>,
    timeout: Option<Spanned<Time>>,
    tls_ca: Option<Spanned<String>>,
}

/// Text, or a list of it.
struct Several(Vec<String>);

impl Section {
    pub(crate) fn mean(self, base: &Base) -> Result<Vec<OAuthProvider>, Fault> {
        let mut providers: Vec<OAuthProvider> = Vec::new();
        for section in self.provider {
            let at = section.span().start;
            let (written, provider) = section.into_inner().mean(at, base)?;
            written.differ_from(&providers)?;
            providers.push(provider);
        }
        Ok(providers)
    }
}

/// What no two providers may have in common, and where it stands.
struct Unlike {
    name: Spanned<String>,
    issuer: Spanned<String>,
    asked: Option<Spanned<String>>,
}

impl Unlike {
    fn differ_from(&self, others: &[OAuthProvider]) -> Result<(), Fault> {
        if others.iter().any(|other| other.name == *self.name.get_ref()) {
            return Err(Fault::at(&self.name, "is the name of another provider too; give each its own"));
        }
        if others.iter().any(|other| other.issuer == *self.issuer.get_ref()) {
            return Err(Fault::at(&self.issuer, "is the issuer of another provider too; write it once"));
        }
        match &self.asked {
            Some(asked) if others.iter().any(OAuthProvider::is_asked) => Err(Fault::at(
                asked,
                "is the second; a token that does not say whose it is can be shown to one provider alone, so leave one out",
            )),
            Some(_) | None => Ok(()),
        }
    }
}

impl OAuthProvider {
    fn is_asked(&self) -> bool {
        matches!(self.proof, OAuthProof::Introspection { .. })
    }
}

impl Written {
    fn mean(mut self, at: usize, base: &Base) -> Result<(Unlike, OAuthProvider), Fault> {
        let name = name(self.name.take(), at)?;
        let issuer = issuer(self.issuer.take(), at)?;
        let asked = self.introspection_endpoint.take();
        let (second, minute) = (Duration::from_secs(1), Duration::from_secs(60));
        let provider = OAuthProvider {
            name: name.get_ref().clone(),
            issuer: issuer.get_ref().clone(),
            audience: audience(self.audience.take(), at, asked.is_some())?,
            scope: scope(self.scope.take())?,
            claim: claim(self.claim.take())?,
            timeout: value::time(self.timeout.take(), Duration::from_secs(5), second..=minute)?,
            tls_ca: self.tls_ca.take().map(|path| base.path(&path)).transpose()?,
            proof: match &asked {
                Some(endpoint) => self.asked(endpoint, at, base)?,
                None => self.signed()?,
            },
        };
        Ok((Unlike { name, issuer, asked }, provider))
    }

    fn signed(self) -> Result<OAuthProof, Fault> {
        if let Some(of_asking) = self.client_id.as_ref().or(self.client_secret_file.as_ref()) {
            return Err(Fault::at(of_asking, "is for asking about tokens; write introspection_endpoint too"));
        }
        let types = match self.r#type {
            Some(types) => types.into_inner().0,
            None => ["at+jwt", "JWT"].map(str::to_owned).to_vec(),
        };
        let jwks_uri = self.jwks_uri.map(|uri| endpoint::address(&uri)).transpose()?;
        Ok(OAuthProof::Signature { algorithms: algorithms(self.algorithms)?, types, jwks_uri })
    }

    fn asked(self, endpoint: &Spanned<String>, at: usize, base: &Base) -> Result<OAuthProof, Fault> {
        let of_signatures = [
            self.algorithms.as_ref().map(Spanned::span),
            self.r#type.as_ref().map(Spanned::span),
            self.jwks_uri.as_ref().map(Spanned::span),
        ];
        if let Some(span) = of_signatures.into_iter().flatten().next() {
            let wrong = "is for tokens that are signed; leave it out, or introspection_endpoint";
            return Err(Fault::at(&Spanned::new(span, ()), wrong));
        }
        let endpoint = endpoint::address(endpoint)?;
        let right = "write the name by which Gatepost is known to the provider";
        let client_id =
            self.client_id.ok_or_else(|| Fault::missing(Some(at), "oauth.provider.client_id", right))?;
        let right = "write the path of a file with the client's secret";
        let key = "oauth.provider.client_secret_file";
        let client_secret_file = base.required(self.client_secret_file, at, key, right)?;
        Ok(OAuthProof::Introspection { endpoint, client_id: text(client_id)?, client_secret_file })
    }
}

/// It stands in logs, which are read by programs.
fn name(written: Option<Spanned<String>>, at: usize) -> Result<Spanned<String>, Fault> {
    let right = "write a short name of your own, such as \"keycloak\"";
    let written = written.ok_or_else(|| Fault::missing(Some(at), "oauth.provider.name", right))?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !(1..=64).contains(&written.get_ref().len()) || !written.get_ref().chars().all(plain) {
        return Err(Fault::at(&written, "is no short name; write letters, digits, \"-\", \"_\" and \".\""));
    }
    Ok(written)
}

/// RFC 8414 section 2: a URL without query and fragment. It stays as it is written, since it is compared so.
fn issuer(written: Option<Spanned<String>>, at: usize) -> Result<Spanned<String>, Fault> {
    let right = "write \"https://…\", as `iss` in the provider's tokens has it";
    let written = written.ok_or_else(|| Fault::missing(Some(at), "oauth.provider.issuer", right))?;
    endpoint::address(&written)?;
    if written.get_ref().contains('?') {
        return Err(Fault::at(&written, "has a query, which no issuer has; leave out ? and what follows"));
    }
    if written.get_ref().ends_with("/.well-known/openid-configuration") {
        return Err(Fault::at(&written, "is the issuer's document; leave out /.well-known and what follows"));
    }
    Ok(written)
}

fn audience(written: Option<Spanned<Several>>, at: usize, asked: bool) -> Result<Vec<String>, Fault> {
    let right = "write whom the provider's tokens for mail are for, as `aud` in them has it";
    let Some(written) = written else {
        return if asked {
            Ok(Vec::new())
        } else {
            Err(Fault::missing(Some(at), "oauth.provider.audience", right))
        };
    };
    if written.get_ref().0.is_empty() || written.get_ref().0.iter().any(String::is_empty) {
        return Err(Fault::at(&written, format!("is empty; {right}")));
    }
    Ok(written.into_inner().0)
}

/// RFC 6749 section 3.3: words of printable ASCII without `"` and `\`, which clients are told in JSON.
fn scope(written: Option<Spanned<String>>) -> Result<Vec<String>, Fault> {
    let Some(written) = written else { return Ok(Vec::new()) };
    let words: Vec<_> = written.get_ref().split_ascii_whitespace().map(str::to_owned).collect();
    let allowed = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '\\');
    if words.is_empty() || !words.iter().all(|word| word.chars().all(allowed)) {
        return Err(Fault::at(&written, "is no scope; write words of plain characters with spaces between"));
    }
    Ok(words)
}

fn claim(written: Option<Spanned<String>>) -> Result<String, Fault> {
    written.map_or_else(|| Ok("email".to_owned()), text)
}

fn text(written: Spanned<String>) -> Result<String, Fault> {
    match written.get_ref().trim().is_empty() {
        true => Err(Fault::at(&written, "is empty; write a name")),
        false => Ok(written.into_inner()),
    }
}

/// With one kind of key there is nothing to confuse (RFC 8725 section 3.1).
fn algorithms(
    written: Option<Spanned<Vec<Spanned<Word<SignatureAlgorithm>>>>>,
) -> Result<Vec<SignatureAlgorithm>, Fault> {
    let Some(written) = written else { return Ok(vec![SignatureAlgorithm::Rs256]) };
    if written.get_ref().is_empty() {
        return Err(Fault::at(&written, format!("is empty; write {ALGORITHMS}")));
    }
    let mut all: Vec<SignatureAlgorithm> = Vec::new();
    for one in written.into_inner() {
        let Word(algorithm) = *one.get_ref();
        if all.first().is_some_and(|first| kind_of_key(*first) != kind_of_key(algorithm)) {
            let wrong = "needs another kind of key than the one before it; write those of one kind";
            return Err(Fault::at(&one, wrong));
        }
        all.push(algorithm);
    }
    Ok(all)
}

/// The kind of key that an algorithm needs.
fn kind_of_key(algorithm: SignatureAlgorithm) -> &'static str {
    match algorithm {
        SignatureAlgorithm::Rs256
        | SignatureAlgorithm::Rs384
        | SignatureAlgorithm::Rs512
        | SignatureAlgorithm::Ps256
        | SignatureAlgorithm::Ps384
        | SignatureAlgorithm::Ps512 => "RSA",
        SignatureAlgorithm::Es256 | SignatureAlgorithm::Es384 => "EC",
        SignatureAlgorithm::EdDsa => "OKP",
    }
}

impl<'de> Deserialize<'de> for Several {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Several, D::Error> {
        deserializer.deserialize_any(SeveralVisitor)
    }
}

struct SeveralVisitor;

impl<'de> Visitor<'de> for SeveralVisitor {
    type Value = Several;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text, or a list of it")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Several, E> {
        Ok(Several(vec![text.to_owned()]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Several, A::Error> {
        let mut all = Vec::new();
        while let Some(one) = list.next_element()? {
            all.push(one);
        }
        Ok(Several(all))
    }
}
