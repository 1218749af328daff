//! `gatepost user list`: page by page, as many as there are.

use desk::{Desk, view};
use store::{AccountFilter, AccountState, Page};
use types::Mailbox;

use super::disabled;
use crate::argument::{self, Moment};
use crate::clock;
use crate::output::{self, Cell, Format, Listing};

/// How many accounts are read at a time.
const PAGE: u32 = 500;

#[derive(Debug, clap::Args)]
pub(crate) struct List {
    /// Those with this text in the address or the name
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Those in this state
    #[arg(long, value_parser = argument::account_state())]
    state: Option<AccountState>,
    /// Those that are older than this and that nobody has used since: 90d or a time
    #[arg(long, value_name = "TIME")]
    unused: Option<Moment>,
    /// So many at most; all, if not given
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
    /// Those behind this address, where an earlier list has ended
    #[arg(long, value_name = "ADDRESS")]
    after: Option<Mailbox>,
    #[command(flatten)]
    format: Format,
}

pub(super) async fn run(desk: &Desk, args: List) -> anyhow::Result<()> {
    let List { filter, state, unused, limit, after, format } = args;
    let unused_since = unused.map(|since| since.back_from(clock::now()));
    let filter = AccountFilter { text: filter, state, unused_since };
    let heading = [
        "ADDRESS",
        "NAME",
        "ADMIN",
        "DISABLED",
        "2FA",
        "APP PASSWORDS",
        "SENT TODAY",
        "CREATED",
        "LAST LOGIN",
    ];
    let mut listing = Listing::new(format, heading);
    let (mut left, mut after) = (limit.unwrap_or(u32::MAX), after.map(|address| address.normal()));
    loop {
        let page = desk.list_accounts(&filter, Page { after, limit: left.min(PAGE) }).await?;
        let Some(last) = page.items.last() else { return listing.end() };
        left = left.saturating_sub(u32::try_from(page.items.len())?);
        after = page.last;
        let is_read = listing.page(&page.items, row)?;
        if left == 0 {
            listing.end()?;
            format.remark(&format!("there may be more: --after {}", last.address));
            return Ok(());
        }
        if !is_read {
            return listing.end();
        }
    }
}

fn row(user: &view::User) -> [Cell; 9] {
    [
        user.address.clone().into(),
        output::or_dash(user.name.as_ref()).into(),
        output::yes_no(user.admin).into(),
        disabled(user),
        output::yes_no(user.totp).into(),
        user.app_passwords.to_string().into(),
        user.sent_today.to_string().into(),
        output::time(user.created_at).into(),
        output::time_or(user.last_login_at, "never").into(),
    ]
}
