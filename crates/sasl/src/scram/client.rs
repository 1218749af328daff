//! The client's side: proves to a server that it knows a password, and has the server prove that it knows it, too (RFC 5802 section 3).

use std::fmt;

use subtle::ConstantTimeEq as _;
use types::Secret;

use super::attributes::{Attributes, is_nonce};
use super::keys::{ClientKeys, ServerSignature};
use super::parameters::ScramParameters;
use crate::base64;
use crate::nonce::Nonce;

/// RFC 7677 section 4: a server that asks for fewer would have passwords tried on the proof too cheaply.
const MIN_ITERATIONS: u32 = 4096;

/// More would only keep the client busy: some seconds of work.
const MAX_ITERATIONS: u32 = 5_000_000;

/// What ties the proof to the connection (RFC 5802 section 6).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ClientBinding {
    /// There is nothing to be bound by.
    None,
    /// There is something, and the server does not offer SCRAM-SHA-256-PLUS: said, so that a server which does offer it knows that somebody has taken
    /// it out.
    NotOffered,
    /// `tls-exporter` (RFC 9266), for SCRAM-SHA-256-PLUS.
    Exporter(Secret),
}

/// Why a server is not one that knows the password, or can't be spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScramClientError {
    /// What it said is not what RFC 5802 section 7 has.
    #[error("its challenge is malformed")]
    Malformed,
    /// It repeats another nonce than ours: this is an old answer, or somebody else's.
    #[error("its challenge does not belong to this login")]
    OtherNonce,
    /// It asks for too little work, or too much.
    #[error("it asks for {0} iterations of the password hash, which is out of reason")]
    Iterations(u32),
    /// The password has characters that SASLprep (RFC 4013) does not allow.
    #[error("the password has characters that SCRAM does not allow")]
    Password,
    /// It does not prove that it knows the password.
    #[error("it has not proved that it knows the password")]
    NotProved,
}

/// A client that waits for the server's challenge.
pub struct ScramClient {
    password: Secret,
    /// `gs2-header [cbind-data]`
    binding: Secret,
    gs2_header: &'static str,
    nonce: String,
    bare: String,
}

impl ScramClient {
    /// A login by this name and password. The nonce has to be another one each time.
    #[must_use]
    pub fn new(username: &str, password: Secret, nonce: &Nonce, binding: &ClientBinding) -> ScramClient {
        let (gs2_header, data): (_, &[u8]) = match binding {
            ClientBinding::None => ("n,,", &[]),
            ClientBinding::NotOffered => ("y,,", &[]),
            ClientBinding::Exporter(exporter) => ("p=tls-exporter,,", exporter.declassify()),
        };
        let binding = Secret::new([gs2_header.as_bytes(), data].concat());
        // RFC 5802 section 5.1: saslname.
        let name = username.replace('=', "=3D").replace(',', "=2C");
        let nonce = nonce.to_string();
        ScramClient { password, binding, gs2_header, bare: format!("n={name},r={nonce}"), nonce }
    }

    /// The client-first-message.
    #[must_use]
    pub fn first(&self) -> String {
        format!("{}{}", self.gs2_header, self.bare)
    }

    /// The client-final-message that answers the server-first-message, and what the server has to say to it. That takes as long as the
    /// iterations take.
    ///
    /// # Errors
    /// [`ScramClientError`], if the challenge is none, or none that should be answered.
    pub fn answer(&self, challenge: &Secret) -> Result<(String, ServerProof), ScramClientError> {
        let challenge = challenge.declassify_str().ok_or(ScramClientError::Malformed)?;
        let (nonce, parameters) = self.read(challenge)?;
        let keys = ClientKeys::derive(&self.password, &parameters).ok_or(ScramClientError::Password)?;
        let without_proof = format!("c={},r={nonce}", base64::encode(self.binding.declassify()));
        let (proof, signature) = keys.prove(format!("{},{challenge},{without_proof}", self.bare).as_bytes());
        Ok((format!("{without_proof},p={}", base64::encode(proof)), ServerProof(signature)))
    }

