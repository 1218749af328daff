//! What a peer's EHLO reply offers, as far as carrying mail needs it.

use super::mechanism::Mechanism;
use super::reply::Reply;

/// The extensions of a peer. After HELO, and before EHLO, there are none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// The peer has answered EHLO. One that was spoken to with HELO has not said what it offers.
    pub extended: bool,
    /// STARTTLS (RFC 3207).
    pub starttls: bool,
    /// PIPELINING (RFC 2920).
    pub pipelining: bool,
    /// 8BITMIME (RFC 6152).
    pub eight_bit: bool,
    /// CHUNKING (RFC 3030 section 2).
    pub chunking: bool,
    /// BINARYMIME (RFC 3030 section 3), which is nothing without CHUNKING.
    pub binary_mime: bool,
    /// SMTPUTF8 (RFC 6531).
    pub smtputf8: bool,
    /// DSN (RFC 3461).
    pub dsn: bool,
    /// DELIVERBY (RFC 2852), with the least seconds that it takes for a message which is to be returned otherwise.
    pub deliver_by: Option<u32>,
    /// MT-PRIORITY (RFC 6710).
    pub priority: bool,
    /// REQUIRETLS (RFC 8689).
    pub require_tls: bool,
    /// SIZE is there (RFC 1870), whatever its limit.
    pub size: bool,
    /// The best mechanism of AUTH (RFC 4954) by which the password itself is shown.
    pub mechanism: Option<Mechanism>,
    /// SCRAM-SHA-256 (RFC 7677).
    pub scram: bool,
    /// SCRAM-SHA-256-PLUS.
    pub scram_plus: bool,
}

impl Capabilities {
    /// Whether it takes text that is not made of lines (RFC 3030 section 3).
    #[must_use]
    pub fn takes_binary(&self) -> bool {
        self.chunking && self.binary_mime
    }

    /// Reads an EHLO reply; its first line is the peer's name, the others a keyword each (RFC 5321 section 4.1.1.1).
    pub(super) fn read(reply: &Reply) -> Capabilities {
        let mut capabilities = Capabilities { extended: true, ..Capabilities::default() };
        for line in reply.lines().iter().skip(1) {
            let mut words = line.split_ascii_whitespace();
            if let Some(keyword) = words.next() {
                capabilities.add(&keyword.to_ascii_uppercase(), words);
            }
        }
        capabilities
    }

    fn add<'a>(&mut self, keyword: &str, mut parameters: impl Iterator<Item = &'a str>) {
        match keyword {
            "STARTTLS" => self.starttls = true,
            "PIPELINING" => self.pipelining = true,
            "8BITMIME" => self.eight_bit = true,
            "CHUNKING" => self.chunking = true,
            "BINARYMIME" => self.binary_mime = true,
            "SMTPUTF8" => self.smtputf8 = true,
            "DSN" => self.dsn = true,
            "DELIVERBY" => self.deliver_by = Some(parameters.next().map_or(0, min_by_time)),
            "MT-PRIORITY" => self.priority = true,
            "REQUIRETLS" => self.require_tls = true,
            "SIZE" => self.size = true,
            "AUTH" => parameters
                .filter_map(Mechanism::from_name)
                .for_each(|mechanism| self.add_mechanism(mechanism)),
            _ => {}
        }
    }

    fn add_mechanism(&mut self, mechanism: Mechanism) {
        match mechanism {
            Mechanism::Login | Mechanism::Plain => self.mechanism = self.mechanism.max(Some(mechanism)),
            Mechanism::ScramSha256 => self.scram = true,
            Mechanism::ScramSha256Plus => self.scram_plus = true,
        }
    }
}

/// `min-by-time *( "," extension-token )`, and the first may be empty (RFC 2852 section 2).
fn min_by_time(parameter: &str) -> u32 {
    parameter.split(',').next().and_then(|least| least.parse().ok()).unwrap_or(0)
}
