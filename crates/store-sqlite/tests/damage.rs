//! QUE-05, QUE-06: what does not fit together is swept or held, never delivered in part, and stops nobody else.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "these are tests")]

mod sample;

use std::fs;
use std::path::Path;

use jiff::Timestamp;
use sample::{all, commit, commit_received, content, deliver, fully_known, id, lease, server};
use sqlx::Connection;
use store::{Page, RecipientState, Spool, SpoolError, StsPolicies, StsPolicy};
use store_sqlite::SqliteSpool;

/// Does to the queue database what no program of ours does.
async fn tamper(directory: &Path, sql: &'static str) {
    tamper_with(directory, "queue.db", sql).await;
}

/// Does it to this database.
async fn tamper_with(directory: &Path, database: &str, sql: &'static str) {
    let url = format!("sqlite:{}", directory.join(database).display());
    let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
    assert!(sqlx::query(sql).execute(&mut connection).await.unwrap().rows_affected() > 0, "{sql}");
    connection.close().await.unwrap();
}

/// The first entry is held and says why; the second is delivered.
async fn assert_only_the_first_is_held(spool: &SqliteSpool, context: &str) {
    let leased = lease(spool).await;
    assert_eq!(leased.iter().map(|entry| entry.submission.id).collect::<Vec<_>>(), [id(2)], "{context}");
    deliver(spool, &leased[0]).await.unwrap();
    let shown = spool.show(id(1)).await.unwrap().unwrap();
    assert!(shown.entry.held, "{context}");
    assert_eq!(shown.recipients[0].state, RecipientState::Held, "{context}");
    let said = shown.recipients[0].last_reply.clone().unwrap();
    assert!(said.contains("damaged"), "{context}: {said}");
    assert!(spool.waiting(Page::first(100)).await.unwrap().is_empty(), "{context}");
    assert_eq!(all(spool).await.len(), 1, "{context}");
    spool.stats().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_envelope_is_held_and_others_go_on() {
    for damage in [
        "UPDATE entries SET reverse_path = '<alicf@example.org>' WHERE number = 1",
        "UPDATE entries SET reverse_path = 'nonsense' WHERE number = 1",
        "UPDATE entries SET account = x'00' WHERE number = 1",
        "UPDATE entries SET smtputf8 = 1 WHERE number = 1",
        "UPDATE entries SET eight_bit = 1 WHERE number = 1",
        "UPDATE entries SET binary_body = 1 WHERE number = 1",
        "UPDATE entries SET must_be_rewritten = 1 WHERE number = 1",
        "UPDATE entries SET size = -1 WHERE number = 1",
        "UPDATE entries SET accepted_at = 9223372036854775807 WHERE number = 1",
        "UPDATE entries SET content_crc = content_crc + 1 WHERE number = 1",
        "UPDATE entries SET account_address = CAST(x'ff' AS TEXT) WHERE number = 1",
        "UPDATE recipients SET forward_path = '<bob@example.nett>' WHERE rowid_of = 1",
        "UPDATE recipients SET forward_path = '' WHERE rowid_of = 1",
        "UPDATE recipients SET state = 'lost' WHERE rowid_of = 1",
        "UPDATE recipients SET number = 1 WHERE rowid_of = 1",
    ] {
        let directory = tempfile::tempdir().unwrap();
        let store = server(directory.path()).await;
        commit(store.spool(), id(1), 100).await.unwrap();
        commit(store.spool(), id(2), 100).await.unwrap();
        let first = "entry = (SELECT id FROM entries WHERE number = 1)";
        let sql = damage.replace("rowid_of = 1", first);
        tamper(directory.path(), Box::leak(sql.into_boxed_str())).await;
        assert_only_the_first_is_held(store.spool(), damage).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_damaged_of_what_is_known_of_a_message_it_is_held() {
    for damage in [
        "UPDATE entries SET message_id = '<2@example.org>'",
        "UPDATE entries SET credential = NULL",
        "UPDATE entries SET session = '0000000000000'",
        "UPDATE entries SET session = 'nonsense'",
        "UPDATE entries SET ip = '192.0.2.2'",
        "UPDATE entries SET ip = 'nonsense'",
        "UPDATE entries SET tls_version = 'TLSv1.2'",
        "UPDATE entries SET tls_version = tls_cipher, tls_cipher = tls_version",
        "UPDATE entries SET not_before = not_before - 1",
        "UPDATE entries SET not_before = NULL",
        "UPDATE entries SET ret = 'HDRS'",
        "UPDATE entries SET ret = 'HALF'",
        "UPDATE entries SET envid = 'order 67'",
        "UPDATE entries SET deliver_by = deliver_by + 1",
        "UPDATE entries SET deliver_by = NULL",
        "UPDATE entries SET by_mode = 'N'",
        "UPDATE entries SET by_mode = 'X'",
        "UPDATE entries SET tls_required = NULL",
        "UPDATE entries SET tls_required = 'no'",
        "UPDATE entries SET tls_required = 'maybe'",
        "UPDATE entries SET priority = 0",
        "UPDATE entries SET priority = 10",
        "UPDATE entries SET envid = NULL, message_id = message_id || envid",
        "UPDATE recipients SET notify = 'NEVER'",
        "UPDATE recipients SET notify = 'ALWAYS'",
        "UPDATE recipients SET orcpt = 'rfc822;bob@example.net'",
        "UPDATE recipients SET orcpt = 'bob'",
    ] {
        let directory = tempfile::tempdir().unwrap();
        let store = server(directory.path()).await;
        let incoming = store.spool().open(id(1));
        commit_received(store.spool(), fully_known(id(1)), incoming).await.unwrap();
        tamper(directory.path(), damage).await;
        assert!(lease(store.spool()).await.is_empty(), "{damage}");
        let shown = store.spool().show(id(1)).await.unwrap().unwrap();
        assert!(shown.entry.held, "{damage}");
        let said = shown.recipients[0].last_reply.clone().unwrap();
        assert!(said.contains("damaged"), "{damage}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_recipient_is_noticed() {
    let directory = tempfile::tempdir().unwrap();
    let store = server(directory.path()).await;
    commit(store.spool(), id(1), 100).await.unwrap();
    tamper(directory.path(), "DELETE FROM recipients").await;
    assert!(lease(store.spool()).await.is_empty());
    assert!(store.spool().show(id(1)).await.unwrap().unwrap().entry.held);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_message_is_noticed_before_its_end() {
    let directory = tempfile::tempdir().unwrap();
    let store = server(directory.path()).await;
    let spool = store.spool();
    commit(spool, id(1), 100).await.unwrap();
    commit(spool, id(2), 200_000).await.unwrap();
    tamper(directory.path(), "UPDATE contents SET content = zeroblob(100) WHERE number = 1").await;
    let leased = lease(spool).await;
    assert!(matches!(content(spool, &leased[0]).await, Err(SpoolError::Corrupt(_))));
    let file = directory.path().join("spool").join(id(2).to_string());
    let whole = fs::read(&file).unwrap();
    for damaged in
        [flipped(&whole, 0), flipped(&whole, 199_999), whole[..199_999].to_vec(), longer(&whole), vec![]]
    {
        fs::write(&file, &damaged).unwrap();
        let read = content(spool, &leased[1]).await;
        assert!(matches!(read, Err(SpoolError::Corrupt(_))), "{} octets", damaged.len());
    }
    fs::write(&file, &whole).unwrap();
    assert_eq!(content(spool, &leased[1]).await.unwrap(), whole);
    fs::remove_file(&file).unwrap();
    assert!(matches!(content(spool, &leased[1]).await, Err(SpoolError::Corrupt(_))));
}

fn flipped(whole: &[u8], at: usize) -> Vec<u8> {
    let mut damaged = whole.to_vec();
    damaged[at] ^= 1;
    damaged
}

fn longer(whole: &[u8]) -> Vec<u8> {
    [whole, b"x"].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn files_without_a_row_are_swept_and_others_stay() {
    let directory = tempfile::tempdir().unwrap();
    let store = server(directory.path()).await;
    commit(store.spool(), id(1), 200_000).await.unwrap();
    store.close().await;
    drop(store);
    let spool = directory.path().join("spool");
    fs::write(spool.join(id(2).to_string()), b"half a mess").unwrap();
    fs::write(spool.join("README"), b"not ours").unwrap();
    let store = server(directory.path()).await;
    let mut left: Vec<_> = fs::read_dir(&spool).unwrap().map(|file| file.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, [id(1).to_string().as_str(), "README"]);
    assert_eq!(content(store.spool(), &lease(store.spool()).await[0]).await.unwrap().len(), 200_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_comes_to_nothing_leaves_no_file() {
    let directory = tempfile::tempdir().unwrap();
    let store = server(directory.path()).await;
    let spool = store.spool();
    commit(spool, id(1), 200_000).await.unwrap();
    let mut incoming = spool.open(id(2));
    spool.append(&mut incoming, vec![0; 400_000].into()).await.unwrap();
    drop(incoming);
    // The same id again: refused, and the file of the first stays.
    assert!(matches!(commit(spool, id(1), 300_000).await, Err(SpoolError::Failing(_))));
    let files = || fs::read_dir(directory.path().join("spool")).unwrap().count();
    while files() > 1 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let leased = lease(spool).await;
    assert_eq!(content(spool, &leased[0]).await.unwrap().len(), 200_000);
    deliver(spool, &leased[0]).await.unwrap();
    assert_eq!(files(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_comes_twice_fails_alone_in_its_group() {
    let directory = tempfile::tempdir().unwrap();
    let store = server(directory.path()).await;
    let together: Vec<_> = (0..60)
        .map(|n| {
            let spool = store.spool().clone();
            // Every third wants the id 0.
            tokio::spawn(async move { commit(&spool, id(if n % 3 == 0 { 0 } else { n }), 100).await.is_ok() })
        })
        .collect();
    let mut accepted = 0;
    for commit in together {
        accepted += usize::from(commit.await.unwrap());
    }
    assert_eq!(accepted, 41);
    assert_eq!(lease(store.spool()).await.len(), 41);
}

/// Those behind it are refreshed all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_policy_is_left_out_of_those_to_refresh() {
    let directory = tempfile::tempdir().unwrap();
    let store = server(directory.path()).await;
    let at = |second| Timestamp::from_second(second).unwrap();
    for domain in ["a.example", "b.example", "c.example"] {
        let policy = StsPolicy {
            domain: domain.to_owned(),
            id: "1".to_owned(),
            text: String::new(),
            fetched_at: at(1),
            expires_at: at(1_000_000),
            used_at: at(1),
        };
        store.accounts().keep_sts_policy(&policy).await.unwrap();
    }
    let damage = "UPDATE sts_policies SET used_at = 9223372036854775807 WHERE domain <> 'c.example'";
    tamper_with(directory.path(), "accounts.db", damage).await;
    for limit in [1, 2, 3] {
        let found =
            store.accounts().sts_policies_to_refresh(at(900_000), at(0), Page::first(limit)).await.unwrap();
        assert_eq!(found.iter().map(|policy| &*policy.domain).collect::<Vec<_>>(), ["c.example"], "{limit}");
    }
    assert!(matches!(store.accounts().sts_policy("a.example").await, Err(store::Error::Corrupt(_))));
}
