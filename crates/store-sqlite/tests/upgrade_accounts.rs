//! Accounts that an older version has left behind are taken over with what counts for them.
#![expect(clippy::unwrap_used, reason = "these are tests")]

mod sample;

use std::fs;
use std::path::Path;

use sample::{ann, at, server};
use sqlx::migrate::Migrator;
use sqlx::{Connection, SqliteConnection};
use store::{
    Amounts, CommonLimits, Counted, Limits, Mark, OwnLimits, Page, Sending, Share, ThrottleFilter,
    ThrottleKey, ThrottleKind, Throttles,
};

/// An accounts database as the version with this schema has left it, with these rows.
async fn leave_behind(directory: &Path, schema: u32, rows: &'static str) {
    let schemas = tempfile::tempdir().unwrap();
    let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations/sqlite/accounts");
    for entry in fs::read_dir(all).unwrap() {
        let name = entry.as_ref().unwrap().file_name().into_string().unwrap();
        if name.split('_').next().unwrap().parse::<u32>().unwrap() <= schema {
            fs::copy(entry.unwrap().path(), schemas.path().join(name)).unwrap();
        }
    }
    let url = format!("sqlite:{}?mode=rwc", directory.join("accounts.db").display());
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    Migrator::new(schemas.path()).await.unwrap().run(&mut connection).await.unwrap();
    sqlx::raw_sql(rows).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_of_the_version_before_rows_of_marks_still_count() {
    let directory = tempfile::tempdir().unwrap();
    let rows = "INSERT INTO throttle VALUES \
                ('password', 'ann@example.org', '', 1790000060000, CAST('aaaaaaaabbbbbbbbaaaaaaaacccccccc' AS BLOB)), \
                ('network', '', '192.0.2.1/32', 1790000050000, CAST('aaaaaaaabbbbbbbb' AS BLOB)), \
                ('totp', 'ann@example.org', '', 1790000040000, x'')";
    leave_behind(directory.path(), 7, rows).await;
    let store = server(directory.path()).await;
    let counted = store.accounts().counted(&ThrottleFilter::default(), Page::first(9), at(0)).await.unwrap();
    let mark = |secret| Mark { account: [b'a'; 8], secret: [secret; 8] };
    let of_network = ThrottleKey {
        kind: ThrottleKind::Network,
        account: None,
        network: Some("192.0.2.1/32".parse().unwrap()),
    };
    let of_ann = ThrottleKey {
        kind: ThrottleKind::Password,
        account: Some("ann@example.org".to_owned()),
        network: None,
    };
    let expected = [
        Counted { key: of_network, marks: vec![mark(b'b')], until: at(50) },
        Counted { key: of_ann, marks: vec![mark(b'b'), mark(b'c')], until: at(60) },
    ];
    assert_eq!(counted, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_before_it_was_lent_still_counts() {
    let directory = tempfile::tempdir().unwrap();
    let rows = "INSERT INTO accounts VALUES \
                (x'01010101010101010101010101010101', 'ann@example.org', 'ann@example.org', NULL, 0, 0, NULL, 1, 0, NULL); \
                INSERT INTO sent VALUES (x'01010101010101010101010101010101', 1790000000000, 7, 70, 1790000000000, 8, 80, 9)";
    leave_behind(directory.path(), 8, rows).await;
    let store = server(directory.path()).await;
    let common = CommonLimits { messages_per_hour: Some(8), ..CommonLimits::default() };
    let (limits, nothing) = (Limits { common, own: OwnLimits::default() }, Share::default());
    let lend = async |messages_per_hour| {
        let wanted = Amounts { messages_per_hour, ..Amounts::default() };
        store.accounts().lend(ann().id, &nothing, &wanted, &limits, at(1)).await.unwrap().is_ok()
    };
    assert!(!lend(2).await && lend(1).await);
    let sent = store.accounts().sent(ann().id).await.unwrap().unwrap();
    assert_eq!((sent.hour.messages, sent.hour.recipients), (7, 70));
    assert_eq!((sent.day.messages, sent.day.recipients, sent.day.new_recipients), (8, 80, 9));
}
