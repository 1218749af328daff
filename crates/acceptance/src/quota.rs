//! How much an account may send: messages and recipients in an hour and in a day, and in a day those it never sent to.
//!
//! 1. MAIL: there is room for one more message ([`Quota::may_begin`]).
//! 2. RCPT: there is room for one more recipient, those of the envelope being there already ([`Quota::may_add`]).
//! 3. The message is complete: it is counted, at one stroke, which decides ([`Quota::take`]). What was asked before
//!    only spares the client the text. If the message is kept in the end, so is the count; else it is put back.
//!
//! The store counts, whoever sends. So that a message waits for no query, a block of what the account may send is borrowed
//! (`borrower.rs`), and what was sent of it is noted and written behind.

use std::collections::HashSet;
use std::sync::Arc;

use arc_swap::ArcSwap;
use auth::{BlindDigests, User};
use esmtp::{Envelope, Rejection};
use ipnet::IpNet;
use jiff::Timestamp;
use store::{
    Accounts as _, Amounts, CommonLimits, Correspondent, Full, Limit, Limits, OwnLimits, Sending as _, Share,
};
use stores::Accounts;
use types::{AccountId, ForwardPath};

use self::borrower::Borrower;
use self::network::Network;
use self::senders::Senders;

mod borrower;
mod known;
mod machines;
mod network;
mod senders;
mod tell;

/// The sending limits of all accounts, and of machines that need none.
pub(crate) struct Quota {
    store: Accounts,
    blind_digests: BlindDigests,
    common: ArcSwap<CommonLimits>,
    borrowers: Senders<AccountId, Borrower>,
    machines: Senders<IpNet, Network>,
    now: fn() -> Timestamp,
}

/// A message that is counted. Dropped, it is put back.
pub(crate) struct Counted<'a> {
    quota: &'a Quota,
    who: Who,
    recipients: HashSet<Correspondent>,
    taken: Option<Share>,
}

/// Whose message it is.
enum Who {
    Account(AccountId, Arc<Borrower>),
    /// A machine's without a login, of which nothing is written down.
    Network(Arc<Network>),
}

impl Quota {
    /// `blind_digests` makes correspondents of recipients, `now` reads the clock.
    pub(crate) fn new(
        store: Accounts,
        blind_digests: BlindDigests,
        common: CommonLimits,
        now: fn() -> Timestamp,
    ) -> Self {
        let common = ArcSwap::from_pointee(common);
        let (borrowers, machines) = (Senders::default(), Senders::default());
        Self { store, blind_digests, common, borrowers, machines, now }
    }

    /// From now on these limits are good for accounts that have none of their own.
    pub(crate) fn replace(&self, common: CommonLimits) {
        self.common.store(Arc::new(common));
    }

    /// Gives back what is borrowed and not sent, so that it can be lent again at once, and not when the window ends.
    pub(crate) fn give_back(&self) {
        for (account, borrower) in self.borrowers.take_all() {
            borrower.give_back(&self.store, account);
        }
    }

    /// Whether the user may begin another message.
    ///
    /// # Errors
    /// [`Rejection::SendingLimit`], or [`Rejection::Unavailable`] when the store can't tell.
    pub(crate) async fn may_begin(&self, user: &User) -> Result<(), Rejection> {
        let (borrower, limits) = self.borrower(user.account).await?;
        self.borrow(user, &borrower, &Amounts::of_message(0, 0), &limits).await
    }

    /// Whether the user may add this recipient to the envelope. One that is there already is no other.
    ///
    /// # Errors
    /// As [`Quota::may_begin`].
    pub(crate) async fn may_add(
        &self,
        user: &User,
        envelope: &Envelope,
        path: &ForwardPath,
    ) -> Result<(), Rejection> {
        if envelope.goes_to(path) {
            return Ok(());
        }
        let (borrower, limits) = self.borrower(user.account).await?;
        let recipients = number(envelope.recipients.len()).saturating_add(1);
        let new = self.new_recipients(user.account, &borrower, &limits, envelope, path).await?;
        self.borrow(user, &borrower, &Amounts::of_recipients(recipients, new), &limits).await
    }

