//! `gatepost queue list`: page by page, as long as the queue is.

use desk::{Desk, view};
use store::{Page, QueueFilter};

use super::show::{next, sender, state};
use crate::output::{self, Cell, Format, Listing};

/// How many entries are read at a time.
const PAGE: u32 = 500;

/// How much of a reply people are shown in a list, in characters.
const REPLY: usize = 60;

pub(super) async fn run(desk: &Desk, filter: &QueueFilter, format: Format) -> anyhow::Result<()> {
    let mut listing = Listing::new(
        format,
        ["ID", "STATE", "ACCOUNT", "SENDER", "RECIPIENTS", "SIZE", "ACCEPTED", "NEXT ATTEMPT", "LAST REPLY"],
    );
    let mut page = Page::first(PAGE);
    loop {
        let listed = desk.list_messages(filter, page).await?;
        page.after = listed.last;
        if !listing.page(&listed.items, row)? || page.after.is_none() {
            return listing.end();
        }
    }
}

fn row(message: &view::Message<u32>) -> [Cell; 9] {
    [
        message.id.clone().into(),
        state(message.state),
        message.account.clone().into(),
        sender(&message.sender).into(),
        message.recipients.to_string().into(),
        message.size.to_string().into(),
        output::time(message.accepted_at).into(),
        next(message.held, message.next_attempt_at).into(),
        output::or_dash(message.last_reply.as_ref().map(|reply| output::beginning(reply, REPLY))).into(),
    ]
}
