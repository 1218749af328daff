//! Access tokens: the provider says whose they are; whether that is an account, the store.

use types::{Mailbox, Secret};

use super::{Authenticator, Claimed, CredentialStore, Denial, refused, user};
use crate::Backend;
use crate::login::attempt::Origin;
use crate::login::outcome::{Credential, Reason, Refusal, User};
use backends::http::Evidence;
use backends::oauth::{Identified, Judged, Providers};

impl<S: CredentialStore> Authenticator<S> {
    pub(super) async fn by_token(
        &self,
        claimed: &Claimed,
        token: &Secret,
        origin: &Origin,
    ) -> Result<User, Denial> {
        for backend in self.row.load_full().iter() {
            let known = match backend {
                Backend::Accounts => None,
                Backend::OAuth(providers) => self.by_provider(providers, claimed, token).await?,
                Backend::Http(handler) => {
                    let proven = self.by_handler(handler, claimed, Evidence::Token(token), origin).await?;
                    proven.map(|proven| proven.user)
                }
            };
            if let Some(user) = known {
                return Ok(user);
            }
        }
        Err(refused(Reason::UnknownToken))
    }

    async fn by_provider(
        &self,
        providers: &Providers,
        claimed: &Claimed,
        token: &Secret,
    ) -> Result<Option<User>, Denial> {
        match providers.judge(token, (self.now)()).await? {
            Judged::Unknown => Ok(None),
            Judged::Bad(flaw) => Err(refused(Reason::BadToken(flaw))),
            Judged::Good(identified) => self.identified(identified, claimed).await.map(Some),
        }
    }

    /// The account that the token is for, if that is who the client says it is (RFC 7628 section 3.1).
    async fn identified(&self, identified: Identified, claimed: &Claimed) -> Result<User, Denial> {
        let Identified { provider, account, until } = identified;
        let credential = Credential::Token { provider, until };
        let bad = |reason| Denial::Refused(Refusal { reason, matched: Some(credential.clone()) });
        let address = Mailbox::parse(&account).map_err(|_| bad(Reason::NotAnAddress))?;
        if !claimed.may_be(&address) {
            return Err(bad(Reason::TokenOfAnother));
        }
        match self.store.by_address(&address).await? {
            None => Err(bad(Reason::UnknownUser)),
            Some(account) if account.disabled => Err(bad(Reason::Disabled)),
            Some(account) => Ok(user(&account, credential)),
        }
    }
}