    /// Counts a complete message.
    ///
    /// # Errors
    /// As [`Quota::may_begin`]; then nothing is counted.
    pub(crate) async fn take(&self, user: &User, envelope: &Envelope) -> Result<Counted<'_>, Rejection> {
        let (borrower, limits) = self.borrower(user.account).await?;
        let recipients = self.correspondents(envelope.forward_paths());
        let new = match limits.at_most(Limit::NewRecipientsPerDay) {
            Some(_) => self.strangers(user.account, &borrower, &recipients).await?.len(),
            None => 0,
        };
        let wanted = Amounts::of_message(number(envelope.recipients.len()), number(new));
        let taken = borrower.take(&self.store, user.account, &wanted, &limits, self.now).await;
        let taken = taken.map_err(unavailable)?;
        borrower.tell_of_nearness(&user.address, &limits);
        let taken = Some(taken.map_err(|full| refuse(user, &borrower, &full))?);
        Ok(Counted { quota: self, who: Who::Account(user.account, borrower), recipients, taken })
    }

    /// Sees that there is room for what is wanted.
    async fn borrow(
        &self,
        user: &User,
        borrower: &Borrower,
        wanted: &Amounts,
        limits: &Limits,
    ) -> Result<(), Rejection> {
        let lent = borrower.borrow(&self.store, user.account, wanted, limits, self.now).await;
        lent.map_err(unavailable)?.map_err(|full| refuse(user, borrower, &full))
    }

    /// The account's state and its limits as they are now.
    async fn borrower(&self, account: AccountId) -> Result<(Arc<Borrower>, Limits), Rejection> {
        let borrower = self.borrowers.of(account, (self.now)());
        let limits = self.limits(account, &borrower).await?;
        Ok((borrower, limits))
    }

    async fn limits(&self, account: AccountId, borrower: &Borrower) -> Result<Limits, Rejection> {
        let own = self.own_limits(account, borrower).await.map_err(unavailable)?;
        Ok(Limits { common: **self.common.load(), own })
    }

    /// The limits that the account has of its own, read again when the store has changed.
    async fn own_limits(&self, account: AccountId, borrower: &Borrower) -> Result<OwnLimits, store::Error> {
        let revision = self.store.revision().await;
        if let Some(own) = borrower.own_limits(revision) {
            return Ok(own);
        }
        let own = self.store.own_limits(account).await?;
        borrower.remember_limits(revision, own);
        Ok(own)
    }

    /// How many recipients would be new with this one; 0 if it is not. The envelope is looked through only when it
    /// could matter: where there would be room even if all of them were new, all of them are taken for new.
    async fn new_recipients(
        &self,
        account: AccountId,
        borrower: &Borrower,
        limits: &Limits,
        envelope: &Envelope,
        path: &ForwardPath,
    ) -> Result<u32, Rejection> {
        let Some(at_most) = limits.at_most(Limit::NewRecipientsPerDay) else { return Ok(0) };
        let all = number(envelope.recipients.len()).saturating_add(1);
        let counted = borrower.counted(Limit::NewRecipientsPerDay, (self.now)());
        if counted.is_some_and(|counted| counted.saturating_add(all) <= at_most) {
            return Ok(all);
        }
        let this = self.correspondents(std::iter::once(path));
        if self.strangers(account, borrower, &this).await?.is_empty() {
            return Ok(0);
        }
        let mut all = self.correspondents(envelope.forward_paths());
        all.extend(this);
        Ok(number(self.strangers(account, borrower, &all).await?.len()))
    }

    /// Of these, those that the account has never sent to.
    async fn strangers(
        &self,
        account: AccountId,
        borrower: &Borrower,
        recipients: &HashSet<Correspondent>,
    ) -> Result<HashSet<Correspondent>, Rejection> {
        let unknown = borrower.unknown(recipients);
        if unknown.is_empty() {
            return Ok(HashSet::new());
        }
        let strangers = self.store.strangers(account, &unknown).await.map_err(unavailable)?;
        let strangers = HashSet::from_iter(strangers);
        let is_known = |recipient: &Correspondent| !strangers.contains(recipient);
        borrower.found(unknown.into_iter().filter(is_known));
        Ok(strangers)
    }

    /// The recipients as correspondents; the bare postmaster is nobody's.
    fn correspondents<'p>(&self, paths: impl Iterator<Item = &'p ForwardPath>) -> HashSet<Correspondent> {
        let mailboxes = paths.filter_map(ForwardPath::mailbox);
        mailboxes.map(|mailbox| self.blind_digests.of_correspondent(mailbox)).collect()
    }
}

impl Drop for Quota {
    fn drop(&mut self) {
        self.give_back();
    }
}

impl Counted<'_> {
    /// The message is kept, and so is its count.
    pub(crate) fn keep(mut self) {
        let Some(taken) = self.taken.take() else { return };
        if let Who::Account(account, borrower) = &self.who {
            let quota = self.quota;
            borrower.sent(&quota.store, *account, &taken, &self.recipients, (quota.now)());
        }
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        let Some(taken) = self.taken.take() else { return };
        match &self.who {
            Who::Account(_, borrower) => borrower.put_back(&taken),
            Who::Network(network) => network.put_back(&taken),
        }
    }
}

/// The reply to the client; the operator learns it once.
fn refuse(user: &User, borrower: &Borrower, full: &Full) -> Rejection {
    borrower.tell_of_refusal(&user.address, full);
    tell::refusal(full)
}

fn number(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

fn unavailable(error: store::Error) -> Rejection {
    let error: &dyn std::error::Error = &error;
    tracing::error!(event = "store.failing", error, "cannot tell how much an account may send");
    Rejection::Unavailable
}

#[cfg(test)]
mod tests;
