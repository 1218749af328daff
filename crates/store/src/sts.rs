//! Policies of MTA-STS (RFC 8461): what domains demand of those who send them mail.

use std::future::Future;

use jiff::Timestamp;

use crate::{Error, Page};

/// A policy as it was fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StsPolicy {
    /// Whose it is, in A-labels and lower case.
    pub domain: String,
    /// The id of the TXT record that it was fetched for (RFC 8461 section 3.1).
    pub id: String,
    /// The policy file (RFC 8461 section 3.2).
    pub text: String,
    /// When it was fetched.
    pub fetched_at: Timestamp,
    /// Until when it is in force.
    pub expires_at: Timestamp,
    /// When mail was last sent by it, to within a day.
    pub used_at: Timestamp,
}

/// The policies that are in force. To forget one before its time would be a downgrade, so they outlive a restart.
pub trait StsPolicies: Send + Sync + 'static {
    /// The policy of this domain.
    fn sts_policy(&self, domain: &str) -> impl Future<Output = Result<Option<StsPolicy>, Error>> + Send;

    /// Keeps a policy, in the place of what was fetched before for its domain.
    fn keep_sts_policy(&self, policy: &StsPolicy) -> impl Future<Output = Result<(), Error>> + Send;

    /// Notes that mail is sent by the policy of this domain.
    fn sts_policy_used(&self, domain: &str, at: Timestamp) -> impl Future<Output = Result<(), Error>> + Send;

    /// Forgets the policy of this domain, which has withdrawn it.
    fn drop_sts_policy(&self, domain: &str) -> impl Future<Output = Result<(), Error>> + Send;

    /// A page of the policies that were fetched more than a day ago, or have less than half of their time left, and were used since
    /// `used_since`, by their domains. Those that are damaged are left out.
    fn sts_policies_to_refresh(
        &self,
        now: Timestamp,
        used_since: Timestamp,
        page: Page<String>,
    ) -> impl Future<Output = Result<Vec<StsPolicy>, Error>> + Send;

    /// Forgets the policies that were in force until `now` at most; how many.
    fn prune_sts_policies(&self, now: Timestamp) -> impl Future<Output = Result<u64, Error>> + Send;
}
