//! The word of a trusted proxy that it has authenticated its client (the LOGIN attribute of XCLIENT).

use super::{Authenticator, Claimed, CredentialStore, Denial, refused, user};
use crate::login::outcome::{Credential, Reason, User};

impl<S: CredentialStore> Authenticator<S> {
    /// The proxy has looked at the password, but not at the state of the account.
    pub(super) async fn by_voucher(&self, claimed: &Claimed) -> Result<User, Denial> {
        let name = claimed.name.as_ref().map_err(|reason| refused(*reason))?;
        match self.store.by_address(name).await? {
            Some(account) if account.disabled => Err(refused(Reason::Disabled)),
            Some(account) => Ok(user(&account, Credential::Voucher)),
            None => Err(refused(Reason::UnknownUser)),
        }
    }
}
