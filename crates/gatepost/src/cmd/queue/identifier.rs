//! Identifiers as people type them: cut short, if they like.

use std::ops::RangeInclusive;
use std::str::FromStr;

use desk::{Desk, Trouble};
use types::QueueId;

/// The beginning of an identifier, or all of it.
#[derive(Debug, Clone)]
pub(crate) struct Identifier {
    typed: String,
    range: RangeInclusive<QueueId>,
}

impl FromStr for Identifier {
    type Err = &'static str;

    fn from_str(typed: &str) -> Result<Self, Self::Err> {
        let range = QueueId::beginning_with(typed).map_err(
            |_| "an identifier is up to 26 digits and letters, as `gatepost queue list` shows them",
        )?;
        Ok(Self { typed: typed.to_owned(), range })
    }
}

impl Identifier {
    /// The one message of the queue that is meant.
    ///
    /// # Errors
    /// When there is none, or more than one.
    pub(super) async fn resolve(&self, desk: &Desk) -> Result<QueueId, Trouble> {
        desk.find_message(&self.typed, &self.range, false).await
    }

    /// The one message that is meant of all that the queue knows, also of those that were delivered or have failed.
    ///
    /// # Errors
    /// As [`resolve`](Self::resolve).
    pub(super) async fn resolve_settled(&self, desk: &Desk) -> Result<QueueId, Trouble> {
        desk.find_message(&self.typed, &self.range, true).await
    }
}
