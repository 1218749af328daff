//! Invitations: an administrator makes one, and whoever gets it chooses the password of their account, which nobody else ever knows.

use auth::challenge_key::Password;
use auth::second_factor;
use auth::totp::Seed;
use jiff::SignedDuration;
use store::{
    AcceptedInvitation, Account, Accounts as _, Act, EnrolmentPurpose, Enrolments as _, NewSecondFactor,
    SealedPlace,
};
use types::Secret;

use crate::password::{Chosen, Strength};
use crate::scram::ScramLack;
use crate::{Desk, FoundLink, LinkBrowser, Missing, OldKey, Trouble, view};

/// The shortest time that an invitation can be good for.
pub const INVITATION_LEAST: SignedDuration = SignedDuration::from_mins(5);

/// The longest.
pub const INVITATION_MOST: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What somebody has chosen who was invited.
#[derive(Debug, Clone)]
pub struct Acceptance<'a> {
    /// Their password.
    pub password: Secret,
    /// The seed that they were shown, and the code that their app makes of it.
    pub second_factor: Option<(&'a Seed, Secret)>,
    /// Whether the app passwords of before are revoked, and with them the API tokens and the certificates.
    pub revoke_app_passwords: bool,
}

/// What came of an invitation that was accepted, and what it lacks.
#[derive(Debug)]
pub struct Accepted {
    /// The recovery codes of a new second factor.
    pub recovery_codes: Option<view::RecoveryCodes>,
    /// Why SCRAM does not take the password.
    pub scram: Option<ScramLack>,
    /// Why the seed is sealed under an old master key.
    pub sealing: Option<OldKey>,
}

impl Desk {
    /// Invites the owner of an account to choose its password, in the place of an invitation of before. The link is shown this once. A second factor
    /// that is lost is not asked for, and goes: the one that there is, and none that is set up later.
    ///
    /// # Errors
    /// [`Trouble::InvitationTime`], [`Trouble::NoPages`], [`Trouble::LinkOvertaken`].
    pub async fn invite(
        &self,
        act: &Act,
        account: &Account,
        good_for: SignedDuration,
        second_factor_lost: bool,
    ) -> Result<view::NewInvitation, Trouble> {
        if !(INVITATION_LEAST..=INVITATION_MOST).contains(&good_for) {
            return Err(Trouble::InvitationTime);
        }
        let purpose = EnrolmentPurpose::Invitation { second_factor_lost: second_factor_lost && account.totp };
        let (enrolment, link) = self.make_link(act, account, purpose, (good_for, 1)).await?;
        let invitation = view::Invitation::of(&enrolment, account).ok_or_else(|| none(account))?;
        Ok(view::NewInvitation { invitation, link })
    }

    /// The invitation of an account that waits, if there is one.
    ///
    /// # Errors
    /// When the store can't tell.
    pub async fn invitation(&self, account: &Account) -> Result<Option<view::Invitation>, Trouble> {
        let waiting = self.waiting_links(account).await?;
        Ok(waiting.iter().find_map(|one| view::Invitation::of(one, account)))
    }

    /// Withdraws the invitation of an account that waits. `false` if there is none, or it was used a moment ago.
    ///
    /// # Errors
    /// When the store can't tell, or does not take it.
    pub async fn withdraw_invitation(&self, act: &Act, account: &Account) -> Result<bool, Trouble> {
        let waiting = self.waiting_links(account).await?;
        match waiting.iter().find(|one| matches!(one.purpose, EnrolmentPurpose::Invitation { .. })) {
            Some(open) => Ok(self.accounts.withdraw_enrolment(account.id, open.id, act).await?),
            None => Ok(false),
        }
    }

    /// Sees that this can be the password of whoever was invited.
    ///
    /// # Errors
    /// [`Trouble::Unfit`], [`Trouble::Weak`].
    pub fn judge_invited_password(&self, account: &Account, password: &Secret) -> Result<(), Trouble> {
        let chosen = Chosen { secret: password.clone(), strength: Strength::Own };
        chosen.judge(&account.address, account.name.as_deref(), &self.settings.hostname)
    }

