//! `gatepost user list`: page by page, as many as there are.

use store::{AccountFilter, AccountState, Accounts, Page};
use types::Mailbox;

use super::view::{User, disabled};
use crate::argument;
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
    /// So many at most; all, if not given
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
    /// Those behind this address, where an earlier list has ended
    #[arg(long, value_name = "ADDRESS")]
    after: Option<Mailbox>,
    #[command(flatten)]
    format: Format,
}

pub(super) async fn run(store: &impl Accounts, args: List) -> anyhow::Result<()> {
    let List { filter, state, limit, after, format } = args;
    let filter = AccountFilter { text: filter, state };
    let heading = ["ADDRESS", "NAME", "ADMIN (NO EFFECT YET)", "DISABLED", "2FA", "CREATED", "LAST LOGIN"];
    let mut listing = Listing::new(format, heading);
    let (mut left, mut after) = (limit.unwrap_or(u32::MAX), after.map(|address| address.normal()));
    loop {
        let page = Page { after, limit: left.min(PAGE) };
        let accounts = store.list(&filter, page).await?;
        let users: Vec<User<'_>> = accounts.iter().map(User::of).collect();
        let Some(last) = accounts.last() else { return listing.end() };
        left = left.saturating_sub(u32::try_from(accounts.len())?);
        after = Some(last.address.normal());
        let is_read = listing.page(&users, row)?;
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

fn row(user: &User<'_>) -> [Cell; 7] {
    [
        user.address.clone().into(),
        output::or_dash(user.name).into(),
        output::yes_no(user.admin).into(),
        disabled(user),
        output::yes_no(user.totp).into(),
        output::time(user.created_at).into(),
        output::time_or(user.last_login_at, "never").into(),
    ]
}
