//! Which entries operators want to see, as SQL.

use sqlx::{QueryBuilder, Sqlite};
use store::{Page, QueueFilter, QueuedBy, RecipientFilter};
use types::QueueId;

use crate::like;

/// The state of a recipient as it is shown: whoever waits waits for the operator if the entry does.
macro_rules! shown_state {
    () => {
        "CASE WHEN entries.held AND recipients.state IN ('queued', 'deferred') THEN 'held' ELSE recipients.state END"
    };
}

/// A column of the recipient of an entry who is worst off. A damaged state is shown as `held`. Where the entry is held, those
/// who wait come in the order that they would have without: SQLite looks for no column of `entries` in this `ORDER BY`.
macro_rules! of_the_worst {
    ($column:expr) => {
        concat!(
            "(SELECT ",
            $column,
            " FROM recipients WHERE entry = entries.id ORDER BY CASE state WHEN 'failed' THEN 0 WHEN 'deferred' THEN 2 \
             WHEN 'queued' THEN 3 WHEN 'delivered' THEN 4 ELSE 1 END, last_reply IS NULL, number LIMIT 1)"
        )
    };
}

/// What is shown of an entry. An entry in delivery is due when its recipients are, not when its lease ends.
const ENTRIES: &str = concat!(
    "SELECT id, account_address, reverse_path, size, accepted_at, recipients, message_id, credential, envid, ret, held OR \
     (EXISTS (SELECT 1 FROM recipients WHERE entry = entries.id AND state = 'held') AND NOT EXISTS \
     (SELECT 1 FROM recipients WHERE entry = entries.id AND state IN ('queued', 'deferred'))) AS held, \
     CASE WHEN held THEN NULL \
     ELSE (SELECT min(next_attempt_at) FROM recipients WHERE entry = entries.id) END AS next_attempt_at, ",
    of_the_worst!(shown_state!()),
    " AS state, ",
    of_the_worst!("last_reply"),
    " AS last_reply FROM entries"
);

pub(super) fn entries(filter: &QueueFilter, page: Page<QueueId>) -> QueryBuilder<Sqlite> {
    narrowed(QueryBuilder::new(ENTRIES), filter, page)
}

pub(super) fn ids(filter: &QueueFilter, page: Page<QueueId>) -> QueryBuilder<Sqlite> {
    narrowed(QueryBuilder::new("SELECT id FROM entries"), filter, page)
}

fn narrowed(
    mut query: QueryBuilder<Sqlite>,
    filter: &QueueFilter,
    page: Page<QueueId>,
) -> QueryBuilder<Sqlite> {
    query.push(if filter.settled { " WHERE true" } else { " WHERE settled_at IS NULL" });
    if let Some(after) = page.after {
        query.push(" AND id > ").push_bind(after.as_bytes().to_vec());
    }
    if let Some(ids) = &filter.ids {
        query.push(" AND id BETWEEN ").push_bind(ids.start().as_bytes().to_vec());
        query.push(" AND ").push_bind(ids.end().as_bytes().to_vec());
    }
    if let Some(QueuedBy { account, address }) = &filter.account {
        query.push(" AND (lower(account_address) = lower(").push_bind(address.clone()).push(")");
        if let Some(account) = account {
            query.push(" OR account = ").push_bind(account.as_bytes().to_vec());
        }
        query.push(")");
    }
    if let Some(sender) = &filter.sender {
        query.push(" AND lower(reverse_path) = lower(").push_bind(sender.to_string()).push(")");
    }
    if let Some(credential) = &filter.credential {
        query.push(" AND lower(credential) = lower(").push_bind(credential.clone()).push(")");
    }
    if let Some(before) = filter.accepted_before {
        query.push(" AND accepted_at < ").push_bind(before.as_millisecond());
    }
    if !filter.recipient.is_empty() {
        query.push(" AND EXISTS (SELECT 1 FROM recipients WHERE entry = entries.id");
        narrow_recipients(&mut query, &filter.recipient);
        query.push(")");
    }
    query.push(" ORDER BY id LIMIT ").push_bind(page.limit);
    query
}

fn narrow_recipients(query: &mut QueryBuilder<Sqlite>, filter: &RecipientFilter) {
    if let Some(domain) = &filter.domain {
        // Paths are stored as they were given.
        let [given, normal] =
            [domain.as_str(), &domain.normal()].map(|name| like::ending(&format!("@{name}>")));
        query.push(" AND (lower(forward_path)");
        like::any_case(query, given);
        query.push(" OR lower(forward_path)");
        like::any_case(query, normal);
        query.push(")");
    }
    if let Some(state) = filter.state {
        query.push(concat!(" AND ", shown_state!(), " = ")).push_bind(state.name());
    }
    if let Some(words) = &filter.reply_contains {
        query.push(" AND lower(last_reply)");
        like::any_case(query, like::containing(words));
    }
}
