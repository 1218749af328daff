//! A login by the word of a trusted proxy that it has authenticated its client (the LOGIN attribute of XCLIENT).

use store::Accounts as _;

use super::authenticator::Authenticator;
use super::claimed::Claimed;
use super::judgement::{Judgement, refused};
use super::outcome::{Credential, Reason, User};

impl Authenticator {
    /// The user whom a trusted proxy names. The proxy has looked at the password, but not at the state of the account.
    pub(super) async fn by_proxy_login(&self, claimed: &Claimed) -> Judgement<User> {
        let name = claimed.name.as_ref().map_err(|reason| refused(*reason))?;
        match self.store.by_address(name).await? {
            Some(account) if account.disabled => Err(refused(Reason::Disabled)),
            Some(account) => Ok(User::of(&account, Credential::ProxyLogin)),
            None => Err(refused(Reason::UnknownUser)),
        }
    }
}
