//! QUE-01, QUE-03: what is synced before a commit is confirmed, and what a sync that fails means.
#![expect(clippy::unwrap_used, reason = "these are tests")]

mod sample;

use std::collections::HashSet;
use std::io::Read;
use std::path::Path;

use sample::{child, commit, content, given, id, lease, server, text};
use store::SpoolError;

/// Runs a test of this binary as a child under strace. What it printed.
fn traced(name: &str, directory: &Path, options: &str) -> String {
    let mut running = child(name, directory, &format!("exec strace -f -qq {options} \"$@\""));
    let mut output = String::new();
    running.stdout.take().unwrap().read_to_string(&mut output).unwrap();
    assert!(running.wait().unwrap().success(), "{output}");
    output
}

fn numbers(output: &str, prefix: &str) -> Vec<u64> {
    output.lines().filter_map(|line| line.strip_prefix(prefix)?.parse().ok()).collect()
}

#[test]
fn a_sync_that_fails_is_told_and_never_taken_for_success() {
    if let Some(directory) = given() {
        return commit_until_the_storage_fails(&directory);
    }
    let directory = tempfile::tempdir().unwrap();
    // Made before, so that the syncs of the child are not those of a fresh store and its migrations.
    let made = async { server(directory.path()).await.close().await };
    tokio::runtime::Runtime::new().unwrap().block_on(made);
    // Every sync of a thread after its 15th fails.
    let failing = "-o /dev/null -e trace=fsync,fdatasync -e inject=fsync,fdatasync:error=EIO:when=16+";
    let name = "a_sync_that_fails_is_told_and_never_taken_for_success";
    let output = traced(name, directory.path(), failing);
    let (confirmed, refused) = (numbers(&output, "confirmed "), numbers(&output, "refused "));
    assert!(confirmed.len() > 3 && refused.len() > 3, "{output}");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = server(directory.path()).await;
        let leased = lease(store.spool()).await;
        let found: HashSet<_> = leased.iter().map(|entry| entry.submission.id).collect();
        assert!(confirmed.iter().all(|n| found.contains(&id(*n))), "a confirmed message is lost");
        for entry in &leased {
            let content = content(store.spool(), entry).await.unwrap();
            assert!(content == text(entry.submission.id, content.len()));
        }
    });
}

fn commit_until_the_storage_fails(directory: &Path) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().max_blocking_threads(1).build().unwrap();
    runtime.block_on(async {
        let store = server(directory).await;
        for n in 0..60 {
            match commit(store.spool(), id(n), if n % 4 == 0 { 100_000 } else { 500 }).await {
                Ok(()) => println!("\nconfirmed {n}"),
                Err(SpoolError::Failing(_)) => println!("\nrefused {n}"),
                Err(error) => println!("\nwrong: {error:?}"),
            }
        }
    });
}

#[test]
fn file_and_directory_and_wal_are_synced_before_the_confirmation() {
    if let Some(directory) = given() {
        return commit_one_large_message(&directory);
    }
    let directory = tempfile::tempdir().unwrap();
    let trace = directory.path().join("trace");
    let tracing = format!("-o {} -y -e trace=openat,fsync,fdatasync,write", trace.display());
    let store = directory.path().join("store");
    traced("file_and_directory_and_wal_are_synced_before_the_confirmation", &store, &tracing);
    let trace = std::fs::read_to_string(trace).unwrap();
    let begun = trace.find("begin").unwrap();
    let end = trace.find("confirmed").unwrap();
    let syncs: Vec<_> =
        trace.get(begun..end).unwrap().lines().filter(|line| line.contains("sync(")).collect();
    let place = |what: &str| syncs.iter().position(|line| line.contains(what));
    let message = place(&format!("/spool/{}>", id(1)));
    let (name, wal) = (place("/spool>"), place("queue.db-wal>"));
    assert!(message.is_some() && message < name && name < wal, "{syncs:#?}");
}

fn commit_one_large_message(directory: &Path) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = server(directory).await;
        commit(store.spool(), id(0), 100).await.unwrap();
        println!("\nbegin");
        commit(store.spool(), id(1), 100_000).await.unwrap();
        println!("\nconfirmed");
    });
}
