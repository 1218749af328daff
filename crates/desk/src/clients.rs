//! What a mail program has to know: where it hands mail in, and where it reads it.

use types::{Domain, IncomingServer, Mechanism};

/// What mail programs are set up with. It is the same for every account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientSettings {
    /// The server that mail is handed in to.
    pub host: String,
    /// The port with TLS from the first octet (RFC 8314), if there is one.
    pub implicit_tls: Option<SubmissionPort>,
    /// The port with STARTTLS, if there is one.
    pub starttls: Option<SubmissionPort>,
    /// What programs find by themselves, if anything.
    pub discovery: Option<ClientDiscovery>,
}

/// A port where mail is handed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubmissionPort {
    /// Its number.
    pub port: u16,
    /// The mechanisms that are offered there, the preferred ones first.
    pub mechanisms: Vec<Mechanism>,
}

/// What programs find by themselves that know an address and nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientDiscovery {
    /// The domains of the addresses, with A-labels in lower case.
    pub domains: Vec<String>,
    /// Where they read mail.
    pub incoming: IncomingServer,
    /// The host that answers them: `autoconfig.DOMAIN` and `autodiscover.DOMAIN` are other names of it.
    pub host: String,
}

impl SubmissionPort {
    /// Whether a password is taken there as it is, by PLAIN or LOGIN: many programs know no other way.
    #[must_use]
    pub fn takes_passwords(&self) -> bool {
        self.mechanisms.contains(&Mechanism::Plain) || self.mechanisms.contains(&Mechanism::Login)
    }
}

impl ClientSettings {
    /// Where mail is handed in: with TLS from the first octet before STARTTLS.
    pub fn submission_ports(&self) -> impl Iterator<Item = &SubmissionPort> {
        self.implicit_tls.iter().chain(&self.starttls)
    }

    /// What programs find for addresses of this domain, if anything.
    #[must_use]
    pub fn discovery_of(&self, domain: &Domain) -> Option<&ClientDiscovery> {
        let domain = domain.normal();
        self.discovery.as_ref().filter(|discovery| discovery.domains.contains(&domain))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_taken_by_plain_or_login() {
        let takes = |mechanism| SubmissionPort { port: 465, mechanisms: vec![mechanism] }.takes_passwords();
        assert!(takes(Mechanism::Plain) && takes(Mechanism::Login));
        assert!(!takes(Mechanism::ScramSha256) && !takes(Mechanism::CramMd5));
    }
}
