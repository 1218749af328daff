//! By which policy TLS has to be done with a host, for whoever counts how it went (RFC 8460).

use store::{TlsFailure, TlsFailureKind, TlsPolicy, TlsPolicyKind, TlsResult};
use types::Domain;

use super::sts::{FetchError, Mode, StsStanding};
use super::tlsas::Tlsas;
use super::unroutable::Unroutable;

/// What is wrong with a host that the policy does not name.
pub(crate) const NOT_NAMED: &str = "the policy does not name the host";

/// How much of a policy is kept with results, in octets. A policy file or a TLSA record may have 64 KiB.
const POLICY: usize = 4096;

/// What is counted of sessions with a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Accounting {
    domain: String,
    policy: TlsPolicy,
    /// Whether the policy is only tested, and so has to be kept to for the count alone.
    pub(crate) is_tested: bool,
    /// Whether the policy names the host.
    pub(crate) is_named: bool,
    /// The policy that the domain has announced could not be had.
    unfetched: Option<TlsFailure>,
}

impl Accounting {
    /// Of a domain that stands so to MTA-STS.
    pub(super) fn of(domain: &Domain, standing: &StsStanding) -> Accounting {
        let policy = match &standing.policy {
            Some(policy) => TlsPolicy { kind: TlsPolicyKind::Sts, text: kept(policy.known_lines()) },
            None => TlsPolicy { kind: TlsPolicyKind::NotFound, text: String::new() },
        };
        Accounting {
            domain: domain.normal(),
            policy,
            is_tested: standing.policy.as_ref().is_some_and(|policy| policy.mode == Mode::Testing),
            is_named: true,
            unfetched: standing.failed.as_ref().map(unfetched),
        }
    }

    /// What is counted of sessions with a host of the domain that has to show what these records name.
    pub(super) fn by_dane(&self, tlsas: &Tlsas) -> Accounting {
        let record = |record: &dns::Tlsa| {
            let data: String = record.data.iter().map(|octet| format!("{octet:02x}")).collect();
            format!("{} {} {} {data}", record.usage, record.selector, record.matching)
        };
        let policy = TlsPolicy { kind: TlsPolicyKind::Tlsa, text: kept(tlsas.records.iter().map(record)) };
        Accounting { policy, is_tested: false, is_named: true, ..self.clone() }
    }

    /// Whether it is about DANE.
    pub(crate) fn is_dane(&self) -> bool {
        self.policy.kind == TlsPolicyKind::Tlsa
    }

    /// What is counted where mail is not sent to a host for this reason, as far as it is about a policy.
    pub(crate) fn not_asked(&self, why: &Unroutable) -> Vec<TlsResult> {
        let failure = |kind, host: &str, reason| TlsFailure {
            kind,
            host: host.to_owned(),
            ip: String::new(),
            sent_from: String::new(),
            reason,
        };
        match why {
            Unroutable::NotInPolicy { host, .. } => {
                self.results(Some(failure(TlsFailureKind::Validation, host, NOT_NAMED.to_owned())))
            }
            Unroutable::TlsasUnknown { host, error } => {
                let policy = TlsPolicy { kind: TlsPolicyKind::Tlsa, text: String::new() };
                let failure = failure(TlsFailureKind::DnssecInvalid, host, error.to_string());
                Accounting { policy, ..self.clone() }.results(Some(failure))
            }
            Unroutable::NoSuchDomain(_)
            | Unroutable::NullMx(_)
            | Unroutable::NoHost(_)
            | Unroutable::NoAddress(_)
            | Unroutable::NoIpv4(_)
            | Unroutable::Ourselves(_)
            | Unroutable::Forbidden { .. }
            | Unroutable::NotProven(_)
            | Unroutable::Unprovable(_)
            | Unroutable::AliasLoop(_)
            | Unroutable::Temporary(_)
            | Unroutable::PolicyUnknown { .. } => Vec::new(),
        }
    }

    /// What is counted of one session.
    pub(crate) fn results(&self, failure: Option<TlsFailure>) -> Vec<TlsResult> {
        let result = |policy, failure| TlsResult { domain: self.domain.clone(), policy, failure };
        let nothing = TlsPolicy { kind: TlsPolicyKind::Sts, text: String::new() };
        let unfetched = self.unfetched.clone().map(|failure| result(nothing, Some(failure)));
        [result(self.policy.clone(), failure)].into_iter().chain(unfetched).collect()
    }
}

/// The first of these lines, as many as have room.
fn kept(lines: impl Iterator<Item = impl AsRef<str>>) -> String {
    let mut text = String::new();
    for line in lines {
        if text.len() + line.as_ref().len() >= POLICY {
            break;
        }
        text = text + line.as_ref() + "\n";
    }
    text
}

fn unfetched(error: &FetchError) -> TlsFailure {
    let kind = match error {
        FetchError::Invalid(_) => TlsFailureKind::PolicyInvalid,
        FetchError::Unreachable(reason) if reason.contains("certificate") => TlsFailureKind::WebPkiInvalid,
        FetchError::Name(_)
        | FetchError::Unreachable(_)
        | FetchError::Late
        | FetchError::Status(_)
        | FetchError::MediaType(_)
        | FetchError::TooLarge => TlsFailureKind::FetchError,
    };
    let reason = error.to_string();
    TlsFailure { kind, host: String::new(), ip: String::new(), sent_from: String::new(), reason }
}