    /// `server-first-message = "r=" c-nonce s-nonce ",s=" salt ",i=" iteration-count ["," extensions]`
    fn read<'a>(&self, challenge: &'a str) -> Result<(&'a str, ScramParameters), ScramClientError> {
        let malformed = |_| ScramClientError::Malformed;
        let mut attributes = Attributes::of(challenge);
        let nonce = attributes.next('r').map_err(malformed)?;
        let salt = base64::decode(attributes.next('s').map_err(malformed)?).map_err(malformed)?;
        let iterations = attributes.next('i').map_err(malformed)?;
        attributes.end().map_err(malformed)?;
        let iterations: u32 = iterations.parse().map_err(|_| ScramClientError::Malformed)?;
        if !nonce
            .strip_prefix(self.nonce.as_str())
            .is_some_and(|theirs| !theirs.is_empty() && is_nonce(theirs))
        {
            return Err(ScramClientError::OtherNonce);
        }
        if !(MIN_ITERATIONS..=MAX_ITERATIONS).contains(&iterations) {
            return Err(ScramClientError::Iterations(iterations));
        }
        Ok((nonce, ScramParameters { salt: salt.declassify().to_vec(), iterations }))
    }
}

/// What a server says that knows the password.
#[derive(Debug)]
pub struct ServerProof(ServerSignature);

impl ServerProof {
    /// Checks the server-final-message, in constant time.
    ///
    /// # Errors
    /// [`ScramClientError::NotProved`].
    pub fn check(&self, message: &Secret) -> Result<(), ScramClientError> {
        let right = bool::from(self.0.message().as_bytes().ct_eq(message.declassify()));
        if right { Ok(()) } else { Err(ScramClientError::NotProved) }
    }
}

impl fmt::Debug for ScramClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ScramClient(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7677 section 3.
    const SERVER_FIRST: &str =
        "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
    const SERVER_FINAL: &str = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

    fn client(password: &str, binding: &ClientBinding) -> ScramClient {
        let nonce = crate::Nonces::new([1; 32]).draw();
        ScramClient::new("user", Secret::new(password), &nonce, binding)
    }

    fn of_the_rfc() -> ScramClient {
        let nonce = "rOprNGfwEbeRWgbNEkqO".to_owned();
        ScramClient { bare: format!("n=user,r={nonce}"), nonce, ..client("pencil", &ClientBinding::None) }
    }

    #[test]
    fn the_example_of_rfc_7677() {
        let client = of_the_rfc();
        assert_eq!(client.first(), "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
        let (last, proof) = client.answer(&Secret::new(SERVER_FIRST)).unwrap();
        assert_eq!(
            last,
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
        );
        assert_eq!(proof.check(&Secret::new(SERVER_FINAL)), Ok(()));
        for other in [
            "",
            "v=",
            "v=AAAA",
            "e=other-error",
            SERVER_FINAL.trim_end_matches('='),
            &SERVER_FINAL.replace('6', "7"),
        ] {
            assert_eq!(proof.check(&Secret::new(other)), Err(ScramClientError::NotProved), "{other:?}");
        }
    }

    #[test]
    fn a_challenge_that_should_not_be_answered_is_not() {
        let client = of_the_rfc();
        for (from, to, error) in [
            ("r=rOpr", "r=XOpr", ScramClientError::OtherNonce),
            ("%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0", "", ScramClientError::OtherNonce),
            ("i=4096", "i=4095", ScramClientError::Iterations(4095)),
            ("i=4096", "i=4294967295", ScramClientError::Iterations(u32::MAX)),
            ("i=4096", "i=x", ScramClientError::Malformed),
            ("i=4096", "i=4096,m=x", ScramClientError::Malformed),
            ("s=W22ZaJ0SNY7soEsUEjb6gQ==", "s=?", ScramClientError::Malformed),
            (SERVER_FIRST, "e=unknown-user", ScramClientError::Malformed),
        ] {
            let challenge = Secret::new(SERVER_FIRST.replace(from, to));
            assert_eq!(client.answer(&challenge).err(), Some(error), "{to}");
        }
        let odd = ScramClient { password: Secret::new("a\u{7}b"), ..of_the_rfc() };
        assert_eq!(odd.answer(&Secret::new(SERVER_FIRST)).err(), Some(ScramClientError::Password));
    }

    #[test]
    fn a_name_and_a_binding_are_written_as_the_rfc_has_them() {
        let nonce = crate::Nonces::new([1; 32]).draw();
        let first =
            |binding: &ClientBinding| ScramClient::new("a=b,c", Secret::new("x"), &nonce, binding).first();
        assert_eq!(first(&ClientBinding::NotOffered), format!("y,,n=a=3Db=2Cc,r={nonce}"));
        let bound = ClientBinding::Exporter(Secret::new([7; 32]));
        assert_eq!(first(&bound), format!("p=tls-exporter,,n=a=3Db=2Cc,r={nonce}"));
        assert_eq!(format!("{:?}", client("pencil", &bound)), "ScramClient(…)");
    }
}
