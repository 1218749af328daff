//! Responses to challenges: CRAM-MD5 and SCRAM, where the password itself is never shown.
//!
//! An app password has so many letters that nobody guesses it, so its keys are tried without the guard. Any other response is
//! counted as a guess. That goes for CRAM-MD5, too, though no account password answers it: otherwise it could be seen which names
//! a backend behind the accounts knows. Two responses are never the same, so the same wrong password counts each time.

use backends::http::Evidence;
use sasl::{CramMd5Claim, ScramClaim, ServerSignature};
use store::{Account, AppPassword, ChallengeKey, ChallengeKeys as _, ChallengeKind, Challenged};
use types::{Mailbox, Secret};

use super::app_password::flaw;
use super::attempt::Origin;
use super::authenticator::Authenticator;
use super::backend::{Backend, may_be_of_another};
use super::claimed::Claimed;
use super::guarded_attempt::GuardedAttempt;
use super::judgement::{Denial, Judgement, Proven, refused};
use super::outcome::{Credential, LoginFault, Reason, User};
use crate::challenge_key;
use crate::keys::key::random;
use crate::keys::seal::SealError;

/// What a client responds to a challenge.
#[derive(Clone, Copy)]
pub(super) enum ChallengeResponse<'a> {
    CramMd5(&'a CramMd5Claim),
    Scram(&'a ScramClaim),
}

impl<'a> ChallengeResponse<'a> {
    fn evidence(self) -> Evidence<'a> {
        match self {
            ChallengeResponse::CramMd5(claim) => Evidence::CramMd5(claim),
            ChallengeResponse::Scram(claim) => Evidence::Scram(claim),
        }
    }
}

impl Authenticator {
    pub(super) async fn by_response(
        &self,
        claimed: &Claimed,
        response: ChallengeResponse<'_>,
        origin: &Origin,
    ) -> Judgement<Proven> {
        // Such a proof says nothing about any password, so no backend is asked, and nothing is counted.
        if let ChallengeResponse::Scram(claim) = response
            && let Some(flaw) = claim.flaw()
        {
            return Err(refused(Reason::BadScram(flaw)));
        }
        let once = Secret::new(random::<16>());
        let mut attempt = self.guarded(claimed, origin, &once);
        let mut nobody = claimed.nobody();
        for backend in self.backends.load_full().iter() {
            let known = match backend {
                Backend::Accounts => {
                    let known = self.response_in_accounts(claimed, response, origin, &mut attempt).await?;
                    known.map_err(|reason| nobody = reason).ok()
                }
                Backend::OAuth(_) => None,
                Backend::Http(handler) => {
                    let evidence = response.evidence();
                    self.by_guarded_handler(handler, claimed, evidence, origin, &mut attempt).await?
                }
            };
            if let Some(proven) = known {
                return attempt.end(proven).await;
            }
        }
        attempt.enter().await?;
        attempt.settle(Err(refused(nobody))).await
    }

    /// The user whom the store knows, or why it does not.
    async fn response_in_accounts(
        &self,
        claimed: &Claimed,
        response: ChallengeResponse<'_>,
        origin: &Origin,
        attempt: &mut GuardedAttempt<'_>,
    ) -> Judgement<Result<Proven, Reason>> {
        match response {
            ChallengeResponse::CramMd5(claim) => {
                let known = self.cram_md5_in_accounts(claimed, claim, origin, attempt).await?;
                Ok(known.map(Proven::from))
            }
            ChallengeResponse::Scram(claim) => self.scram_in_accounts(claimed, claim, origin, attempt).await,
        }
    }

    async fn cram_md5_in_accounts(
        &self,
        claimed: &Claimed,
        claim: &CramMd5Claim,
        origin: &Origin,
        attempt: &mut GuardedAttempt<'_>,
    ) -> Judgement<Result<User, Reason>> {
        let Some((name, (account, keys))) = self.challenged(claimed, ChallengeKind::CramMd5).await? else {
            return Ok(Err(claimed.nobody()));
        };
        let wrong = wrong_for(&keys);
        let answered = |key: &ChallengeKey| {
            let now = (self.now)();
            let forms = challenge_key::open_cram_md5(&self.store, &self.keyring, &account, key, now)?;
            Ok(forms.iter().any(|form| claim.validates(form)).then_some(()))
        };
        match first(keys, answered)? {
            Some((_, Some(app_password), ())) => {
                self.by_key_of(&app_password, &account, name, claimed, origin).map(Ok)
            }
            None if may_be_of_another(&account) => Ok(Err(wrong)),
            Some((_, None, ())) | None => {
                attempt.enter().await?;
                attempt.settle(Err(refused(wrong))).await
            }
        }
    }

