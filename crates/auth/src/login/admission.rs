//! What a right account password is good for: everything, or with a second factor the account alone, and that only with a code.

use store::{Account, Accounts as _};
use types::Secret;

use super::attempt::{Door, Origin};
use super::authenticator::Authenticator;
use super::judgement::{Denial, Judgement};
use super::outcome::{Credential, LoginFault, Reason, User};
use crate::guard::gate::is_familiar;
use crate::guard::guesses::CodeFrom;
use crate::second_factor::{self, SecondFactorOutcome};

impl Authenticator {
    /// Whether the client may learn that the account password is right. It may not where the password opens nothing and the
    /// policy gives no hint; then the password is refused as if it were wrong, and clears no counters, which could be seen.
    pub(super) fn may_be_told(&self, account: &Account, door: Door) -> Judgement<()> {
        if account.totp && door == Door::Smtp && !self.policy.load().hint_app_password {
            return Err(not_enough(Reason::NeedsAppPassword));
        }
        Ok(())
    }

    /// The user, if the right account password suffices: with a second factor, for the account alone and with a code.
    pub(super) async fn admit(
        &self,
        account: &Account,
        door: Door,
        code: Option<Secret>,
        origin: &Origin,
    ) -> Judgement<User> {
        let user = User::of(account, Credential::AccountPassword);
        match (account.totp, door, code) {
            (false, Door::Smtp | Door::Master, _) => Ok(user),
            (true, Door::Smtp, _) => Err(not_enough(Reason::NeedsAppPassword)),
            (true, Door::Master, None) => Err(Denial::NeedsCode(Box::new(user))),
            (true, Door::Master, Some(code)) => self.by_code(user, account, &code, origin).await,
        }
    }

    /// The user whose password was right, if the code is, too.
    pub(super) async fn by_code(
        &self,
        user: User,
        account: &Account,
        code: &Secret,
        origin: &Origin,
    ) -> Judgement<User> {
        match self.check_code(account, code, origin).await? {
            SecondFactorOutcome::Accepted => Ok(user),
            SecondFactorOutcome::Wrong => Err(Denial::of(user.credential, Reason::BadCode)),
            SecondFactorOutcome::Throttled(throttled) => Err(Denial::Throttled(throttled)),
            SecondFactorOutcome::Damaged => Err(Denial::Unavailable(LoginFault::Secret)),
        }
    }

    /// The account of a user whose password was right a while ago; `None` if what was proved holds no longer.
    pub(super) async fn still_proved(&self, user: &User) -> Result<Option<Account>, store::Error> {
        let found = self.store.by_id(user.account).await?;
        Ok(found.filter(|account| account.version == user.version && account.totp && !account.disabled))
    }

    async fn check_code(
        &self,
        account: &Account,
        code: &Secret,
        origin: &Origin,
    ) -> Result<SecondFactorOutcome, store::Error> {
        let (store, now, policy) = (&self.store, (self.now)(), self.policy.load_full());
        let network = origin.network();
        let from = match is_familiar(store, &account.address, network, now).await? {
            true => CodeFrom::FamiliarNetwork(network),
            false => CodeFrom::OtherNetwork,
        };
        let act = origin.act_with_code(&account.address, now);
        second_factor::check(store, &self.keyring, account, code, (&policy, from), &act).await
    }
}

/// A refusal: the account password is right, and does not suffice.
fn not_enough(reason: Reason) -> Denial {
    Denial::of(Credential::AccountPassword, reason)
}
