//! Which entries operators want to see, as SQL.

use sqlx::{QueryBuilder, Sqlite};
use store::{Page, QueueFilter, QueuedBy, RecipientFilter, RecipientState};
use types::{Domain, QueueId};

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

/// A page of the entries as they are shown: what is shown is found out for those that are on it alone.
pub(super) fn entries(filter: &QueueFilter, page: Page<QueueId>) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new(SHOWN);
    query.push(" FROM entries WHERE entries.id IN (");
    select(&mut query, filter, page);
    query.push(") ORDER BY entries.id");
    query
}

/// These entries as they are shown, in the order of their ids.
pub(super) fn named(ids: &[QueueId]) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new(SHOWN);
    query.push(" FROM entries WHERE entries.id IN ");
    among(&mut query, ids);
    query.push(" ORDER BY entries.id");
    query
}

/// The ids as a list for `IN`.
pub(super) fn among(query: &mut QueryBuilder<Sqlite>, ids: &[QueueId]) {
    let mut list = query.push("(").separated(", ");
    for id in ids {
        list.push_bind(id.as_bytes().to_vec());
    }
    query.push(")");
}

/// The ids of a page of the entries.
pub(super) fn ids(filter: &QueueFilter, page: Page<QueueId>) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new("");
    select(&mut query, filter, page);
    query
}

/// Selects ids in their order. An entry that is not settled has a delivery, and none that is settled has: however many are settled, what waits is
/// gone through alone, without an index that every message would have to enter.
fn select(query: &mut QueryBuilder<Sqlite>, filter: &QueueFilter, page: Page<QueueId>) {
    if filter.settled {
        select_of_all(query, filter, page);
    } else if filter.recipient.is_empty() {
        select_by_entry(query, filter, page);
    } else {
        select_by_recipient(query, filter, page);
    }
    query.push(" ORDER BY id LIMIT ").push_bind(page.limit);
}

/// Of all entries, be they settled or not.
fn select_of_all(query: &mut QueryBuilder<Sqlite>, filter: &QueueFilter, page: Page<QueueId>) {
    query.push("SELECT entries.id AS id FROM entries WHERE true");
    narrow_ids(query, "entries.id", filter, page);
    narrow_entries(query, filter);
    if !filter.recipient.is_empty() {
        query.push(" AND EXISTS (SELECT 1 FROM recipients WHERE recipients.entry = entries.id");
        narrow_recipients(query, &filter.recipient);
        query.push(")");
    }
}

/// Each delivery leads to its entry, and one after the other to the same one.
fn select_by_entry(query: &mut QueryBuilder<Sqlite>, filter: &QueueFilter, page: Page<QueueId>) {
    query.push("SELECT DISTINCT deliveries.entry AS id FROM deliveries CROSS JOIN entries WHERE entries.id = deliveries.entry");
    narrow_ids(query, "deliveries.entry", filter, page);
    narrow_entries(query, filter);
    query.push(" AND settled_at IS NULL");
}

/// The recipients of an entry are gone through once, however many deliveries it has, and its row, which is wide, is read only if one of them will
/// do.
fn select_by_recipient(query: &mut QueryBuilder<Sqlite>, filter: &QueueFilter, page: Page<QueueId>) {
    query.push("SELECT deliveries.entry AS id FROM deliveries WHERE true");
    narrow_ids(query, "deliveries.entry", filter, page);
    query.push(
        " GROUP BY deliveries.entry HAVING EXISTS (SELECT 1 FROM recipients CROSS JOIN entries \
         WHERE recipients.entry = deliveries.entry AND entries.id = deliveries.entry AND settled_at IS NULL",
    );
    narrow_stored_state(query, filter.recipient.state);
    narrow_recipients(query, &filter.recipient);
    narrow_entries(query, filter);
    query.push(")");
}

/// What holds for whoever is shown in the state, as far as it is known without the entry: of one that is held, no delivery is due.
fn narrow_stored_state(query: &mut QueryBuilder<Sqlite>, state: Option<RecipientState>) {
    match state {
        None => {}
        Some(RecipientState::Held) => {
            query.push(" AND (recipients.state = 'held' OR deliveries.due_at IS NULL)");
        }
        Some(state) => {
            query.push(" AND recipients.state = ").push_bind(state.name());
        }
    }
}

fn narrow_ids(query: &mut QueryBuilder<Sqlite>, id: &str, filter: &QueueFilter, page: Page<QueueId>) {
    if let Some(after) = page.after {
        query.push(" AND ").push(id).push(" > ").push_bind(after.as_bytes().to_vec());
    }
    if let Some(ids) = &filter.ids {
        query.push(" AND ").push(id).push(" BETWEEN ").push_bind(ids.start().as_bytes().to_vec());
        query.push(" AND ").push_bind(ids.end().as_bytes().to_vec());
    }
}

fn narrow_entries(query: &mut QueryBuilder<Sqlite>, filter: &QueueFilter) {
    if let Some(message_id) = &filter.message_id {
        query.push(" AND substr(message_id, 1, length(").push_bind(message_id.clone()).push(")) = ");
        query.push_bind(message_id.clone());
    }
    if let Some(owner) = filter.owner {
        query.push(" AND account = ").push_bind(owner.as_bytes().to_vec());
    }
    if let Some(QueuedBy { account, address }) = &filter.account {
        query.push(" AND (");
        equals_in_any_case(query, "account_address", address);
        if let Some(account) = account {
            query.push(" OR account = ").push_bind(account.as_bytes().to_vec());
        }
        query.push(")");
    }
    if let Some(sender) = &filter.sender {
        equals_in_any_case(query.push(" AND "), "reverse_path", &sender.to_string());
    }
    if let Some(credential) = &filter.credential {
        equals_in_any_case(query.push(" AND "), "credential", credential);
    }
    if let Some(before) = filter.accepted_before {
        query.push(" AND accepted_at < ").push_bind(before.as_millisecond());
    }
}

