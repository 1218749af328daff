//! Access tokens: the provider says whose they are; whether that is an account, the store.

use backends::http::Evidence;
use backends::oauth::{Identified, Judged, Providers};
use store::Accounts as _;
use types::{Mailbox, Secret};

use super::attempt::Origin;
use super::authenticator::Authenticator;
use super::backend::Backend;
use super::claimed::Claimed;
use super::judgement::{Denial, Judgement, refused};
use super::outcome::{Credential, Reason, User};

impl Authenticator {
    pub(super) async fn by_token(
        &self,
        claimed: &Claimed,
        token: &Secret,
        origin: &Origin,
    ) -> Judgement<User> {
        for backend in self.backends.load_full().iter() {
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
    ) -> Judgement<Option<User>> {
        match providers.judge(token, (self.now)()).await? {
            Judged::Unknown => Ok(None),
            Judged::Bad(flaw) => Err(refused(Reason::BadToken(flaw))),
            Judged::Good(identified) => self.identified(identified, claimed).await.map(Some),
        }
    }

    /// The account that the token is for, if that is who the client says it is (RFC 7628 section 3.1).
    async fn identified(&self, identified: Identified, claimed: &Claimed) -> Judgement<User> {
        let Identified { provider, account, until } = identified;
        let credential = Credential::Token { provider, until };
        let bad = |reason| Denial::of(credential.clone(), reason);
        let address = Mailbox::parse(&account).map_err(|_| bad(Reason::NotAnAddress))?;
        if !claimed.may_be(&address) {
            return Err(bad(Reason::TokenOfAnother));
        }
        match self.store.by_address(&address).await? {
            None => Err(bad(Reason::UnknownUser)),
            Some(account) if account.disabled => Err(bad(Reason::Disabled)),
            Some(account) => Ok(User::of(&account, credential)),
        }
    }
}
