//! Identifiers as people type them: cut short, if they like.

use std::ops::RangeInclusive;
use std::str::FromStr;

use anyhow::bail;
use store::{Page, QueueFilter, Spool};
use types::QueueId;

/// How many candidates are told.
const CANDIDATES: usize = 10;

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
    /// The one message that is meant.
    ///
    /// # Errors
    /// When there is none, or more than one.
    pub(super) async fn resolve(&self, spool: &impl Spool) -> anyhow::Result<QueueId> {
        let filter = QueueFilter { ids: Some(self.range.clone()), ..QueueFilter::default() };
        let one_more = u32::try_from(CANDIDATES + 1)?;
        match spool.ids(&filter, Page::first(one_more)).await?.as_slice() {
            [] => bail!(unknown(&self.typed)),
            [id] => Ok(*id),
            several => bail!("{}", self.ambiguous(several)),
        }
    }

    fn ambiguous(&self, ids: &[QueueId]) -> String {
        let listed: Vec<String> = ids.iter().take(CANDIDATES).map(ToString::to_string).collect();
        let more = if ids.len() > CANDIDATES { " and others" } else { "" };
        format!(
            "{} begins more than one identifier: {}{more}; write more of it",
            self.typed,
            listed.join(", ")
        )
    }
}

/// There is no such message.
pub(super) fn unknown(id: impl std::fmt::Display) -> String {
    format!("there is no message {id} in the queue; `gatepost queue list` shows those there are")
}
