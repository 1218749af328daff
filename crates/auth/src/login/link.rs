//! Links that set up devices and accounts, as far as there is something to be guessed at them: the link itself, and the code of a second factor
//! that an invitation does not take away.

use jiff::Timestamp;
use store::{Account, Throttled};
use tokio::time::Instant;
use types::Secret;

use super::attempt::Origin;
use super::authenticator::Authenticator;
use super::judgement::Proven;
use super::login_report::LoginReport;
use super::outcome::{Credential, User};
use super::sign_in::NotConfirmed;
use crate::guard::gate::Gate;

/// What unknown links are counted as in the place of an account. No account is called so.
const NO_ACCOUNT: &str = "link";

impl Authenticator {
    /// Until when no link is looked at that comes from there, because too much from its network was wrong; `None` if they are.
    ///
    /// # Errors
    /// When the store can't tell.
    pub async fn links_shut_out(&self, origin: &Origin) -> Result<Option<Timestamp>, store::Error> {
        let throttled = self.gate_of_links(&Secret::new(""), origin).await?.look().await?;
        Ok(throttled.map(|Throttled { until, .. }| until))
    }

    /// Counts a link that nobody knows as a failure of the network that it comes from.
    ///
    /// # Errors
    /// When the store does not take it.
    pub async fn unknown_link(&self, link: &Secret, origin: &Origin) -> Result<(), store::Error> {
        self.gate_of_links(link, origin).await?.wrong().await
    }

    async fn gate_of_links(
        &self,
        link: &Secret,
        origin: &Origin,
    ) -> Result<Gate<'_, stores::Accounts>, store::Error> {
        let mark = self.blind_digests.of_attempt(NO_ACCOUNT, link);
        Gate::before(&self.store, None, origin.network(), mark, &self.policy.load(), self.now).await
    }

    /// Judges the code, or a recovery code, of somebody who was invited to choose a new password, and uses it up. What is wrong counts and is told
    /// like any login; what is right opens nothing and is no login.
    ///
    /// # Errors
    /// When it is not right, or that can't be told now.
    pub async fn confirm_code(
        &self,
        account: &Account,
        code: &Secret,
        origin: &Origin,
    ) -> Result<(), NotConfirmed> {
        let (begun, user) = (Instant::now(), User::of(account, Credential::AccountPassword));
        let report = LoginReport::of_code(&user, origin);
        match self.by_code(user, account, code, origin).await {
            Ok(_) => Ok(()),
            judged => self.concluded(judged.map(Proven::from), &report, begun).await.map(drop),
        }
    }
}
