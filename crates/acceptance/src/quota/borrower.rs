//! An account that sends, and what the store has lent us for it.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use store::{Amounts, Correspondent, Full, Limit, Limits, Loan, OwnLimits, Revision, Sending as _, Share};
use stores::Accounts;
use types::{AccountId, Mailbox};

use super::known::Known;
use super::senders::Sender;
use super::tell::{self, Standing, Told};

/// One account.
#[derive(Debug, Default)]
pub(super) struct Borrower {
    state: Mutex<State>,
    /// Held while the store is asked: one loan takes the place of another.
    borrowing: futures_util::lock::Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    /// `None` before the first, and while one takes the place of another.
    loan: Option<Loan>,
    /// What was put back while there was none.
    put_back: Vec<Share>,
    known: Known,
    /// Own limits, and the revision of the store at which they were read.
    own: Option<(Revision, OwnLimits)>,
    told: Told,
}

impl Sender for Borrower {
    fn is_idle(&self, now: Timestamp) -> bool {
        let state = self.state();
        state.loan.is_none_or(|loan| Limit::ALL.iter().all(|limit| !loan.is_running(*limit, now)))
    }
}

impl Borrower {
    /// Sees that what is lent covers what is wanted, so that the store need not be asked again for it.
    pub(super) async fn borrow(
        &self,
        store: &Accounts,
        account: AccountId,
        wanted: &Amounts,
        limits: &Limits,
        clock: fn() -> Timestamp,
    ) -> Result<Result<(), Full>, store::Error> {
        self.with_loan(store, account, wanted, limits, clock, |_| ()).await
    }

    /// Counts what is wanted as sent.
    pub(super) async fn take(
        &self,
        store: &Accounts,
        account: AccountId,
        wanted: &Amounts,
        limits: &Limits,
        clock: fn() -> Timestamp,
    ) -> Result<Result<Share, Full>, store::Error> {
        self.with_loan(store, account, wanted, limits, clock, |loan| loan.take(wanted)).await
    }

    /// Does something with a loan that covers what is wanted.
    async fn with_loan<T>(
        &self,
        store: &Accounts,
        account: AccountId,
        wanted: &Amounts,
        limits: &Limits,
        clock: fn() -> Timestamp,
        mut act: impl FnMut(&mut Loan) -> T,
    ) -> Result<Result<T, Full>, store::Error> {
        if let Some(done) = self.state().covered(wanted, limits, clock).map(&mut act) {
            return Ok(Ok(done));
        }
        let _borrowing = self.borrowing.lock().await;
        let old = {
            let mut state = self.state();
            // Somebody else may have borrowed meanwhile.
            if let Some(done) = state.covered(wanted, limits, clock).map(&mut act) {
                return Ok(Ok(done));
            }
            state.loan.take()
        };
        // If that fails the old loan is lost: what of it the store has taken back, nobody can tell.
        let left = old.map(|loan| loan.left()).unwrap_or_default();
        let lent = store.lend(account, &left, wanted, limits, clock()).await?;
        let mut state = self.state();
        match lent {
            Ok(loan) => {
                if old.is_none() {
                    // A server before this one has told of these.
                    state.told.newly_near(&loan, limits);
                }
                Ok(Ok(act(state.begin(loan))))
            }
            Err(full) => {
                old.map(|loan| state.begin(loan));
                // Something may have been put back meanwhile.
                Ok(state.covered(wanted, limits, clock).map(act).ok_or(full))
            }
        }
    }

    /// What was taken is not sent after all.
    pub(super) fn put_back(&self, taken: &Share) {
        let mut state = self.state();
        match &mut state.loan {
            Some(loan) => loan.put_back(taken),
            None => state.put_back.push(*taken),
        }
    }

    /// What was taken is sent: whom it went to is known from now on. The store is told of those it should know.
    pub(super) fn sent(
        &self,
        store: &Accounts,
        account: AccountId,
        taken: &Share,
        recipients: &HashSet<Correspondent>,
        now: Timestamp,
    ) {
        let mut state = self.state();
        let mut told = Vec::new();
        told.extend(recipients.iter().filter(|recipient| state.known.sent_to(**recipient, now)));
        store.note_sent(account, taken, &told, now);
    }

    /// Gives back all that is lent.
    pub(super) fn give_back(&self, store: &Accounts, account: AccountId) {
        let mut state = self.state();
        let left = state.loan.take().map(|loan| loan.left());
        state.put_back.drain(..).chain(left).for_each(|share| store.give_back(account, &share));
    }

    /// How much counts for this limit, if that is known without asking.
    pub(super) fn counted(&self, limit: Limit, now: Timestamp) -> Option<u32> {
        let loan = self.state().loan?;
        Some(if loan.is_running(limit, now) { loan.counted(limit) } else { 0 })
    }

    /// Tells the operator, once for each window, of which limits four fifths are used.
    pub(super) fn tell_of_nearness(&self, address: &Mailbox, limits: &Limits) {
        let mut state = self.state();
        let State { loan: Some(loan), told, .. } = &mut *state else { return };
        let near = told.newly_near(loan, limits);
        drop(state);
        near.into_iter().for_each(|(limit, at_most)| tell::near_limit(address, limit, at_most));
    }

    /// Tells the operator, once for each window, that something was refused.
    pub(super) fn tell_of_refusal(&self, address: &Mailbox, full: &Full) {
        let mut state = self.state();
        let since = state.loan.map(|loan| loan.since(full.limit)).unwrap_or_default();
        state.told.refused(address, full, since);
    }

    /// Of these, those that nobody here remembers.
    pub(super) fn unknown(&self, recipients: &HashSet<Correspondent>) -> Vec<Correspondent> {
        let state = self.state();
        recipients.iter().filter(|recipient| !state.known.knows(recipient)).copied().collect()
    }

    pub(super) fn found(&self, known: impl Iterator<Item = Correspondent>) {
        let mut state = self.state();
        known.for_each(|recipient| state.known.found(recipient));
    }

    /// The own limits of the account, if they were read at this very revision.
    pub(super) fn own_limits(&self, revision: Option<Revision>) -> Option<OwnLimits> {
        let (at, own) = self.state().own?;
        (Some(at) == revision).then_some(own)
    }

    pub(super) fn remember_limits(&self, revision: Option<Revision>, own: OwnLimits) {
        self.state().own = revision.map(|revision| (revision, own));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Goes on with this loan, and what was put back meanwhile.
    fn begin(&mut self, mut loan: Loan) -> &mut Loan {
        self.put_back.drain(..).for_each(|share| loan.put_back(&share));
        self.loan.insert(loan)
    }

    /// The loan, if it covers what is wanted. The clock is read once nobody else can, so that time passes here in one direction.
    fn covered(&mut self, wanted: &Amounts, limits: &Limits, clock: fn() -> Timestamp) -> Option<&mut Loan> {
        self.loan.as_mut().filter(|loan| loan.covers(wanted, limits, clock()))
    }
}

impl Standing for Loan {
    fn counted(&self, limit: Limit) -> u32 {
        Loan::counted(self, limit)
    }

    fn since(&self, limit: Limit) -> Timestamp {
        Loan::since(self, limit)
    }
}
