//! The rights of a session: asked before commands are read and when mail is taken, so that a change acts at the next command.

use std::sync::Arc;

use jiff::Timestamp;
use store::{Account, Accounts, AppPassword, AppPasswords, Certificates, Identities};
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
}

/// What was proved at a login: the account, by which credential, and the version of the account then.
type Login = (AccountId, Credential, i64);

/// The rights that were read, for as long as the store does not change.
pub(crate) struct SessionRightsCache(RevisionCache<Login, Arc<SessionRights>>);

impl SessionRightsCache {
    pub(crate) fn new() -> Self {
        Self(RevisionCache::new())
    }

    /// What the user may do, or `None` if what was proved at the login holds no longer.
    pub(crate) async fn of<S>(
        &self,
        user: &User,
        store: &S,
        now: Timestamp,
    ) -> Result<Option<Arc<SessionRights>>, store::Error>
    where
        S: Accounts + AppPasswords + Certificates + Identities,
    {
        let (revision, login) = (store.revision(), (user.account, user.credential.clone(), user.version));
        let rights = match self.0.at(revision, &login) {
            Some(rights) => rights,
            None => {
                let Some(rights) = read(user, store).await?.map(Arc::new) else { return Ok(None) };
                self.0.remember(revision, login, Arc::clone(&rights));
                rights
            }
        };
        Ok((!has_passed(rights.until, now)).then_some(rights))
    }
}

async fn read<S>(user: &User, store: &S) -> Result<Option<SessionRights>, store::Error>
where
    S: Accounts + AppPasswords + Certificates + Identities,
{
    let Some(found) = find(user, store).await?.filter(|found| is_as_proved(&found.account, user)) else {
        return Ok(None);
    };
    let identities = store.identities(user.account).await?;
    let identities = identities.into_iter().map(|identity| identity.sender).collect();
    let Found { account, senders, until } = found;
    Ok(Some(SessionRights { address: account.address, identities, senders, until }))
}

/// What the store has about a login.
struct Found {
    account: Account,
    senders: Vec<SenderPattern>,
    until: Option<Timestamp>,
}

/// The account, and what its credential adds; `None` if either is gone.
async fn find<S>(user: &User, store: &S) -> Result<Option<Found>, store::Error>
where
    S: Accounts + AppPasswords + Certificates,
{
    let with = |until| move |account| Found { account, senders: Vec::new(), until };
    Ok(match &user.credential {
        Credential::AppPassword(id) => store.by_credential(*id).await?.map(|(app_password, account)| {
            let AppPassword { senders, expires_at: until, .. } = app_password;
            Found { account, senders, until }
        }),
        Credential::Certificate(fingerprint) => {
            let found = store.by_fingerprint(fingerprint).await?;
            found.map(|(certificate, account)| with(certificate.expires_at)(account))
        }
        Credential::Token { until, .. } => store.by_id(user.account).await?.map(with(Some(*until))),
        Credential::Http { until } => store.by_id(user.account).await?.map(with(*until)),
        Credential::AccountPassword | Credential::ProxyLogin => {
            store.by_id(user.account).await?.map(with(None))
        }
    })
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
