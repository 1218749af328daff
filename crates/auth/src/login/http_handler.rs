//! Logins that the operator's own program judges (`[auth.http]`), and the accounts that are made for its users.

use backends::http::{Evidence, HttpClaim, HttpHandler, HttpUser, HttpVerdict};
use store::{Account, Accounts as _, Act};
use types::{AccountId, Mailbox};

use super::attempt::{Door, Origin};
use super::authenticator::Authenticator;
use super::claimed::Claimed;
use super::guarded_attempt::GuardedAttempt;
use super::judgement::{Denial, Judgement, Proven, refused};
use super::outcome::{Credential, Reason, User};
use crate::keys::key::random;
use crate::session_rights::has_passed;

impl Authenticator {
    /// Asks the program about something that might be guessed, under guard.
    pub(super) async fn by_guarded_handler(
        &self,
        handler: &HttpHandler,
        claimed: &Claimed,
        evidence: Evidence<'_>,
        origin: &Origin,
        attempt: &mut GuardedAttempt<'_>,
    ) -> Judgement<Option<Proven>> {
        attempt.enter().await?;
        match self.by_handler(handler, claimed, evidence, origin).await {
            Ok(None) => Ok(None),
            judged => attempt.settle(judged).await,
        }
    }

    /// Asks the program about a claim. It is not asked whether somebody may act for another: nobody may.
    pub(super) async fn by_handler(
        &self,
        handler: &HttpHandler,
        claimed: &Claimed,
        evidence: Evidence<'_>,
        origin: &Origin,
    ) -> Judgement<Option<Proven>> {
        if claimed.name == Err(Reason::ForeignIdentity) {
            return Ok(None);
        }
        // What is only examined is a password in clear.
        let mechanism = origin.mechanism.unwrap_or("PLAIN");
        let (username, authzid) = (claimed.username.as_deref(), claimed.authzid.as_deref());
        let claim = HttpClaim { mechanism, username, authzid, evidence };
        match handler.ask(claim, origin.session.as_ref()).await? {
            HttpVerdict::Unknown => Ok(None),
            HttpVerdict::Refused => Err(refused(Reason::HandlerRefused)),
            HttpVerdict::Accepted(accepted) => {
                let is_password =
                    matches!(evidence, Evidence::Password(_) | Evidence::CramMd5(_) | Evidence::Scram(_));
                let door = is_password.then_some(claimed.door);
                self.accepted(accepted, door, origin).await.map(Some)
            }
        }
    }

    /// The user whom the program accepted; by a password, which was to open this door, or `None` by something else. If the account has a
    /// second factor, a password does not suffice, whoever judged it.
    async fn accepted(&self, accepted: HttpUser, door: Option<Door>, origin: &Origin) -> Judgement<Proven> {
        let HttpUser { address, until, signature } = accepted;
        let credential = Credential::Http { until };
        let account = self.account_of(address, origin).await?;
        let reason =
            [(account.disabled, Reason::Disabled), (has_passed(until, (self.now)()), Reason::Expired)]
                .into_iter()
                .find_map(|(wrong, reason)| wrong.then_some(reason));
        match (reason, door.filter(|_| account.totp)) {
            (Some(reason), _) => Err(Denial::of(credential, reason)),
            (None, None) => Ok(Proven { user: User::of(&account, credential), signature }),
            (None, Some(Door::Smtp)) => Err(Denial::of(credential, Reason::NeedsAppPassword)),
            (None, Some(Door::Master)) => Err(Denial::NeedsCode(Box::new(User::of(&account, credential)))),
        }
    }

    /// The account at this address, which is made at the first login, so that limits, identities and commands work for it as for
    /// others. An attempt that is only examined makes none.
    async fn account_of(&self, address: Mailbox, origin: &Origin) -> Result<Account, store::Error> {
        if let Some(account) = self.store.by_address(&address).await? {
            return Ok(account);
        }
        let now = (self.now)();
        let id = AccountId::new(u64::try_from(now.as_millisecond()).unwrap_or_default(), random());
        let account = Account::new(id, address, now);
        if origin.session.is_none() {
            return Ok(account);
        }
        match self.store.add(&account, &Act::server(now)).await {
            // Another session was first.
            Err(store::Error::AlreadyExists) => {
                self.store.by_address(&account.address).await?.ok_or(store::Error::NotFound)
            }
            added => added.map(|()| account),
        }
    }
}
