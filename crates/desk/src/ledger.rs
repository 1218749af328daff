//! What was sent, and what became of it, also after delivery.

use std::collections::HashMap;

use jiff::Timestamp;
use store::{
    Account, Ledger as _, LedgerFilter, LedgerName, LedgerTrace, Page, QueueFilter, QueuedBy, Spool as _,
    Traffic,
};
use types::QueueId;

use crate::queue::CANDIDATES;
use crate::{Desk, Listed, Missing, Trouble, view};

impl Desk {
    /// Whether this account has sent the message with this identifier, under whichever address.
    ///
    /// # Errors
    /// When queue or ledger can't tell.
    pub async fn is_sent_by(&self, account: &Account, id: QueueId) -> Result<bool, Trouble> {
        let owner = Some(account.id);
        let queued = QueueFilter { ids: Some(id..=id), owner, settled: true, ..QueueFilter::default() };
        if !self.queued(&queued).await?.is_empty() {
            return Ok(true);
        }
        let filter = LedgerFilter { account: Some(QueuedBy::of(account)), ..LedgerFilter::default() };
        // The list is by identifier, newest first: this message comes first behind the one that would follow it.
        let behind = u128::from_be_bytes(*id.as_bytes()).checked_add(1);
        let after = behind.map(|number| QueueId::from_bytes(number.to_be_bytes()));
        let found = self.ledger.messages(&filter, Page { after, limit: 1 }).await?;
        Ok(found.first().is_some_and(|message| message.id == id))
    }

    /// A page of the messages that the filter lets through, newest first.
    ///
    /// # Errors
    /// When the store can't tell.
    pub async fn sent_messages(
        &self,
        filter: &LedgerFilter,
        page: Page<QueueId>,
    ) -> Result<Listed<view::SentMessage<u32>, QueueId>, Trouble> {
        let messages = self.ledger.messages(filter, page).await?;
        let last = messages.last().map(|message| message.id);
        Ok(Listed { items: messages.into_iter().map(view::SentMessage::listed).collect(), last })
    }

    /// What was handed in since then, in figures. It goes through all of that.
    ///
    /// # Errors
    /// When the store can't tell.
    pub async fn traffic(&self, since: Timestamp) -> Result<Traffic, Trouble> {
        Ok(self.ledger.traffic(since).await?)
    }

    /// How many messages an account has handed in with each credential since then, by its name in the trail.
    ///
    /// # Errors
    /// When the store can't tell.
    pub async fn sent_with(
        &self,
        account: &Account,
        since: Timestamp,
    ) -> Result<HashMap<String, u64>, Trouble> {
        Ok(self.ledger.sent_with(account.id, since).await?.into_iter().collect())
    }

    /// All that is known of a message: what the queue says now, and what the ledger says was.
    ///
    /// # Errors
    /// [`Missing::SentMessage`].
    pub async fn show_sent(&self, id: QueueId) -> Result<view::SentTrace, Trouble> {
        let (trace, queued) = (self.trace(id).await?, self.spool.show(id).await?);
        match (trace, queued) {
            (Some(trace), queued) => Ok(view::SentTrace::of(trace, queued)),
            (None, Some(queued)) => Ok(view::SentTrace::of_queue(queued)),
            (None, None) => Err(Missing::SentMessage(id.to_string()).into()),
        }
    }

    /// The one message that is named so, in the queue or not: by its identifier or its Message-ID, or by the beginning of either.
    ///
    /// # Errors
    /// [`Missing::SentMessage`], [`Trouble::SeveralMessages`].
    pub async fn find_named(&self, name: &str) -> Result<QueueId, Trouble> {
        self.find_anywhere(name, true).await
    }

    async fn find_anywhere(&self, name: &str, by_message_id: bool) -> Result<QueueId, Trouble> {
        for (queued, named) in meanings(name, true, by_message_id) {
            let mut found = self.queued(&queued).await?;
            found.extend(self.ledger.named(&named, one_more()).await?);
            if !found.is_empty() {
                return only(name, found);
            }
        }
        Err(Missing::SentMessage(name.to_owned()).into())
    }

    /// The one message of this name that some recipient still waits for; if there is none, of all messages. Whoever asks takes it out of the queue,
    /// so a Message-ID may be cut short only behind its `@`: the only message of a queue would answer to any first letter.
    ///
    /// # Errors
    /// As [`find_named`](Self::find_named).
    pub async fn find_waiting(&self, name: &str) -> Result<QueueId, Trouble> {
        let by_message_id = name.contains('@') || name.ends_with('>');
        for (queued, _) in meanings(name, false, by_message_id) {
            let found = self.queued(&queued).await?;
            if !found.is_empty() {
                return only(name, found);
            }
        }
        self.find_anywhere(name, by_message_id).await
    }

    /// What the ledger knows of a message.
    pub(crate) async fn trace(&self, id: QueueId) -> Result<Option<LedgerTrace>, Trouble> {
        Ok(self.ledger.trace(id).await?)
    }

    async fn queued(&self, filter: &QueueFilter) -> Result<Vec<QueueId>, Trouble> {
        Ok(self.spool.ids(filter, Page::first(one_more())).await?)
    }
}

/// What a name may mean, for the queue and for the ledger, which is behind by a second.
fn meanings(
    name: &str,
    settled: bool,
    by_message_id: bool,
) -> impl Iterator<Item = (QueueFilter, LedgerName)> {
    let begun = format!("<{}", name.trim_start_matches('<'));
    let of_queue = QueueFilter { message_id: Some(begun.clone()), settled, ..QueueFilter::default() };
    let by_message_id = by_message_id.then_some((of_queue, LedgerName::MessageId(begun)));
    let by_id = QueueId::beginning_with(name).ok().map(|ids| {
        let filter = QueueFilter { ids: Some(ids.clone()), settled, ..QueueFilter::default() };
        (filter, LedgerName::Ids(ids))
    });
    by_id.into_iter().chain(by_message_id)
}

fn one_more() -> u32 {
    u32::try_from(CANDIDATES + 1).unwrap_or(u32::MAX)
}

/// The one that was found by this name.
fn only(name: &str, mut found: Vec<QueueId>) -> Result<QueueId, Trouble> {
    found.sort_unstable();
    found.dedup();
    if let [id] = found.as_slice() {
        return Ok(*id);
    }
    let more = found.len() > CANDIDATES;
    found.truncate(CANDIDATES);
    Err(Trouble::SeveralMessages { begun: name.to_owned(), ids: found, more })
}
