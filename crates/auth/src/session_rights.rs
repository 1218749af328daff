//! The rights of a session: asked before commands are read and when mail is taken, so that a change acts at the next command.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use store::{Account, Accounts as _, Login, StoredCredential, StoredRights};
use stores::Accounts;
use types::{AccountId, Mailbox, SenderPattern};

use crate::login::outcome::{Credential, User};
use crate::revision_cache::RevisionCache;

/// What a user may do for as long as nothing changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRights {
    /// The address of the account, which it may always send as.
    pub address: Mailbox,
    /// Further senders that the account may use.
    pub identities: Vec<SenderPattern>,
    /// The senders that the app password is limited to; empty if it is good for all of the account's.
    pub senders: Vec<SenderPattern>,
    /// When the credential expires.
    pub until: Option<Timestamp>,
    /// How long a message can be taken back, if the account has chosen so itself.
    pub undo: Option<Duration>,
    /// Whether the account is an administrator's.
    pub admin: bool,
}

/// What was proved at a login: the account, by which credential, and the version of the account then.
type Proved = (AccountId, Credential, i64);

/// The rights that were read, for as long as the store does not change.
pub(crate) struct SessionRightsCache(RevisionCache<Proved, Arc<SessionRights>>);

impl SessionRightsCache {
    pub(crate) fn new() -> Self {
        Self(RevisionCache::new())
    }

    /// What the user may do, or `None` if what was proved at the login holds no longer.
    pub(crate) async fn of(
        &self,
        user: &User,
        store: &Accounts,
        now: Timestamp,
    ) -> Result<Option<Arc<SessionRights>>, store::Error> {
        let (revision, proved) =
            (store.revision().await, (user.account, user.credential.clone(), user.version));
        let rights = match self.0.at(revision, &proved) {
            Some(rights) => rights,
            None => {
                let Some(rights) = read(user, store).await?.map(Arc::new) else { return Ok(None) };
                self.0.remember(revision, proved, Arc::clone(&rights));
                rights
            }
        };
        Ok((!has_passed(rights.until, now)).then_some(rights))
    }
}

async fn read(user: &User, store: &Accounts) -> Result<Option<SessionRights>, store::Error> {
    let (with, until) = match &user.credential {
        Credential::AppPassword(id) => (Some(StoredCredential::AppPassword(*id)), None),
        Credential::Certificate(fingerprint) => (Some(StoredCredential::Certificate(*fingerprint)), None),
        Credential::Token { until, .. } => (None, Some(*until)),
        Credential::Http { until } => (None, *until),
        Credential::AccountPassword | Credential::ProxyLogin => (None, None),
    };
    let found = store.session_rights(&Login { account: user.account, with }).await?;
    let rights = |StoredRights { account, identities, senders, expires_at }| SessionRights {
        address: account.address,
        identities,
        senders,
        until: until.or(expires_at),
        undo: account.undo,
        admin: account.admin,
    };
    Ok(found.filter(|found| is_as_proved(&found.account, user)).map(rights))
}

/// Whether the account is still as it was proved. A new account password ends the logins by the old one alone; a new address ends
/// all.
fn is_as_proved(account: &Account, user: &User) -> bool {
    let same = match user.credential {
        Credential::AccountPassword => account.version == user.version,
        Credential::AppPassword(_)
        | Credential::Certificate(_)
        | Credential::Token { .. }
        | Credential::Http { .. }
        | Credential::ProxyLogin => account.address == user.address,
    };
    same && account.id == user.account && !account.disabled
}

/// Whether this time has come, if there is one.
pub(crate) fn has_passed(end: Option<Timestamp>, now: Timestamp) -> bool {
    end.is_some_and(|end| end <= now)
}
