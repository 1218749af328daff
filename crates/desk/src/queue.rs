//! The queue: what has been accepted and is not yet delivered.

use std::ops::RangeInclusive;

use store::{Account, Accounts as _, Page, QueueFilter, QueuedBy, Spool as _};
use types::{Mailbox, QueueId};

use crate::{Desk, Listed, Missing, Trouble, view};

mod hindrance;
mod operate;
mod withdraw;

pub use hindrance::HeldInPart;
pub use operate::{Expected, Operated};

/// How many identifiers are read at a time.
const PAGE: u32 = 10_000;

/// How many candidates are told where an identifier is ambiguous.
pub(crate) const CANDIDATES: usize = 10;

impl Desk {
    /// A page of the messages that the filter lets through, oldest first.
    ///
    /// # Errors
    /// When the store can't tell.
    pub async fn list_messages(
        &self,
        filter: &QueueFilter,
        page: Page<QueueId>,
    ) -> Result<Listed<view::Message<u32>, QueueId>, Trouble> {
        let entries = self.spool.list(filter, page).await?;
        let last = entries.last().map(|entry| entry.id);
        Ok(Listed { items: entries.into_iter().map(view::Message::listed).collect(), last })
    }

    /// A message and each of its recipients.
    ///
    /// # Errors
    /// [`Missing::Message`].
    pub async fn show_message(
        &self,
        id: QueueId,
    ) -> Result<view::Message<Vec<view::QueuedRecipient>>, Trouble> {
        let details = self.spool.show(id).await?.ok_or_else(|| gone(id))?;
        Ok(view::Message::shown(details))
    }

    /// The queue in figures.
    ///
    /// # Errors
    /// When the store can't tell.
    pub async fn queue_stats(&self) -> Result<view::Stats, Trouble> {
        Ok(view::Stats::of(&self.spool.stats().await?))
    }

    /// Every message that the filter lets through.
    ///
    /// # Errors
    /// When the store can't tell.
    pub async fn find_messages(&self, filter: &QueueFilter) -> Result<Vec<QueueId>, Trouble> {
        let (mut found, mut page) = (Vec::new(), Page::first(PAGE));
        loop {
            let ids = self.spool.ids(filter, page).await?;
            page.after = ids.last().copied();
            if page.after.is_none() {
                return Ok(found);
            }
            found.extend(ids);
        }
    }

    /// What an account has in the queue, under whichever address.
    ///
    /// # Errors
    /// When the store can't tell.
    pub async fn messages_of(&self, account: &Account) -> Result<Vec<QueueId>, Trouble> {
        let by = Some(QueuedBy::of(account));
        self.find_messages(&QueueFilter { account: by, ..QueueFilter::default() }).await
    }

    /// What an account has in the queue that was handed in with this credential, as the audit trail has it.
    ///
    /// # Errors
    /// When the store can't tell.
    pub async fn waiting_with(&self, account: &Account, credential: String) -> Result<Vec<QueueId>, Trouble> {
        let (owner, credential) = (Some(account.id), Some(credential));
        self.find_messages(&QueueFilter { owner, credential, ..QueueFilter::default() }).await
    }

    /// The one message whose identifier is in this range, which is what `typed` is the beginning of; also of those that are done with, if
    /// `settled` says so.
    ///
    /// # Errors
    /// [`Missing::Message`], [`Trouble::SeveralMessages`].
    pub async fn find_message(
        &self,
        typed: &str,
        range: &RangeInclusive<QueueId>,
        settled: bool,
    ) -> Result<QueueId, Trouble> {
        let filter = QueueFilter { ids: Some(range.clone()), settled, ..QueueFilter::default() };
        let one_more = u32::try_from(CANDIDATES + 1).unwrap_or(u32::MAX);
        let mut ids = self.spool.ids(&filter, Page::first(one_more)).await?;
        match ids.as_slice() {
            [] => Err(Missing::Message(typed.to_owned()).into()),
            [id] => Ok(*id),
            _ => {
                let more = ids.len() > CANDIDATES;
                ids.truncate(CANDIDATES);
                Err(Trouble::SeveralMessages { begun: typed.to_owned(), ids, more })
            }
        }
    }

    /// Whose messages, by an address that need not be an account's any more, nor an address: `relay:192.0.2.7`.
    ///
    /// # Errors
    /// When the store can't tell.
    pub async fn queued_by(&self, address: String) -> Result<QueuedBy, Trouble> {
        let account = match Mailbox::parse(&address) {
            Ok(mailbox) => self.accounts.by_address(&mailbox).await?.map(|account| account.id),
            Err(_) => None,
        };
        Ok(QueuedBy { account, address })
    }
}

/// There is no such message.
fn gone(id: QueueId) -> Trouble {
    Missing::Message(id.to_string()).into()
}
