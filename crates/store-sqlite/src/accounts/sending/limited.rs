//! Accounts by their limits, as rows.

use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Sqlite};
use store::{CommonLimits, Corrupt, LimitedFilter, OwnLimits, Page, Window};
use types::{AccountId, Mailbox};

use super::own::{UNLIMITED, own_limits};
use crate::accounts::account::row::id;
use crate::row::Columns;

/// Each limit: its column, the column of what counts for it, and the window of that.
const LIMITS: [(&str, &str, Window); 5] = [
    ("messages_per_hour", "hour_messages", Window::Hour),
    ("messages_per_day", "day_messages", Window::Day),
    ("recipients_per_hour", "hour_recipients", Window::Hour),
    ("recipients_per_day", "day_recipients", Window::Day),
    ("new_recipients_per_day", "day_new_recipients", Window::Day),
];

pub(super) fn page_of(filter: &LimitedFilter, page: Page<String>) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new(
        "SELECT a.id, a.address, l.messages_per_hour, l.messages_per_day, l.recipients_per_hour, \
         l.recipients_per_day, l.new_recipients_per_day FROM accounts a \
         LEFT JOIN sending_limits l ON l.account = a.id",
    );
    match filter {
        LimitedFilter::Own => has_own(&mut query),
        LimitedFilter::Used { percent, common, now } => {
            query.push(" JOIN sent s ON s.account = a.id WHERE (");
            has_used(&mut query, *percent, common, now.as_millisecond());
        }
    }
    query.push(")");
    if let Some(after) = page.after {
        query.push(" AND a.normal > ").push_bind(after);
    }
    query.push(" ORDER BY a.normal LIMIT ").push_bind(page.limit);
    query
}

fn has_own(query: &mut QueryBuilder<Sqlite>) {
    query.push(" WHERE (");
    let mut any = query.separated(" OR ");
    for (limit, ..) in LIMITS {
        any.push(format_args!("l.{limit} IS NOT NULL"));
    }
}

/// A window that was begun by a clock that was ahead counts as [`Window::is_running`] has it.
fn has_used(query: &mut QueryBuilder<Sqlite>, percent: u32, common: &CommonLimits, now: i64) {
    for (number, ((limit, used, window), common)) in LIMITS.into_iter().zip(each(common)).enumerate() {
        let (begun, length) = match window {
            Window::Hour => ("s.hour", Window::Hour.length()),
            Window::Day => ("s.day", Window::Day.length()),
        };
        let length = i64::try_from(length.as_millis()).unwrap_or(i64::MAX);
        query.push(if number == 0 { "" } else { " OR " });
        query.push(format_args!("({begun} > ")).push_bind(now.saturating_sub(length));
        query.push(format_args!(" AND {begun} <= ")).push_bind(now.saturating_add(length));
        let common = common.map_or(UNLIMITED, i64::from);
        query.push(format_args!(" AND coalesce(l.{limit}, ")).push_bind(common);
        query.push(format_args!(") >= 0 AND s.{used} * 100 >= coalesce(l.{limit}, ")).push_bind(common);
        query.push(") * ").push_bind(percent).push(")");
    }
}

fn each(common: &CommonLimits) -> [Option<u32>; 5] {
    [
        common.messages_per_hour,
        common.messages_per_day,
        common.recipients_per_hour,
        common.recipients_per_day,
        common.new_recipients_per_day,
    ]
}

pub(super) fn account(row: &SqliteRow) -> Result<(AccountId, Mailbox, OwnLimits), Corrupt> {
    let id = id(row)?;
    let address = Columns::of(row, "accounts", id).read("address", |text: &str| Mailbox::parse(text).ok())?;
    Ok((id, address, own_limits(row, id)?))
}
