//! Where policies are kept, so that a restart forgets none.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use jiff::Timestamp;
use store::{Error, Page, StsPolicies, StsPolicy};

/// What a store answers, once it does.
type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;

/// [`StsPolicies`] of whichever store.
pub trait PolicyStore: fmt::Debug + Send + Sync + 'static {
    /// The policy of this domain.
    fn find<'a>(&'a self, domain: &'a str) -> Answer<'a, Option<StsPolicy>>;

    /// Keeps a policy.
    fn keep<'a>(&'a self, policy: &'a StsPolicy) -> Answer<'a, ()>;

    /// Notes that mail is sent by it.
    fn note_use<'a>(&'a self, domain: &'a str, at: Timestamp) -> Answer<'a, ()>;

    /// Forgets a policy that was withdrawn.
    fn forget<'a>(&'a self, domain: &'a str) -> Answer<'a, ()>;

    /// A page of those that are to be refreshed.
    fn to_refresh(
        &self,
        now: Timestamp,
        used_since: Timestamp,
        page: Page<String>,
    ) -> Answer<'_, Vec<StsPolicy>>;
}

impl<S: StsPolicies + fmt::Debug> PolicyStore for S {
    fn find<'a>(&'a self, domain: &'a str) -> Answer<'a, Option<StsPolicy>> {
        Box::pin(self.sts_policy(domain))
    }

    fn keep<'a>(&'a self, policy: &'a StsPolicy) -> Answer<'a, ()> {
        Box::pin(self.keep_sts_policy(policy))
    }

    fn note_use<'a>(&'a self, domain: &'a str, at: Timestamp) -> Answer<'a, ()> {
        Box::pin(self.sts_policy_used(domain, at))
    }

    fn forget<'a>(&'a self, domain: &'a str) -> Answer<'a, ()> {
        Box::pin(self.drop_sts_policy(domain))
    }

    fn to_refresh(
        &self,
        now: Timestamp,
        used_since: Timestamp,
        page: Page<String>,
    ) -> Answer<'_, Vec<StsPolicy>> {
        Box::pin(self.sts_policies_to_refresh(now, used_since, page))
    }
}
