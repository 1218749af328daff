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
                let second_factor = is_password.then(|| wanted_besides(claimed.door));
                self.accepted(accepted, second_factor, origin).await.map(Some)
            }
        }
    }

    /// The user whom the program accepted. `second_factor` is the reason to refuse if the account has one: then a password does
    /// not suffice, whoever judged it.
    async fn accepted(
        &self,
        accepted: HttpUser,
        second_factor: Option<Reason>,
        origin: &Origin,
    ) -> Judgement<Proven> {
        let HttpUser { address, until, signature } = accepted;
        let credential = Credential::Http { until };
        let account = self.account_of(address, origin).await?;
        let reason =
            [(account.disabled, Reason::Disabled), (has_passed(until, (self.now)()), Reason::Expired)]
                .into_iter()
                .find_map(|(wrong, reason)| wrong.then_some(reason))
                .or(second_factor.filter(|_| account.totp));
        match reason {
            None => Ok(Proven { user: User::of(&account, credential), signature }),
            Some(reason) => Err(Denial::of(credential, reason)),
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

/// What a password lacks where the account has a second factor. A password of the program comes without a code of ours, so it
/// never opens the account itself.
fn wanted_besides(door: Door) -> Reason {
    match door {
        Door::Smtp => Reason::NeedsAppPassword,
        Door::Master => Reason::NeedsCode,
    }
}
