//! How much an account may send: messages and recipients in an hour and in a day, and in a day those it never sent to.
//!
//! 1. MAIL: there is room for one more message ([`Quota::may_begin`]).
//! 2. RCPT: there is room for one more recipient, those of the envelope being there already ([`Quota::may_add`]).
//! 3. The message is complete: it is counted, at one stroke, which decides ([`Quota::take`]). What was asked before
//!    only spares the client the text. If the message is kept in the end, so is the count; else it is given back.
//!
//! Where an account stands is kept in memory and written behind, so that a message waits for no query but the one
//! about recipients that nobody has in memory.

use std::collections::HashSet;
use std::sync::Arc;

use arc_swap::ArcSwap;
use auth::{BlindDigests, User};
use esmtp::{Envelope, Rejection};
use ipnet::IpNet;
use jiff::Timestamp;
use store::{Accounts as _, CommonLimits, Correspondent, Limit, Limits, OwnLimits, Sending as _};
use stores::Accounts;
use types::{AccountId, ForwardPath};

use self::counter::Taken;
use self::senders::{Sender, Senders};

mod counter;
mod known;
mod machines;
mod senders;
mod tell;

/// The sending limits of all accounts, and of machines that need none.
pub(crate) struct Quota {
    store: Accounts,
    blind_digests: BlindDigests,
    common: ArcSwap<CommonLimits>,
    senders: Senders<AccountId>,
    machines: Senders<IpNet>,
    now: fn() -> Timestamp,
}

