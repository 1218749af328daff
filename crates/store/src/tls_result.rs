//! How TLS went with the hosts of other domains, for the reports that these want to have of it (TLS-RPT, RFC 8460).

use std::future::Future;

use crate::Error;

/// A day in UTC, numbered from 1970-01-01.
pub type Day = i32;

/// How many results of a domain and a day are told from each other. Whoever has us write to it could make up any number of them; beyond this they
/// are counted by their kinds alone ([`TlsResult::without_details`]).
pub const TLS_RESULTS_IN_DETAIL: u32 = 100;

/// What came of TLS in a session.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TlsResult {
    /// The domain of the recipients, in A-labels and lower case.
    pub domain: String,
    /// By which policy it had to be done.
    pub policy: TlsPolicy,
    /// What went wrong; `None` if nothing did.
    pub failure: Option<TlsFailure>,
}

impl TlsResult {
    /// The same by its kinds alone, of which there are few.
    #[must_use]
    pub fn without_details(&self) -> TlsResult {
        let nothing = String::new;
        let policy = TlsPolicy { kind: self.policy.kind, text: nothing() };
        let failure = self.failure.as_ref().map(|failure| TlsFailure {
            kind: failure.kind,
            host: nothing(),
            ip: nothing(),
            sent_from: nothing(),
            reason: nothing(),
        });
        TlsResult { domain: self.domain.clone(), policy, failure }
    }
}

/// By which policy TLS had to be done.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TlsPolicy {
    /// Of which kind it is.
    pub kind: TlsPolicyKind,
    /// Its lines, or records.
    pub text: String,
}

/// What went wrong, with whom.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TlsFailure {
    /// Of which type it is.
    pub kind: TlsFailureKind,
    /// The mail host.
    pub host: String,
    /// Its address; empty if it was not connected to.
    pub ip: String,
    /// Our address; empty if that is not known.
    pub sent_from: String,
    /// What went wrong, in words.
    pub reason: String,
}

/// Makes an enum of the words that RFC 8460 has for something.
macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$what:meta])* $variant:ident = $word:literal),* $(,)? }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$what])* $variant),* }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The word for it.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }

            /// What the word stands for.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.name() == name)
            }
        }
    };
}

words! {
    /// Of which kind a policy is (RFC 8460 section 4.4).
    TlsPolicyKind {
        /// MTA-STS.
        Sts = "sts",
        /// DANE.
        Tlsa = "tlsa",
        /// There is none.
        NotFound = "no-policy-found",
    }
}

words! {
    /// Of which type a failure is (RFC 8460 section 4.3).
    TlsFailureKind {
        /// The host does not offer STARTTLS.
        NotSupported = "starttls-not-supported",
        /// The certificate is of another name.
        HostMismatch = "certificate-host-mismatch",
        /// The certificate is not valid now.
        Expired = "certificate-expired",
        /// The certificate is of no authority that is known.
        NotTrusted = "certificate-not-trusted",
        /// Anything else.
        Validation = "validation-failure",
        /// No TLSA record names the certificate.
        TlsaInvalid = "tlsa-invalid",
        /// What TLSA records there are could not be known: the answer fails DNSSEC, or there was none.
        DnssecInvalid = "dnssec-invalid",
        /// The MTA-STS policy could not be fetched.
        FetchError = "sts-policy-fetch-error",
        /// What was fetched is no MTA-STS policy.
        PolicyInvalid = "sts-policy-invalid",
        /// The policy host has not proved its name.
        WebPkiInvalid = "sts-webpki-invalid",
    }
}

/// What came of TLS, counted by day.
pub trait TlsResults: Send + Sync + 'static {
    /// Adds sessions to those of a day that came to the same. Beyond [`TLS_RESULTS_IN_DETAIL`] of a domain and day, what is new is added without its
    /// details.
    fn add_tls_results(
        &self,
        sessions: &[(Day, TlsResult, u64)],
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// The days before `before` that have results, with each domain of which no report is made yet.
    fn unreported_tls_domains(
        &self,
        before: Day,
    ) -> impl Future<Output = Result<Vec<(Day, String)>, Error>> + Send;

    /// What came of TLS with the hosts of a domain on a day, and how often.
    fn tls_results(
        &self,
        day: Day,
        domain: &str,
    ) -> impl Future<Output = Result<Vec<(TlsResult, u64)>, Error>> + Send;

    /// Notes that the report of a domain and a day is about to be made; `false` if that was noted before. Whoever noted it makes the report, so
    /// there is never a second one.
    fn claim_tls_report(&self, day: Day, domain: &str) -> impl Future<Output = Result<bool, Error>> + Send;

    /// Forgets what is from before this day.
    fn prune_tls_results(&self, before: Day) -> impl Future<Output = Result<(), Error>> + Send;
}