    async fn scram_in_accounts(
        &self,
        claimed: &Claimed,
        claim: &ScramClaim,
        origin: &Origin,
        attempt: &mut GuardedAttempt<'_>,
    ) -> Judgement<Result<Proven, Reason>> {
        let Some((name, (account, keys))) = self.challenged(claimed, ChallengeKind::ScramSha256).await?
        else {
            return Ok(Err(claimed.nobody()));
        };
        let wrong = wrong_for(&keys);
        let (own, of_app_passwords): (Vec<_>, Vec<_>) = keys.into_iter().partition(|(_, one)| one.is_none());
        let answered = |key: &ChallengeKey| {
            let now = (self.now)();
            let keys = challenge_key::open_scram(&self.store, &self.keyring, &account, key, now)?;
            Ok(keys.iter().find_map(|keys| claim.proves(keys)))
        };
        if let Some((_, Some(app_password), signature)) = first(of_app_passwords, answered)? {
            let user = self.by_key_of(&app_password, &account, name, claimed, origin)?;
            return Ok(Ok(Proven { user, signature: Some(signature) }));
        }
        if may_be_of_another(&account) {
            return Ok(Err(wrong));
        }
        attempt.enter().await?;
        let proved =
            first(own, answered).and_then(|found| self.proved(found.ok_or(wrong), &account, claimed));
        let signature = attempt.settle(proved).await?;
        let user = self.admit(&account, claimed.door, None, origin).await?;
        Ok(Ok(Proven { user, signature: Some(signature) }))
    }

    /// The account that the client names, with its keys of this kind.
    async fn challenged<'a>(
        &self,
        claimed: &'a Claimed,
        kind: ChallengeKind,
    ) -> Judgement<Option<(&'a Mailbox, Challenged)>> {
        let Ok(name) = &claimed.name else { return Ok(None) };
        Ok(self.store.challenged(name, kind).await?.map(|found| (name, found)))
    }

    /// The server's own proof, if the account password was proved and the client may learn that.
    fn proved(
        &self,
        found: Result<Match<ServerSignature>, Reason>,
        account: &Account,
        claimed: &Claimed,
    ) -> Judgement<ServerSignature> {
        if account.disabled {
            return Err(refused(Reason::Disabled));
        }
        let (_, _, signature) = found.map_err(refused)?;
        self.may_be_told(account, claimed.door).map(|()| signature)
    }

    /// The user whose app password was proved, if it is good for this.
    fn by_key_of(
        &self,
        app_password: &AppPassword,
        account: &Account,
        name: &Mailbox,
        claimed: &Claimed,
        origin: &Origin,
    ) -> Judgement<User> {
        let credential = Credential::AppPassword(app_password.id);
        match flaw(app_password, account, name, claimed.door, origin.ip, (self.now)()) {
            None => Ok(User::of(account, credential)),
            Some(reason) => Err(Denial::of(credential, reason)),
        }
    }
}

/// The reason to refuse a response that was made with none of these keys.
fn wrong_for(keys: &[(ChallengeKey, Option<AppPassword>)]) -> Reason {
    if keys.is_empty() { Reason::NoKeys } else { Reason::BadAnswer }
}

/// A key that the response was made with, its app password, and what the check gave.
type Match<T> = (ChallengeKey, Option<AppPassword>, T);

/// The first key that the response was made with. A key that does not open is passed over; but if no other fits, the response
/// can't be called wrong, and the login is deferred.
fn first<T>(
    keys: Vec<(ChallengeKey, Option<AppPassword>)>,
    answered: impl Fn(&ChallengeKey) -> Result<Option<T>, SealError>,
) -> Judgement<Option<Match<T>>> {
    let mut damaged = false;
    for (key, app_password) in keys {
        match answered(&key) {
            Ok(Some(found)) => return Ok(Some((key, app_password, found))),
            Ok(None) => {}
            Err(_) => damaged = true,
        }
    }
    if damaged { Err(Denial::Unavailable(LoginFault::Secret)) } else { Ok(None) }
}
