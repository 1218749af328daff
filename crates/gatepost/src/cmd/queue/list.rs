//! `gatepost queue list`: page by page, as long as the queue is.

use store::{Page, QueueFilter, Spool};

use super::view::{View, next, sender};
use crate::output::{self, Format, Listing};

/// How many entries are read at a time.
const PAGE: u32 = 500;

/// How much of a reply people are shown in a list, in characters.
const REPLY: usize = 60;

pub(super) async fn run(spool: &impl Spool, filter: &QueueFilter, format: Format) -> anyhow::Result<()> {
    let mut listing = Listing::new(
        format,
        ["ID", "STATE", "ACCOUNT", "SENDER", "RECIPIENTS", "SIZE", "ACCEPTED", "NEXT ATTEMPT", "LAST REPLY"],
    );
    let mut page = Page::first(PAGE);
    loop {
        let entries = spool.list(filter, page).await?;
        let views: Vec<View<'_, u32>> =
            entries.iter().map(|entry| View::of(entry, entry.recipients)).collect();
        page.after = entries.last().map(|entry| entry.id);
        if !listing.page(&views, row)? || page.after.is_none() {
            return listing.end();
        }
    }
}

fn row(view: &View<'_, u32>) -> [String; 9] {
    [
        view.id.clone(),
        view.state.to_owned(),
        view.account.to_owned(),
        sender(view.sender),
        view.recipients.to_string(),
        view.size.to_string(),
        output::time(view.accepted_at),
        next(view.held, view.next_attempt_at),
        output::or_dash(view.last_reply.map(|reply| output::beginning(reply, REPLY))),
    ]
}
