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

/// The entries that are not settled, for a query that goes on with `AND`. Each of them has a delivery, and none that is settled has: however
/// many are settled, a page costs what is on it, without an index that every message would have to enter. An entry is seen at the first of its
/// deliveries, in the order of the ids.
macro_rules! live {
    () => {
        " FROM deliveries CROSS JOIN entries WHERE entries.id = deliveries.entry AND settled_at IS NULL \
         AND NOT EXISTS (SELECT 1 FROM deliveries AS others WHERE others.entry = deliveries.entry \
         AND others.destination < deliveries.destination)"
    };
}
pub(super) use live;

/// The same of all entries, be they settled or not.
const ALL: &str = " FROM entries WHERE true";

/// What is shown of an entry. An entry in delivery is due when its recipients are, not when its lease ends.
const SHOWN: &str = concat!(
    "SELECT entries.id, account_address, reverse_path, size, accepted_at, recipients, message_id, credential, envid, ret, not_before, deliver_by, by_mode, entries.priority, tls_required, held OR \
     (EXISTS (SELECT 1 FROM recipients WHERE entry = entries.id AND state = 'held') AND NOT EXISTS \
     (SELECT 1 FROM recipients WHERE entry = entries.id AND state IN ('queued', 'deferred'))) AS held, \
     CASE WHEN held THEN NULL \
     ELSE (SELECT min(next_attempt_at) FROM recipients WHERE entry = entries.id) END AS next_attempt_at, ",
    of_the_worst!(shown_state!()),
    " AS state, ",
    of_the_worst!("last_reply"),
    " AS last_reply"
);

pub(super) fn entries(filter: &QueueFilter, page: Page<QueueId>) -> QueryBuilder<Sqlite> {
    narrowed(QueryBuilder::new(SHOWN), filter, page)
}

pub(super) fn ids(filter: &QueueFilter, page: Page<QueueId>) -> QueryBuilder<Sqlite> {
    narrowed(QueryBuilder::new("SELECT entries.id"), filter, page)
}

fn narrowed(
    mut query: QueryBuilder<Sqlite>,
    filter: &QueueFilter,
    page: Page<QueueId>,
) -> QueryBuilder<Sqlite> {
    let id = if filter.settled { "entries.id" } else { "deliveries.entry" };
    query.push(if filter.settled { ALL } else { live!() });
    if let Some(after) = page.after {
        query.push(" AND ").push(id).push(" > ").push_bind(after.as_bytes().to_vec());
    }
    if let Some(ids) = &filter.ids {
        query.push(" AND ").push(id).push(" BETWEEN ").push_bind(ids.start().as_bytes().to_vec());
        query.push(" AND ").push_bind(ids.end().as_bytes().to_vec());
    }
    if let Some(message_id) = &filter.message_id {
        query.push(" AND substr(message_id, 1, length(").push_bind(message_id.clone()).push(")) = ");
        query.push_bind(message_id.clone());
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
    query.push(" ORDER BY ").push(id).push(" LIMIT ").push_bind(page.limit);
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

#[cfg(test)]
mod tests {
    use sqlx::{AssertSqlSafe, Connection, Row, SqliteConnection};

    use super::*;
    use crate::schema::QUEUE;

    /// How SQLite goes about a query, step by step.
    async fn plan(connection: &mut SqliteConnection, query: &QueryBuilder<Sqlite>) -> Vec<String> {
        let explained = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {}", query.sql().as_str()));
        let steps = sqlx::query(explained).fetch_all(connection).await.unwrap();
        steps.iter().map(|step| step.get("detail")).collect()
    }

    /// A page costs what is on it: it is read in its order, and nothing is gone through but what waits.
    #[tokio::test]
    async fn a_page_is_read_in_its_order_past_nothing_that_is_settled() {
        let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        QUEUE.require(&mut connection).await.unwrap();
        let state =
            RecipientFilter { state: Some(store::RecipientState::Held), ..RecipientFilter::default() };
        let later = Page { after: Some(QueueId::from_bytes([7; 16])), limit: 500 };
        for (filter, page, walk) in [
            (QueueFilter::default(), Page::first(500), "SCAN deliveries"),
            (QueueFilter::default(), later, "SEARCH deliveries USING PRIMARY KEY (entry>?)"),
            (
                QueueFilter { recipient: state, ..QueueFilter::default() },
                later,
                "SEARCH deliveries USING PRIMARY KEY (entry>?)",
            ),
        ] {
            for query in [ids(&filter, page), entries(&filter, page)] {
                let plan = plan(&mut connection, &query).await;
                assert_eq!(plan[0], walk, "{plan:#?}");
                let scanned = plan.iter().filter(|step| step.starts_with("SCAN")).count();
                assert_eq!(scanned, usize::from(walk.starts_with("SCAN")), "{plan:#?}");
                assert!(
                    !plan.last().unwrap().contains("ORDER BY")
                        || plan.iter().any(|step| step.contains("SUBQUERY"))
                );
            }
        }
    }
}
