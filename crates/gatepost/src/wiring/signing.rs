//! The DKIM keys of the store, and the keyring that opens them, for whoever signs.

use std::fmt;
use std::sync::Arc;

use auth::{Keyring, SealError};
use delivery::{Answer, KeySource, Signing, SourceError};
use store::{Accounts as _, Act, Action, Audit as _, AuditEvent, DkimKey, DkimKeys as _, Revision};
use stores::Accounts;
use types::{DkimKeyName, Secret};

use crate::clock;

/// What signs mail with the keys of this store, as the configuration says.
pub(crate) fn signing(dkim: config::Dkim, accounts: Accounts, keyring: Arc<Keyring>) -> Arc<Signing> {
    Arc::new(Signing::new(Box::new(StoredKeys { accounts, keyring }), dkim.sign))
}

struct StoredKeys {
    accounts: Accounts,
    keyring: Arc<Keyring>,
}

impl KeySource for StoredKeys {
    fn revision(&self) -> Answer<'_, Option<Revision>> {
        Box::pin(self.accounts.revision())
    }

    fn any_active(&self) -> Answer<'_, Result<bool, SourceError>> {
        Box::pin(async { Ok(self.accounts.any_active_dkim_key().await?) })
    }

    fn active<'a>(&'a self, domains: &'a [&'a str]) -> Answer<'a, Result<Vec<DkimKey>, SourceError>> {
        Box::pin(async { Ok(self.accounts.active_dkim_keys(domains).await?) })
    }

    fn open(&self, key: &DkimKey) -> Result<Secret, SourceError> {
        Ok(self.keyring.open_dkim_key(key)?)
    }

    fn note_unopened(&self, key: &DkimKeyName, error: &SourceError) {
        // What opened and is no key is damaged, too.
        let reason = error.downcast_ref().copied().unwrap_or(SealError::Damaged).code();
        let event = AuditEvent::failure(Action::SecretOpen, reason, &Act::server(clock::now()));
        self.accounts.note(event.about(key));
    }
}

impl fmt::Debug for StoredKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredKeys").finish_non_exhaustive()
    }
}
