//! The audit trail: who logged in or tried to, and what was changed.

use jiff::Timestamp;
use store::{Audit as _, AuditFilter, AuditPage, AuditPlace, Page};
use types::Mailbox;

use crate::{Desk, Listed, Trouble, view};

impl Desk {
    /// A page of the entries that the filter lets through, newest first.
    ///
    /// # Errors
    /// When the store can't tell.
    pub async fn audit(
        &self,
        filter: &AuditFilter,
        page: Page<AuditPlace>,
    ) -> Result<Listed<view::AuditEntry, AuditPlace>, Trouble> {
        let AuditPage { entries, last } = self.accounts.entries(filter, page).await?;
        Ok(Listed { items: entries.into_iter().map(view::AuditEntry::of).collect(), last })
    }

    /// Forgets what is older than it is to be kept: how many entries, and from before when.
    ///
    /// # Errors
    /// When the store does not take it.
    pub async fn forget_old_audit(&self) -> Result<(u64, Timestamp), Trouble> {
        let now = (self.now)();
        let before = now.checked_sub(self.settings.audit_keep).unwrap_or(Timestamp::MIN);
        Ok((self.accounts.prune(before, now).await?, before))
    }
}

/// A name as the trail has it: somebody may have tried to log in by one that is no address.
#[must_use]
pub fn audited_name(name: String) -> String {
    Mailbox::parse(&name).map_or(name, |address| address.normal())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_looked_for_as_the_trail_has_it() {
        for (name, meant) in [("Alice@Example.ORG", "alice@example.org"), ("root", "root")] {
            assert_eq!(audited_name(name.to_owned()), meant);
        }
    }
}
