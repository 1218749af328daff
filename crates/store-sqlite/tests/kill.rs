//! QUE-01, QUE-02: kill -9 at any instant loses nothing that was confirmed, and shows nothing in part.
#![expect(clippy::unwrap_used, reason = "these are tests")]

mod sample;

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::time::Duration;

use sample::{child, content, given, id, lease, server, text};
use store::Nodes;
use types::QueueId;

/// Small ones go into a row, large ones into a file.
fn size(n: u64) -> usize {
    if n.is_multiple_of(5) { 150_000 } else { 4096 }
}

#[test]
fn what_was_confirmed_survives_kill_9_octet_for_octet() {
    if let Some(directory) = given() {
        return commit_until_killed(&directory);
    }
    let directory = tempfile::tempdir().unwrap();
    let mut expected = HashMap::new();
    for round in 0..6 {
        let confirmed = run_and_kill(directory.path(), 20 + 13 * round);
        expected.extend(confirmed);
        check(directory.path(), &expected);
    }
}

/// The numbers that the child told before it died, which it does in the midst of its work once it has told so many.
fn run_and_kill(directory: &Path, told: usize) -> Vec<(QueueId, u64)> {
    let name = "what_was_confirmed_survives_kill_9_octet_for_octet";
    let mut running = child(name, directory, "exec \"$@\"");
    let mut output = BufReader::new(running.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut lines = Vec::new();
    while lines.iter().filter(|line: &&String| line.starts_with("confirmed")).count() < told {
        lines.push(output.next().unwrap());
    }
    running.kill().unwrap();
    lines.extend(output);
    running.wait().unwrap();
    let numbers = lines.iter().filter_map(|line| line.strip_prefix("confirmed ")?.parse().ok());
    numbers.map(|n| (id(n), n)).collect()
}

/// The next start finds every one of them; what else it finds is whole too, as its 250 may have been on the way.
fn check(directory: &Path, expected: &HashMap<QueueId, u64>) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = server(directory).await;
        let leased = lease(store.spool()).await;
        for entry in &leased {
            let found = content(store.spool(), entry).await.unwrap();
            assert!(
                found == text(entry.submission.id, found.len()),
                "{} is not what it was",
                entry.submission.id
            );
            assert!(matches!(found.len(), 4096 | 150_000), "{} octets", found.len());
        }
        let found: std::collections::HashSet<_> = leased.iter().map(|entry| entry.submission.id).collect();
        let lost: Vec<_> = expected.keys().filter(|id| !found.contains(id)).collect();
        assert!(lost.is_empty(), "lost after their confirmation: {lost:?}");
        let large = leased.iter().filter(|entry| entry.size > 65_536).count();
        let files = std::fs::read_dir(directory.join("spool")).unwrap().count();
        assert_eq!(files, large, "files of messages that were never confirmed are swept");
        store.spool().leave(sample::NODE).await.unwrap();
        store.close().await;
    });
}

fn commit_until_killed(directory: &Path) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = server(directory).await;
        let first = 1_000_000 * u64::from(std::process::id());
        for worker in 0..8 {
            let spool = store.spool().clone();
            tokio::spawn(async move {
                for n in (first + worker..).step_by(8) {
                    sample::commit(&spool, id(n), size(n)).await.unwrap();
                    // One write, so that the line is whole or not there.
                    std::io::stdout().write_all(format!("\nconfirmed {n}\n").as_bytes()).unwrap();
                }
            });
        }
        tokio::time::sleep(Duration::from_secs(60)).await;
    });
}
