//! SCRAM in a dialogue: what is said after AUTH, and what has to be heard before 235 counts (RFC 5802, RFC 4954 section 4).

use base64::{Engine, prelude::BASE64_STANDARD};
use sasl::{ClientBinding, ScramClient, ScramClientError, ServerProof};
use types::Secret;

use crate::dialogue::broken::Broken;
use crate::dialogue::credentials::Credentials;
use crate::dialogue::reply::Reply;

/// How far it has come.
#[derive(Debug)]
pub(in crate::dialogue) enum Scram {
    /// The server's challenge is due.
    Begun(ScramClient),
    /// The server has to prove that it knows the password.
    Answered(ServerProof),
    /// It has. What is left is its 235.
    Proved,
}

impl Scram {
    /// `None` without a nonce for it.
    pub(super) fn new(credentials: &Credentials, is_bound: bool) -> Option<Scram> {
        let setup = credentials.scram.as_ref()?;
        let binding = match &setup.exporter {
            Some(exporter) if is_bound => ClientBinding::Exporter(exporter.clone()),
            Some(_) => ClientBinding::NotOffered,
            None => ClientBinding::None,
        };
        let (name, password) = (&credentials.username, credentials.password.clone());
        Some(Scram::Begun(ScramClient::new(name, password, &setup.nonce, &binding)))
    }

    /// What is said with AUTH, in base64.
    pub(super) fn first(&self) -> Option<String> {
        match self {
            Scram::Begun(client) => Some(BASE64_STANDARD.encode(client.first())),
            Scram::Answered(_) | Scram::Proved => None,
        }
    }

    /// What is said to a 334, in base64, and how far it has come then.
    pub(super) fn respond(self, reply: &Reply) -> Result<(String, Scram), Broken> {
        let challenge = challenge(reply)?;
        match self {
            // The server has overlooked the initial response.
            Scram::Begun(client) if challenge.declassify().is_empty() => {
                Ok((BASE64_STANDARD.encode(client.first()), Scram::Begun(client)))
            }
            Scram::Begun(client) => {
                let (last, proof) = client.answer(&challenge).map_err(Broken::NotMutual)?;
                Ok((BASE64_STANDARD.encode(last), Scram::Answered(proof)))
            }
            Scram::Answered(proof) => {
                proof.check(&challenge).map_err(Broken::NotMutual)?;
                Ok((String::new(), Scram::Proved))
            }
            Scram::Proved => Err(Broken::NotMutual(ScramClientError::Malformed)),
        }
    }
}

fn challenge(reply: &Reply) -> Result<Secret, Broken> {
    let text = reply.lines().first().map(|line| line.trim()).unwrap_or_default();
    let octets = BASE64_STANDARD.decode(text).map_err(|_| Broken::NotMutual(ScramClientError::Malformed))?;
    Ok(Secret::new(octets))
}