/// A message that is counted. Dropped, it is given back.
pub(crate) struct Counted<'a> {
    quota: &'a Quota,
    /// `None` for a machine, of which nothing is written down.
    account: Option<AccountId>,
    sender: Arc<Sender>,
    recipients: HashSet<Correspondent>,
    taken: Option<Taken>,
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
        Self { store, blind_digests, common, senders: Senders::default(), machines: Senders::default(), now }
    }

    /// From now on these limits are good for accounts that have none of their own.
    pub(crate) fn replace(&self, common: CommonLimits) {
        self.common.store(Arc::new(common));
    }

    /// Whether the user may begin another message.
    ///
    /// # Errors
    /// [`Rejection::SendingLimit`], or [`Rejection::Unavailable`] when the store can't tell.
    pub(crate) async fn may_begin(&self, user: &User) -> Result<(), Rejection> {
        let (sender, limits) = self.sender(user.account).await?;
        let more = |limit| match limit {
            Limit::MessagesPerHour | Limit::MessagesPerDay => 1,
            Limit::RecipientsPerHour | Limit::RecipientsPerDay | Limit::NewRecipientsPerDay => 0,
        };
        sender.room(&limits, more, (self.now)()).map_err(|full| sender.refuse(&user.address, full))
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
        let (sender, limits) = self.sender(user.account).await?;
        let recipients = number(envelope.recipients.len()).saturating_add(1);
        let new = self.new_recipients(user.account, &sender, &limits, envelope, path).await?;
        let more = |limit| match limit {
            Limit::MessagesPerHour | Limit::MessagesPerDay => 0,
            Limit::RecipientsPerHour | Limit::RecipientsPerDay => recipients,
            Limit::NewRecipientsPerDay => new,
        };
        sender.room(&limits, more, (self.now)()).map_err(|full| sender.refuse(&user.address, full))
    }

    /// Counts a complete message.
    ///
    /// # Errors
    /// As [`Quota::may_begin`]; then nothing is counted.
    pub(crate) async fn take(&self, user: &User, envelope: &Envelope) -> Result<Counted<'_>, Rejection> {
        let (sender, limits) = self.sender(user.account).await?;
        let recipients = self.correspondents(envelope.forward_paths());
        let new = match limits.at_most(Limit::NewRecipientsPerDay) {
            Some(_) => self.strangers(user.account, &sender, &recipients).await?.len(),
            None => 0,
        };
        let (paths, new) = (number(envelope.recipients.len()), number(new));
        let taken = sender.take(&user.address, &limits, paths, new, self.now)?;
        Ok(Counted { quota: self, account: Some(user.account), sender, recipients, taken: Some(taken) })
    }

    /// The account's state and its limits as they are now.
    async fn sender(&self, account: AccountId) -> Result<(Arc<Sender>, Limits), Rejection> {
        if let Some(sender) = self.senders.get(account) {
            let limits = self.limits(account, &sender).await?;
            return Ok((sender, limits));
        }
        let sent = self.store.sent(account).await.map_err(unavailable)?;
        let sender = self.senders.insert(account, sent.unwrap_or_default(), (self.now)());
        let limits = self.limits(account, &sender).await?;
        // A server before this one has told of these.
        sender.newly_near(&limits, (self.now)());
        Ok((sender, limits))
    }

    async fn limits(&self, account: AccountId, sender: &Sender) -> Result<Limits, Rejection> {
        let own = self.own_limits(account, sender).await.map_err(unavailable)?;
        Ok(Limits { common: **self.common.load(), own })
    }

    /// The limits that the account has of its own, read again when the store has changed.
    async fn own_limits(&self, account: AccountId, sender: &Sender) -> Result<OwnLimits, store::Error> {
        let revision = self.store.revision();
        if let Some(own) = sender.own_limits(revision) {
            return Ok(own);
        }
        let own = self.store.own_limits(account).await?;
        sender.remember_limits(revision, own);
        Ok(own)
    }

    /// How many recipients would be new with this one; 0 if it is not. The envelope is looked through only when it
    /// could matter: where there would be room even if all of them were new, all of them are taken for new.
    async fn new_recipients(
        &self,
        account: AccountId,
        sender: &Sender,
        limits: &Limits,
        envelope: &Envelope,
        path: &ForwardPath,
    ) -> Result<u32, Rejection> {
        let Some(at_most) = limits.at_most(Limit::NewRecipientsPerDay) else { return Ok(0) };
        let all = number(envelope.recipients.len()).saturating_add(1);
        if sender.used(Limit::NewRecipientsPerDay, (self.now)()).saturating_add(all) <= at_most {
            return Ok(all);
        }
        let this = self.correspondents(std::iter::once(path));
        if self.strangers(account, sender, &this).await?.is_empty() {
            return Ok(0);
        }
        let mut all = self.correspondents(envelope.forward_paths());
        all.extend(this);
        Ok(number(self.strangers(account, sender, &all).await?.len()))
    }

    /// Of these, those that the account has never sent to.
    async fn strangers(
        &self,
        account: AccountId,
        sender: &Sender,
        recipients: &HashSet<Correspondent>,
    ) -> Result<HashSet<Correspondent>, Rejection> {
        let unknown = sender.unknown(recipients);
        if unknown.is_empty() {
            return Ok(HashSet::new());
        }
        let strangers = self.store.strangers(account, &unknown).await.map_err(unavailable)?;
        let strangers = HashSet::from_iter(strangers);
        let is_known = |recipient: &Correspondent| !strangers.contains(recipient);
        sender.found(unknown.into_iter().filter(is_known));
        Ok(strangers)
    }

    /// The recipients as correspondents; the bare postmaster is nobody's.
    fn correspondents<'p>(&self, paths: impl Iterator<Item = &'p ForwardPath>) -> HashSet<Correspondent> {
        let mailboxes = paths.filter_map(ForwardPath::mailbox);
        mailboxes.map(|mailbox| self.blind_digests.of_correspondent(mailbox)).collect()
    }
}

impl Counted<'_> {
    /// The message is kept, and so is its count.
    pub(crate) fn keep(mut self) {
        self.taken = None;
        let now = (self.quota.now)();
        self.sender.kept(&self.recipients, now, |sent, recipients| {
            if let Some(account) = self.account {
                self.quota.store.note_sent(account, sent, recipients, now);
            }
        });
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        let Some(taken) = self.taken.take() else { return };
        let now = (self.quota.now)();
        self.sender.give_back(&taken, |sent| {
            if let Some(account) = self.account {
                self.quota.store.note_sent(account, sent, &[], now);
            }
        });
    }
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
