//! `gatepost queue list`: page by page, as long as the queue is.

use store::{Page, QueueFilter, Spool};

use super::view::{View, next, sender, state};
use crate::output::{self, Cell, Format, Listing};

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

fn row(view: &View<'_, u32>) -> [Cell; 9] {
    [
        view.id.clone().into(),
        state(view.state),
        view.account.to_owned().into(),
        sender(view.sender).into(),
        view.recipients.to_string().into(),
        view.size.to_string().into(),
        output::time(view.accepted_at).into(),
        next(view.held, view.next_attempt_at).into(),
        output::or_dash(view.last_reply.map(|reply| output::beginning(reply, REPLY))).into(),
    ]
}
