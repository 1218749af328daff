//! Judges the claims that a pure session asks about, by the users of a dialogue's set-up: a user's password is its access token
//! too, and its certificate is the one that the set-up names.

use sasl::{Authenticated, ChannelBindings, Claim, ScramParameters, ServerSignature, Verdict};
use types::{Mailbox, Secret};

use crate::dialogue::Setup;

/// What both ends of every connection in a dialogue are bound by.
pub fn bindings() -> ChannelBindings {
    let mut bindings = ChannelBindings::default();
    (bindings.exporter, bindings.server_end_point) = (Some(Secret::new([b'e'; 32])), Some(vec![b's'; 32]));
    bindings
}

/// The same for everybody, and so few iterations because a dialogue is played a thousand times.
pub fn scram_parameters() -> ScramParameters {
    ScramParameters { salt: b"salt".to_vec(), iterations: 2 }
}

#[derive(Debug)]
pub struct Judge {
    users: Vec<(String, Secret)>,
    certificate: Option<String>,
}

/// Who has logged in, and our proof if there is one.
type Accepted<'a> = (&'a str, Option<ServerSignature>);

impl Judge {
    pub fn of(setup: &Setup) -> Judge {
        let users =
            setup.users.iter().map(|(address, password)| (address.clone(), Secret::new(password.as_str())));
        Judge { users: users.collect(), certificate: setup.certificate.clone() }
    }

    /// Whether the claim is true; a user is known by its address.
    pub fn judge(&self, claim: &Claim) -> Verdict<String> {
        let accepted = self
            .proved(claim)
            .filter(|(address, _)| claim.authzid().is_none_or(|authzid| same_mailbox(authzid, address)));
        match accepted {
            Some((address, signature)) => {
                let proof = Authenticated::new(address.to_owned(), address.to_owned());
                Verdict::Accepted(match signature {
                    Some(signature) => proof.with_signature(signature),
                    None => proof,
                })
            }
            None => Verdict::refused(),
        }
    }

    fn proved(&self, claim: &Claim) -> Option<Accepted<'_>> {
        match claim {
            Claim::Password(claim) => {
                let (address, password) = self.user(&claim.username)?;
                (*password == claim.password).then_some((address, None))
            }
            Claim::CramMd5(claim) => {
                let (address, password) = self.user(claim.username())?;
                claim.validates(password).then_some((address, None))
            }
            Claim::Scram(claim) => {
                let (address, password) = self.user(claim.username())?;
                claim.validates(password).map(|signature| (address, Some(signature)))
            }
            Claim::Token(claim) => {
                let (address, _) = self.users.iter().find(|(_, token)| *token == claim.token)?;
                let named = claim.username.as_ref().is_none_or(|name| same_mailbox(name, address));
                named.then_some((address, None))
            }
            Claim::External(_) => self.certificate.as_deref().map(|address| (address, None)),
            _ => None,
        }
    }

    fn user(&self, name: &str) -> Option<(&str, &Secret)> {
        let found = self.users.iter().find(|(address, _)| same_mailbox(address, name));
        found.map(|(address, password)| (address.as_str(), password))
    }
}

pub fn same_mailbox(one: &str, other: &str) -> bool {
    match (Mailbox::parse(one), Mailbox::parse(other)) {
        (Ok(one), Ok(other)) => one.normal() == other.normal(),
        _ => false,
    }
}
