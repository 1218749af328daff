//! Signing in to the account itself, on a page: the password first, and then the code of the second factor, if there is one; and confirming
//! later that it is still the same person.
//!
//! A right password whose code is still to come is no failure: nothing is counted, delayed, logged or entered into the audit trail. What
//! comes of the code is. All else is as for any other login, with the same counters: whoever is kept waiting here is kept waiting there.

use jiff::Timestamp;
use store::{Account, Throttled};
use tokio::time::Instant;
use types::Secret;

use super::attempt::{Attempt, Origin};
use super::authenticator::Authenticator;
use super::judge::outcome_of;
use super::judgement::{Denial, Judgement, Proven, refused};
use super::login_report::LoginReport;
use super::outcome::{LoginOutcome, Reason, User};
use super::ticket::Ticket;
use crate::guard::gate::is_familiar;

/// What came of a name and a password, as far as whoever typed them may know.
#[derive(Debug)]
pub enum SignIn {
    /// They are right, and suffice.
    SignedIn(User),
    /// They are right, and the code of the second factor is wanted, with this ticket.
    NeedsCode(Ticket),
    /// They are not right, or not good for the account itself. What is wrong, nobody is told.
    Refused,
    /// They were not judged: there were too many wrong ones before.
    Throttled {
        /// Until when none is.
        until: Timestamp,
    },
    /// They could not be judged now.
    Unavailable,
}

/// What came of the code of a second factor.
#[derive(Debug)]
pub enum SecondStep {
    /// It is right.
    SignedIn(User),
    /// It is wrong or was used before; another may be shown with the same ticket.
    WrongCode,
    /// The ticket is no good, or not any more: the password has to be shown again.
    Over,
    /// It was not judged: there were too many wrong ones before.
    Throttled {
        /// Until when none is.
        until: Timestamp,
    },
    /// It could not be judged now.
    Unavailable,
}

/// Why somebody who is signed in has not confirmed that it is still them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotConfirmed {
    /// The password or the code is wrong.
    Wrong,
    /// The password is right, and the code of the second factor is missing.
    NeedsCode,
    /// It was not judged: there were too many wrong ones before.
    Throttled {
        /// Until when none is.
        until: Timestamp,
    },
    /// It could not be judged now.
    Unavailable,
}

impl Authenticator {
    /// Judges a name and a password for the account itself, as [`Attempt::sign_in`] has them.
    pub async fn first_step(&self, attempt: Attempt, origin: &Origin) -> SignIn {
        let begun = Instant::now();
        let attempt = attempt.completed(&self.policy.load());
        let report = LoginReport::of(&attempt, origin);
        let judged = match self.prove(attempt, origin).await {
            Err(Denial::NeedsCode(user)) => match self.ticket_for(*user, origin).await {
                Ok(ticket) => return SignIn::NeedsCode(ticket),
                Err(fault) => Err(fault.into()),
            },
            judged => judged,
        };
        match self.concluded(judged, &report, begun).await {
            Ok(user) => SignIn::SignedIn(user),
            Err(NotConfirmed::Wrong | NotConfirmed::NeedsCode) => SignIn::Refused,
            Err(NotConfirmed::Throttled { until }) => SignIn::Throttled { until },
            Err(NotConfirmed::Unavailable) => SignIn::Unavailable,
        }
    }

    /// Judges the code, or a recovery code, of somebody whose password was right. The ticket ends with the code that is right, with the
    /// fifth that is wrong, and when the account changes.
    pub async fn second_step(&self, ticket: &Ticket, code: &Secret, origin: &Origin) -> SecondStep {
        let (begun, now) = (Instant::now(), (self.now)());
        let Some(user) = self.tickets.enter(ticket, origin.network(), now) else { return SecondStep::Over };
        let report = LoginReport::of_code(&user, origin);
        let Some(judged) = self.judge_code(user, ticket, code, origin).await else {
            return SecondStep::Over;
        };
        match self.concluded(judged.map(Proven::from), &report, begun).await {
            Ok(user) => SecondStep::SignedIn(user),
            Err(NotConfirmed::Wrong | NotConfirmed::NeedsCode) => match self.tickets.wrong(ticket, now) {
                true => SecondStep::WrongCode,
                false => SecondStep::Over,
            },
            Err(NotConfirmed::Throttled { until }) => {
                self.tickets.give_back(ticket, now);
                SecondStep::Throttled { until }
            }
            Err(NotConfirmed::Unavailable) => {
                self.tickets.give_back(ticket, now);
                SecondStep::Unavailable
            }
        }
    }

    /// The user whose ticket it is, if the code is right; `None` if the ticket is over, because the account has changed, or another was
    /// faster.
    async fn judge_code(
        &self,
        user: User,
        ticket: &Ticket,
        code: &Secret,
        origin: &Origin,
    ) -> Option<Judgement<User>> {
        let account = match self.still_proved(&user).await {
            Ok(account) => account,
            Err(error) => return Some(Err(error.into())),
        };
        let end = || self.tickets.end(ticket, (self.now)());
        let Some(account) = account else {
            end();
            return None;
        };
        let judged = self.by_code(user, &account, code, origin).await;
        (judged.is_err() || end()).then_some(judged)
    }

    /// Judges whether it is the owner of the account who is signed in, by the password and, where there is a second factor, a code. What is
    /// wrong counts and is told like any login; what is right opens nothing and is no login.
    ///
    /// # Errors
    /// When it is not, or that can't be told now.
    pub async fn confirm(
        &self,
        account: &Account,
        password: Secret,
        code: Option<Secret>,
        origin: &Origin,
    ) -> Result<(), NotConfirmed> {
        let begun = Instant::now();
        let attempt = Attempt::sign_in(account.address.to_string(), password, code);
        let report = LoginReport::of(&attempt, origin);
        let judged = match self.prove(attempt, origin).await {
            Err(Denial::NeedsCode(_)) => return Err(NotConfirmed::NeedsCode),
            Ok(proven) if proven.user.account == account.id => return Ok(()),
            // The address is another account's by now.
            Ok(_) => Err(refused(Reason::UnknownUser)),
            judged => judged,
        };
        self.concluded(judged, &report, begun).await.map(drop)
    }

    /// A ticket for somebody whose password was right.
    async fn ticket_for(&self, user: User, origin: &Origin) -> Result<Ticket, store::Error> {
        let (network, now) = (origin.network(), (self.now)());
        let is_familiar = is_familiar(&self.store, &user.address, network, now).await?;
        Ok(self.tickets.issue(user, network, is_familiar, now))
    }

    /// Reports what a judgement came to, and says what of it may be told.
    pub(super) async fn concluded(
        &self,
        judged: Judgement<Proven>,
        report: &LoginReport,
        begun: Instant,
    ) -> Result<User, NotConfirmed> {
        let (outcome, _) = outcome_of(judged);
        self.conclude(&outcome, report, true, begun).await;
        match outcome {
            LoginOutcome::Accepted(user) => Ok(user),
            LoginOutcome::Refused(_) if self.may_be_right() => Err(NotConfirmed::Unavailable),
            LoginOutcome::Refused(_) => Err(NotConfirmed::Wrong),
            LoginOutcome::Throttled(Throttled { until, .. }) => Err(NotConfirmed::Throttled { until }),
            LoginOutcome::Unavailable(_) => Err(NotConfirmed::Unavailable),
        }
    }
}
