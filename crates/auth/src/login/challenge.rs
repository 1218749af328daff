//! Answers to challenges: CRAM-MD5 and SCRAM, where the password itself never comes.
//!
//! An app password has so many letters that nobody guesses it, so its keys are tried without further ado. Any other answer
//! is counted like a guess, of CRAM-MD5 as well, for which there is nothing to guess: were it not, it could be seen which
//! names a backend behind the accounts knows. That every answer looks another has its price: the same wrong password
//! counts each time.

use sasl::{CramMd5Claim, ScramClaim, ServerSignature};
use store::{Account, AppPassword, ChallengeKey, ChallengeKind, Challenged};
use types::{Mailbox, Secret};

use super::guarded_attempt::Passage;
use super::{Authenticator, Claimed, CredentialStore, Denial, Proven, flaw, is_anothers, refused, user};
use crate::keys::key::random;
use crate::login::attempt::Origin;
use crate::login::outcome::{Credential, Fault, Reason, Refusal, User};
use crate::{Backend, SealError, challenge_key};
use backends::http::Evidence;

/// What a client made of a challenge.
#[derive(Clone, Copy)]
pub(super) enum Answer<'a> {
    CramMd5(&'a CramMd5Claim),
    Scram(&'a ScramClaim),
}

impl<'a> Answer<'a> {
    fn evidence(self) -> Evidence<'a> {
        match self {
            Answer::CramMd5(claim) => Evidence::CramMd5(claim),
            Answer::Scram(claim) => Evidence::Scram(claim),
        }
    }
}

impl<S: CredentialStore> Authenticator<S> {
    pub(super) async fn by_answer(
        &self,
        claimed: &Claimed,
        answer: Answer<'_>,
        origin: &Origin,
    ) -> Result<Proven, Denial> {
        // Such a proof proves nothing of any password, so that there is nothing to ask anybody, nor to count.
        if let Answer::Scram(claim) = answer
            && let Some(flaw) = claim.flaw()
        {
            return Err(refused(Reason::BadScram(flaw)));
        }
        let once = Secret::new(random::<16>());
        let mut passage = self.passage(claimed, origin, &once);
        let mut nobody = claimed.nobody();
        for backend in self.row.load_full().iter() {
            let known = match backend {
                Backend::Accounts => {
                    let known = self.answer_in_accounts(claimed, answer, origin, &mut passage).await?;
                    known.map_err(|reason| nobody = reason).ok()
                }
                Backend::OAuth(_) => None,
                Backend::Http(handler) => {
                    let evidence = answer.evidence();
                    self.by_guarded_handler(handler, claimed, evidence, origin, &mut passage).await?
                }
            };
            if let Some(proven) = known {
                return passage.end(proven).await;
            }
        }
        passage.enter().await?;
        passage.settle(Err(refused(nobody))).await
    }

    /// The user whom the store knows, or why it does not.
    async fn answer_in_accounts(
        &self,
        claimed: &Claimed,
        answer: Answer<'_>,
        origin: &Origin,
        passage: &mut Passage<'_, S>,
    ) -> Result<Result<Proven, Reason>, Denial> {
        match answer {
            Answer::CramMd5(claim) => {
                let known = self.cram_md5_in_accounts(claimed, claim, origin, passage).await?;
                Ok(known.map(Proven::from))
            }
            Answer::Scram(claim) => self.scram_in_accounts(claimed, claim, origin, passage).await,
        }
    }

    async fn cram_md5_in_accounts(
        &self,
        claimed: &Claimed,
        claim: &CramMd5Claim,
        origin: &Origin,
        passage: &mut Passage<'_, S>,
    ) -> Result<Result<User, Reason>, Denial> {
        let Some((name, (account, keys))) = self.challenged(claimed, ChallengeKind::CramMd5).await? else {
            return Ok(Err(claimed.nobody()));
        };
        let wrong = wrong_for(&keys);
        let answered = |key: &ChallengeKey| {
            let now = (self.now)();
            let forms = challenge_key::open_cram_md5(&*self.store, &self.keyring, &account, key, now)?;
            Ok(forms.iter().any(|form| claim.validates(form)).then_some(()))
        };
        match first(keys, answered)? {
            Some((_, Some(app_password), ())) => {
                self.by_key_of(&app_password, &account, name, claimed, origin).map(Ok)
            }
            None if is_anothers(&account) => Ok(Err(wrong)),
            Some((_, None, ())) | None => {
                passage.enter().await?;
                passage.settle(Err(refused(wrong))).await
            }
        }
    }

