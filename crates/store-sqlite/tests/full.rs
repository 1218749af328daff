//! QUE-04: no space left is told as such, and ends when there is space again, without a restart.
#![expect(clippy::unwrap_used, clippy::panic, reason = "these are tests")]

mod sample;

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use futures_util::future::{join, join_all};
use jiff::SignedDuration;
use sample::{ann, at, child, commit, content, deliver, frank, given, id, lease, server};
use store::{
    Accounts as _, Allowance, Counter, Mark, NewReport, Outcome, Spool, SpoolError, Submission, ThrottleKey,
    ThrottleKind, Throttles as _,
};
use store_sqlite::{Mode, SqliteSpool, SqliteStore};
use types::ReversePath;

/// Commits messages of this size until one is refused. How many were taken.
async fn fill(spool: &SqliteSpool, first: u64, octets: usize) -> u64 {
    for n in first.. {
        match commit(spool, id(n), octets).await {
            Ok(()) => {}
            Err(SpoolError::Full) => return n - first,
            Err(error) => panic!("full must be told as full: {error:?}"),
        }
    }
    0
}

/// A limit on the size of files (EFBIG) needs no privilege, and goes the same way as a quota.
#[test]
fn a_limit_on_the_size_of_files_is_full_until_it_is_lifted() {
    if let Some(directory) = given() {
        return fill_and_go_on(&directory);
    }
    let directory = tempfile::tempdir().unwrap();
    // 2 MiB, in blocks of 512 octets. The signal that comes with the error is ignored, as the server does.
    let name = "a_limit_on_the_size_of_files_is_full_until_it_is_lifted";
    let mut limited = child(name, directory.path(), "trap '' XFSZ; ulimit -S -f 4096; exec \"$@\"");
    let mut output = BufReader::new(limited.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert!(output.any(|line| line == "full"), "the limit was not told as full");
    let pid = limited.id().to_string();
    let lifted = Command::new("prlimit").args(["--pid", &pid, "--fsize=unlimited:"]).status().unwrap();
    assert!(lifted.success());
    limited.stdin.take().unwrap().write_all(b"go on\n").unwrap();
    assert!(output.any(|line| line == "recovered"), "the store did not recover");
    assert!(limited.wait().unwrap().success());
}

fn fill_and_go_on(directory: &Path) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = server(directory).await;
        let spool = store.spool();
        let large = fill(spool, 0, 3_000_000).await;
        assert_eq!(large, 0, "a file of a message is limited too");
        let small = fill(spool, 0, 30_000).await;
        println!("\nfull");
        std::io::stdin().read_line(&mut String::new()).unwrap();
        commit(spool, id(500), 3_000_000).await.unwrap();
        commit(spool, id(501), 30_000).await.unwrap();
        let leased = lease(spool).await;
        assert_eq!(leased.len() as u64, small + 2, "nothing is lost, nothing is there that was refused");
        println!("\nrecovered");
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_file_system_still_delivers_and_recovers() {
    let small = SmallFileSystem::mount("size=96m");
    let store = server(small.path()).await;
    let spool = store.spool();
    assert!(matches!(spool.room_for(100_000_000).await, Err(SpoolError::Full)));
    spool.room_for(100_000).await.unwrap();
    let taken = fill(spool, 0, 1_000_000).await + fill(spool, 1000, 60_000).await;
    assert!(taken > 60, "{taken}");
    let others = fill_with_something_else(small.path());
    assert!(matches!(spool.room_for(100).await, Err(SpoolError::Full)));
    assert!(matches!(commit(spool, id(5000), 100).await, Err(SpoolError::Full)));
    // What is there is whole and leaves, though that needs to write too.
    assert_eq!(deliver_all(spool).await, taken);
    // Nothing new is taken before there is room for more than that.
    std::fs::remove_file(others).unwrap();
    spool.room_for(100_000).await.unwrap();
    assert!(fill(spool, 2000, 100_000).await > 10);
    store.close().await;
}

/// Reports to senders that are larger, all together, than the space that is kept for what drains the queue: all are in one group, as
/// there is one thread.
#[tokio::test]
async fn what_is_delivered_is_recorded_though_reports_of_others_find_no_room() {
    let small = SmallFileSystem::mount("size=96m");
    let store = server(small.path()).await;
    let spool = store.spool();
    for n in 0..60 {
        commit(spool, id(n), 100).await.unwrap();
    }
    let leased = lease(spool).await;
    let (failed, delivered) = leased.split_at(30);
    fill_with_something_else(small.path());
    let reports = join_all((1000..).zip(failed).map(async |(n, leased)| {
        let outcome =
            Outcome::Failed { reply: "550 5.1.1 no".to_owned(), host: None, said_by_host: true, told: true };
        let report = Some(report_about(&leased.submission, n, 1_000_000).into());
        spool.record(leased, vec![(0, outcome)], report, at(0)).await
    }));
    let records = join_all(delivered.iter().map(async |leased| deliver(spool, leased).await));
    let (reports, records) = join(reports, records).await;
    assert!(
        reports.iter().any(|report| matches!(report, Err(SpoolError::Full))),
        "there is room for all of them"
    );
    assert!(records.iter().all(Result::is_ok), "{records:?}");
    store.close().await;
}

/// A report with this number, of so many octets.
fn report_about(about: &Submission, n: u64, octets: usize) -> NewReport {
    let submission = Submission {
        recipients: about.recipients.clone(),
        ..Submission::new(id(n), about.account, &*about.account_address, ReversePath::Null, at(0))
    };
    NewReport { submission, content: vec![b'x'; octets].into(), late: Vec::new() }
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_and_throttles_go_on_when_there_is_room_again() {
    let small = SmallFileSystem::mount("size=4m");
    let store = server(small.path()).await;
    let accounts = store.accounts();
    accounts.add(&ann(), &frank(0)).await.unwrap();
    let others = fill_with_something_else(small.path());
    for _ in 0..3 {
        let error = accounts.attempt(&[failures()], at(0)).await.unwrap_err();
        assert!(
            std::error::Error::source(&error).unwrap().to_string().contains("no space is left"),
            "{error:?}"
        );
        assert!(accounts.set_disabled(ann().id, true, &frank(0)).await.is_err());
    }
    assert!(accounts.by_id(ann().id).await.unwrap().is_some_and(|ann| !ann.disabled), "it can be read");
    std::fs::remove_file(others).unwrap();
    assert!(accounts.attempt(&[failures()], at(1)).await.unwrap().is_none());
    accounts.set_disabled(ann().id, true, &frank(1)).await.unwrap();
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_finds_no_space_when_it_is_opened_says_so() {
    let small = SmallFileSystem::mount("size=4m");
    server(small.path()).await.close().await;
    fill_with_something_else(small.path());
    let error = SqliteStore::open(small.path(), Mode::Command).await.unwrap_err();
    assert!(std::error::Error::source(&error).unwrap().to_string().contains("no space is left"), "{error:?}");
}

fn failures() -> Counter {
    let key = ThrottleKey {
        kind: ThrottleKind::Password,
        account: Some("ann@example.org".to_owned()),
        network: None,
    };
    let allowance = Allowance { failures: 5, window: SignedDuration::from_secs(60), accounts: u32::MAX };
    Counter { key, mark: Mark { account: [1; 8], secret: [1; 8] }, allowance }
}

/// As another program does that shares the disk.
fn fill_with_something_else(directory: &Path) -> PathBuf {
    let path = directory.join("something else");
    let mut file = std::fs::File::create(&path).unwrap();
    for octets in [65_536, 4096, 1] {
        while file.write_all(&vec![1; octets]).is_ok() {}
    }
    path
}

async fn deliver_all(spool: &SqliteSpool) -> u64 {
    let mut delivered = 0;
    loop {
        let leased = lease(spool).await;
        if leased.is_empty() {
            return delivered;
        }
        for entry in &leased {
            assert_eq!(content(spool, entry).await.unwrap().len() as u64, entry.size);
            deliver(spool, entry).await.unwrap();
            delivered += 1;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tiny_file_system_works_too() {
    let small = SmallFileSystem::mount("size=8m");
    let store = server(small.path()).await;
    let spool = store.spool();
    let taken = fill(spool, 0, 200_000).await;
    assert!(taken > 20, "{taken}");
    assert_eq!(deliver_all(spool).await, taken);
    assert!(fill(spool, 1000, 200_000).await > 20);
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_inodes_left_is_full() {
    let small = SmallFileSystem::mount("size=64m,nr_inodes=19");
    let store = server(small.path()).await;
    let taken = fill(store.spool(), 0, 100_000).await;
    assert!((1..19).contains(&taken), "{taken}");
    assert!(matches!(store.spool().room_for(1000).await, Err(SpoolError::Full)));
    let leased = lease(store.spool()).await;
    deliver(store.spool(), &leased[0]).await.unwrap();
    commit(store.spool(), id(100), 100_000).await.unwrap();
    store.close().await;
}

/// A tmpfs, which takes the right to mount one.
struct SmallFileSystem(tempfile::TempDir);

impl SmallFileSystem {
    fn mount(options: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        let output =
            mount.args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(directory.path()).output().unwrap();
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "this test mounts a tmpfs; run it as root: {complaint}");
        Self(directory)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallFileSystem {
    fn drop(&mut self) {
        let path: PathBuf = self.path().to_owned();
        drop(Command::new("umount").arg("-l").arg(path).output());
    }
}