    /// What an authenticator app needs to know of this seed.
    #[must_use]
    pub fn show_seed(&self, seed: &Seed, account: &Account) -> view::Enrolled {
        view::Enrolled::of(seed, &self.settings.hostname, &account.address)
    }

    /// Does what somebody has chosen who was invited, and uses the invitation up: all of it or nothing. That they know the code of a second factor
    /// that is not lost, the judge has seen.
    ///
    /// # Errors
    /// [`Trouble::Unfit`], [`Trouble::Weak`], [`Trouble::WrongCode`]; [`Missing::Link`] if the invitation is not waiting any more;
    /// [`Trouble::LinkOvertaken`] when the account is another by now.
    pub async fn accept_invitation(
        &self,
        act: &Act,
        link: &FoundLink,
        acceptance: Acceptance<'_>,
        browser: LinkBrowser<'_>,
    ) -> Result<Accepted, Trouble> {
        let account = &link.account;
        self.judge_invited_password(account, &acceptance.password)?;
        let (factor, recovery_codes) = self.factor_of(act, account, acceptance.second_factor).await?.unzip();
        let accepted = AcceptedInvitation {
            password_hash: self.hasher().await?.hash(acceptance.password.clone()).await?,
            version: account.version,
            second_factor: factor,
            revoke_app_passwords: acceptance.revoke_app_passwords,
            used: self.use_of(act, browser, None).await?,
        };
        match self.accounts.accept_invitation(link.enrolment.id, &accepted, act).await {
            Ok(true) => {}
            Ok(false) => return Err(none(account)),
            Err(store::Error::Changed) => return Err(Trouble::LinkOvertaken(account.address.clone())),
            Err(error) => return Err(error.into()),
        }
        // It is done: from here on nothing may hide that.
        let sealing = self.settle_factor(account, accepted.second_factor.as_ref()).await;
        let scram = self.scram_of_new(act, account, &accepted.password_hash, acceptance.password).await;
        Ok(Accepted { recovery_codes, scram, sealing })
    }

    /// The second factor that somebody has set up, with its recovery codes.
    async fn factor_of(
        &self,
        act: &Act,
        account: &Account,
        shown: Option<(&Seed, Secret)>,
    ) -> Result<Option<(NewSecondFactor, view::RecoveryCodes)>, Trouble> {
        let Some((seed, code)) = shown else { return Ok(None) };
        let keyring = self.keyring().await?;
        let made =
            second_factor::switched_on(&self.accounts, keyring, account.id, (seed, &code), act.at).await?;
        let (factor, codes) = made.ok_or(Trouble::WrongCode)?;
        Ok(Some((factor, view::RecoveryCodes::of(&codes))))
    }

    async fn settle_factor(&self, account: &Account, factor: Option<&NewSecondFactor>) -> Option<OldKey> {
        let factor = factor?;
        let place = SealedPlace::TotpSeed { account: account.id, enrolled_at: factor.enrolled_at };
        let keyring = self.keyring().await.ok()?;
        keyring.settle(&self.accounts, place, &factor.seed).await.err().map(OldKey)
    }

    /// Makes what SCRAM needs of the password that has just been set.
    async fn scram_of_new(
        &self,
        act: &Act,
        account: &Account,
        hash: &str,
        password: Secret,
    ) -> Option<ScramLack> {
        let now = match self.accounts.by_id(account.id).await {
            Ok(now) => now.filter(|now| now.password_hash.as_deref() == Some(hash))?,
            Err(error) => return self.scram_is_wanted().then(|| ScramLack::NotNow(Box::new(error))),
        };
        self.scram_of(act, &now, &Password::Account(password)).await
    }
}

fn none(account: &Account) -> Trouble {
    Missing::Link { account: account.address.clone(), which: "to choose its password".to_owned() }.into()
}
