//! What a login still stands for: asked at every command that matters, so that a change acts at the next of them.

use std::sync::Arc;

use jiff::Timestamp;
use store::{Account, Accounts, AppPasswords, Identities};
use types::{AccountId, CredentialId, Mailbox, SenderPattern};

use crate::User;
use crate::at_revision::AtRevision;

/// What a user may do for as long as nothing changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The address of the account, which it may always send as.
    pub address: Mailbox,
    /// Whom else it may send as.
    pub identities: Vec<SenderPattern>,
    /// Of all these, those that its app password is good for; all, if this is empty.
    pub senders: Vec<SenderPattern>,
    /// When the credential expires.
    pub until: Option<Timestamp>,
}

/// What was proved at a log-in. The version stands for the address that the account had.
type Login = (AccountId, Option<CredentialId>, i64);

/// Who was found to stand.
pub(crate) struct Standings(AtRevision<Login, Arc<Standing>>);

impl Standings {
    pub(crate) fn new() -> Self {
        Self(AtRevision::new())
    }

    /// What the user may do, or `None` if what was proved at the log-in holds no longer.
    pub(crate) async fn of<S>(
        &self,
        user: &User,
        store: &S,
        now: Timestamp,
    ) -> Result<Option<Arc<Standing>>, store::Error>
    where
        S: Accounts + AppPasswords + Identities,
    {
        let (revision, login) = (store.revision(), (user.account, user.credential, user.version));
        let standing = match self.0.at(revision, &login) {
            Some(standing) => standing,
            None => {
                let Some(standing) = read(user, store).await?.map(Arc::new) else { return Ok(None) };
                self.0.remember(revision, login, Arc::clone(&standing));
                standing
            }
        };
        Ok((!has_passed(standing.until, now)).then_some(standing))
    }
}

async fn read<S>(user: &User, store: &S) -> Result<Option<Standing>, store::Error>
where
    S: Accounts + AppPasswords + Identities,
{
    let (account, app_password) = match user.credential {
        None => (store.by_id(user.account).await?, None),
        Some(credential) => {
            store.by_credential(credential).await?.map(|(one, account)| (account, one)).unzip()
        }
    };
    let Some(account) = account.filter(|account| is_as_proved(account, user)) else { return Ok(None) };
    let identities = store.identities(user.account).await?;
    let identities = identities.into_iter().map(|identity| identity.sender).collect();
    let until = app_password.as_ref().and_then(|one| one.expires_at);
    let senders = app_password.map_or_else(Vec::new, |one| one.senders);
    Ok(Some(Standing { address: account.address, identities, senders, until }))
}

/// Another account password does not touch an app password; another address does.
fn is_as_proved(account: &Account, user: &User) -> bool {
    let same = match user.credential {
        None => account.version == user.version,
        Some(_) => account.address == user.address,
    };
    same && !account.disabled
}

/// Whether this time has come.
pub(crate) fn has_passed(end: Option<Timestamp>, now: Timestamp) -> bool {
    end.is_some_and(|end| end <= now)
}