    async fn scram_in_accounts(
        &self,
        claimed: &Claimed,
        claim: &ScramClaim,
        origin: &Origin,
        passage: &mut Passage<'_, S>,
    ) -> Result<Result<Proven, Reason>, Denial> {
        let Some((name, (account, keys))) = self.challenged(claimed, ChallengeKind::ScramSha256).await?
        else {
            return Ok(Err(claimed.nobody()));
        };
        let wrong = wrong_for(&keys);
        let (own, of_app_passwords): (Vec<_>, Vec<_>) = keys.into_iter().partition(|(_, one)| one.is_none());
        let answered = |key: &ChallengeKey| {
            let now = (self.now)();
            let keys = challenge_key::open_scram(&*self.store, &self.keyring, &account, key, now)?;
            Ok(keys.iter().find_map(|keys| claim.proves(keys)))
        };
        if let Some((_, Some(app_password), signature)) = first(of_app_passwords, answered)? {
            let user = self.by_key_of(&app_password, &account, name, claimed, origin)?;
            return Ok(Ok(Proven { user, signature: Some(signature) }));
        }
        if is_anothers(&account) {
            return Ok(Err(wrong));
        }
        passage.enter().await?;
        let proved =
            first(own, answered).and_then(|found| self.proved(found.ok_or(wrong), &account, claimed));
        let signature = passage.settle(proved).await?;
        let user = self.admit(&account, claimed.door, None, origin).await?;
        Ok(Ok(Proven { user, signature: Some(signature) }))
    }

    /// The account that is named, with its keys.
    async fn challenged<'a>(
        &self,
        claimed: &'a Claimed,
        kind: ChallengeKind,
    ) -> Result<Option<(&'a Mailbox, Challenged)>, Denial> {
        let Ok(name) = &claimed.name else { return Ok(None) };
        Ok(self.store.challenged(name, kind).await?.map(|found| (name, found)))
    }

    /// Whether the account password was proved, and may be known to have been.
    fn proved(
        &self,
        found: Result<Match<ServerSignature>, Reason>,
        account: &Account,
        claimed: &Claimed,
    ) -> Result<ServerSignature, Denial> {
        if account.disabled {
            return Err(refused(Reason::Disabled));
        }
        let (_, _, signature) = found.map_err(refused)?;
        self.not_in_secret(account, claimed.door).map(|()| signature)
    }

    /// The user whose app password was proved, if it is good for this.
    fn by_key_of(
        &self,
        app_password: &AppPassword,
        account: &Account,
        name: &Mailbox,
        claimed: &Claimed,
        origin: &Origin,
    ) -> Result<User, Denial> {
        let credential = Credential::AppPassword(app_password.id);
        match flaw(app_password, account, name, claimed.door, origin.ip, (self.now)()) {
            None => Ok(user(account, credential)),
            Some(reason) => Err(Denial::Refused(Refusal { reason, matched: Some(credential) })),
        }
    }
}

/// What an answer is that was made with none of these keys.
fn wrong_for(keys: &[(ChallengeKey, Option<AppPassword>)]) -> Reason {
    if keys.is_empty() { Reason::NoKeys } else { Reason::BadAnswer }
}

/// A key that an answer was made with, its app password, and what comes of it.
type Match<T> = (ChallengeKey, Option<AppPassword>, T);

/// The first key that the answer was made with. One that does not open is in nobody's way, but if no other will do,
/// nobody can say that the answer is wrong.
fn first<T>(
    keys: Vec<(ChallengeKey, Option<AppPassword>)>,
    answered: impl Fn(&ChallengeKey) -> Result<Option<T>, SealError>,
) -> Result<Option<Match<T>>, Denial> {
    let mut damaged = false;
    for (key, app_password) in keys {
        match answered(&key) {
            Ok(Some(found)) => return Ok(Some((key, app_password, found))),
            Ok(None) => {}
            Err(_) => damaged = true,
        }
    }
    if damaged { Err(Denial::Unavailable(Fault::Secret)) } else { Ok(None) }
}