/// The column is this text, whatever the case of ASCII letters. Most texts are of another length, and are not converted to be compared.
fn equals_in_any_case(query: &mut QueryBuilder<Sqlite>, column: &str, text: &str) {
    let lower = text.to_ascii_lowercase();
    query.push("(length(").push(column).push(") = length(").push_bind(lower.clone());
    query.push(") AND lower(").push(column).push(") = ").push_bind(lower).push(")");
}

fn narrow_recipients(query: &mut QueryBuilder<Sqlite>, filter: &RecipientFilter) {
    if let Some(domain) = &filter.domain {
        narrow_domain(query, domain);
    }
    if let Some(state) = filter.state {
        query.push(concat!(" AND ", shown_state!(), " = ")).push_bind(state.name());
    }
    if let Some(words) = &filter.reply_contains {
        query.push(" AND last_reply");
        like::any_case(query, like::containing(words));
    }
}

/// Paths are stored as they were given.
fn narrow_domain(query: &mut QueryBuilder<Sqlite>, domain: &Domain) {
    let mut names = vec![domain.as_str().to_ascii_lowercase(), domain.normal()];
    names.dedup();
    query.push(" AND (false");
    for name in names {
        query.push(" OR forward_path");
        like::any_case(query, like::ending(&format!("@{name}>")));
    }
    query.push(")");
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

    async fn empty() -> SqliteConnection {
        let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        QUEUE.require(&mut connection).await.unwrap();
        connection
    }

    fn of_recipients(recipient: RecipientFilter) -> QueueFilter {
        QueueFilter { recipient, ..QueueFilter::default() }
    }

    /// One of each kind of filter that looks at the row of the entry alone.
    fn by_entry() -> Vec<QueueFilter> {
        let text = || "bob@example.org".to_owned();
        let account = QueuedBy { account: Some(types::AccountId::from_bytes([1; 16])), address: text() };
        vec![
            QueueFilter::default(),
            QueueFilter { account: Some(account), ..QueueFilter::default() },
            QueueFilter {
                owner: Some(types::AccountId::from_bytes([1; 16])),
                credential: Some(text()),
                ..QueueFilter::default()
            },
            QueueFilter { sender: Some(types::ReversePath::Null), ..QueueFilter::default() },
            QueueFilter { credential: Some(text()), ..QueueFilter::default() },
            QueueFilter { message_id: Some(text()), ..QueueFilter::default() },
            QueueFilter { accepted_before: Some(jiff::Timestamp::UNIX_EPOCH), ..QueueFilter::default() },
        ]
    }

    /// One of each kind of filter that looks at recipients.
    fn by_recipient() -> Vec<QueueFilter> {
        let state = |state| RecipientFilter { state: Some(state), ..RecipientFilter::default() };
        let domain = Some(Domain::parse("bücher.example").unwrap());
        let both = QueueFilter { credential: Some("password".to_owned()), ..QueueFilter::default() };
        vec![
            of_recipients(state(RecipientState::Held)),
            of_recipients(state(RecipientState::Failed)),
            of_recipients(RecipientFilter { domain, ..RecipientFilter::default() }),
            of_recipients(RecipientFilter {
                reply_contains: Some("4.7.".to_owned()),
                ..RecipientFilter::default()
            }),
            QueueFilter { recipient: state(RecipientState::Queued), ..both },
        ]
    }

    /// Nothing is gone through but what waits, in the order of the page, so that its end is the end of the walk; everything else is looked up by
    /// its key.
    async fn assert_walks(filter: &QueueFilter, looked_up: &[&str]) {
        let mut connection = empty().await;
        let later = Page { after: Some(QueueId::from_bytes([7; 16])), limit: 500 };
        for (page, walk) in
            [(Page::first(500), "SCAN deliveries"), (later, "SEARCH deliveries USING PRIMARY KEY (entry>?)")]
        {
            let steps = plan(&mut connection, &ids(filter, page)).await;
            let steps: Vec<&str> =
                steps.iter().map(String::as_str).filter(|step| !step.contains("SUBQUERY")).collect();
            assert_eq!(steps, [&[walk], looked_up].concat(), "{filter:?}");
        }
    }

    const ENTRY: &str = "SEARCH entries USING INDEX sqlite_autoindex_entries_1 (id=?)";

    #[tokio::test]
    async fn what_entries_tell_is_found_in_the_order_of_a_page_past_nothing_that_is_settled() {
        for filter in by_entry() {
            assert_walks(&filter, &[ENTRY]).await;
        }
    }

    #[tokio::test]
    async fn recipients_are_looked_at_before_the_row_of_their_entry() {
        for filter in by_recipient() {
            assert_walks(&filter, &["SEARCH recipients USING PRIMARY KEY (entry=?)", ENTRY]).await;
        }
    }

    /// A page is not sorted, and what is shown is found out for nothing but what is on it.
    #[tokio::test]
    async fn a_page_is_shown_by_its_ids() {
        let mut connection = empty().await;
        for filter in by_entry().into_iter().chain(by_recipient()) {
            let plan = plan(&mut connection, &entries(&filter, Page::first(500))).await;
            assert_eq!(plan[0], ENTRY, "{plan:#?}");
            let steps = |kind| plan.iter().filter(|step| step.starts_with(kind)).count();
            assert_eq!(steps("SCAN"), 1, "{plan:#?}");
            // Those of the recipients of an entry, for the state and the reply of the worst.
            assert_eq!(steps("USE TEMP B-TREE"), 2, "{plan:#?}");
        }
    }
}
