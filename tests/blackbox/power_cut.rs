//! The power goes, at any moment: what got its 250 is there, to the last octet, and so is every account that a command has said was
//! added. The real binary is recorded by strace(1); what each sync had made durable, and of the rest nothing or a part, is given to it
//! as its store.
//!
//! A few of the cuts, as all of them take minutes: `GATEPOST_POWER_CUTS=all` has them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tests::client::Client;
use tests::maildir;
use tests::power_cut::disk::Disk;
use tests::power_cut::trace::{self, Event, Time, What};
use tests::server::{Installation, Server, Settings, run, text, until};

use crate::letter::{carries, letter};

const SENDER: &str = "alice@example.org";
const PASSWORD: &str = "correct horse";
const CLIENTS: usize = 3;
const LETTERS: usize = 3;

/// How many cuts are tried, unless all are.
const CUTS: usize = 6;

/// What happened, and what must be there from when on.
struct Recording {
    installation: Installation,
    events: Vec<Event>,
    accounts: Vec<(Time, &'static str)>,
    messages: Vec<(Time, Vec<u8>)>,
}

#[test]
fn what_was_confirmed_is_there_after_a_power_cut_at_any_moment() {
    let recording = Recording::make();
    for cut in recording.cuts() {
        for part in [Part::Nothing, Part::Half] {
            let lost = recording.lost(cut, part, |_| true);
            assert!(
                lost.is_empty(),
                "cut at {cut}, {part:?} of what was not synced is there; lost: {lost:?}"
            );
        }
    }
}

/// A test that can't fail proves nothing: each sync that is left out loses something.
#[test]
fn a_disk_that_does_not_sync_is_found_out() {
    let recording = Recording::make();
    // A message that is not delivered yet, and an account that a command has added while the server ran.
    let mut moments: Vec<Time> = recording.messages.iter().map(|(at, _)| *at).collect();
    moments.push(recording.accounts.last().unwrap().0);
    let disk = recording.installation.path("disk");
    for unsynced in ["store/accounts.db-wal", "store/queue.db-wal", "store/spool", "store", ""] {
        let honest = |path: &Path| path != disk.join(unsynced);
        let loses = |cut: &Time| !recording.lost(*cut, Part::Nothing, honest).is_empty();
        assert!(moments.iter().any(loses), "without the syncs of {unsynced:?}");
    }
}

/// How much of what was not synced is there.
#[derive(Debug, Clone, Copy)]
enum Part {
    Nothing,
    /// Whatever: a drive writes in any order.
    Half,
}

impl Part {
    fn keeps(self, at: Time) -> bool {
        match self {
            Part::Nothing => false,
            // Fibonacci hashing: spread, and the same each time.
            Part::Half => at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 63 == 1,
        }
    }
}

impl Recording {
    /// A fresh store, an account, a server that takes and delivers mail of all sizes, and a command beside it.
    fn make() -> Recording {
        let installation = Installation::new(&Settings::default());
        installation.configure(&settings(&installation.path("disk")));
        std::fs::create_dir(installation.path("disk")).unwrap();
        let mut recording =
            Recording { installation, events: Vec::new(), accounts: Vec::new(), messages: Vec::new() };
        recording.add_account(SENDER, "1");
        let server = recording.serve();
        let sent = std::thread::scope(|scope| {
            let (installation, server) = (&recording.installation, &server);
            let sending: Vec<_> =
                (0..CLIENTS).map(|client| scope.spawn(move || send(installation, server, client))).collect();
            sending.into_iter().flat_map(|client| client.join().unwrap()).collect::<BTreeMap<_, _>>()
        });
        recording.add_account("bob@example.org", "3");
        recording.installation.until_queue_is_empty();
        stop(&recording.installation.path("disk/store"));
        assert!(server.ended().success());
        recording.take_up(&recording.installation.path("trace-2"));
        recording.confirm(sent);
        recording
    }

    fn add_account(&mut self, address: &'static str, number: &str) {
        let file = self.installation.path(&format!("trace-{number}"));
        let add = self.installation.command(&["user", "add", address, "--password-stdin"]);
        let output = run(&mut trace::recorded(&add, &file), PASSWORD);
        assert!(output.status.success(), "{output:?}");
        let done = self.take_up(&file);
        self.accounts.push((done, address));
    }

    fn serve(&self) -> Server {
        let serve = self.installation.command(&["serve"]);
        let mut serve = trace::recorded(&serve, &self.installation.path("trace-2"));
        let server = Server::from(
            serve.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap(),
        );
        server.until_ready();
        server
    }

    /// Reads the recording of a process that has ended. When that was.
    fn take_up(&mut self, file: &Path) -> Time {
        let recording = std::fs::read_to_string(file).unwrap();
        self.events.extend(trace::read(&recording));
        self.events.sort_by_key(|event| event.at);
        trace::end(&recording)
    }

    /// Notes when each of the messages, by its queue id, got its 250.
    fn confirm(&mut self, mut sent: BTreeMap<String, Vec<u8>>) {
        for event in &self.events {
            let What::Said(octets) = &event.what else { continue };
            let said = String::from_utf8_lossy(octets);
            if let Some((_, id)) = said.split_once("queued as ") {
                let message =
                    sent.remove(id.trim_end()).unwrap_or_else(|| panic!("nobody has heard {said:?}"));
                self.messages.push((event.at, message));
            }
        }
        assert!(sent.is_empty() && !self.messages.is_empty(), "250s that were never said: {:?}", sent.keys());
    }

    /// The moments just before a sync is done, when most is at stake.
    fn cuts(&self) -> Vec<Time> {
        let syncs = self.events.iter().filter(|event| matches!(event.what, What::Synced { .. }));
        let cuts: Vec<_> = syncs.map(|event| event.at - 1).collect();
        assert!(cuts.len() > CUTS, "{} syncs", cuts.len());
        let step = match std::env::var_os("GATEPOST_POWER_CUTS") {
            Some(_) => 1,
            None => cuts.len().div_ceil(CUTS),
        };
        // From the end, so that the last one is always among them.
        cuts.into_iter().rev().step_by(step).collect()
    }

    /// What was confirmed before the power goes, and is not there when it is back, where the disk syncs what it is `honest` about.
    fn lost(&self, cut: Time, part: Part, honest: impl Fn(&Path) -> bool) -> Vec<String> {
        let root = self.installation.path("disk");
        let mut disk = Disk::new(&root);
        let is_synced = |what: &What| !matches!(what, What::Synced { path, .. } if !honest(path));
        self.events
            .iter()
            .filter(|event| event.at <= cut && is_synced(&event.what))
            .for_each(|event| disk.apply(event));
        let left = tempfile::TempDir::with_prefix("gatepost-test-cut-").unwrap();
        disk.write(left.path(), |at| part.keeps(at));
        self.missing(cut, left.path())
    }

    /// Has Gatepost go on from what is left. What is missing then, and what it takes for missing.
    fn missing(&self, cut: Time, left: &Path) -> Vec<String> {
        let installation = &self.installation;
        installation.configure(&settings(left));
        let server = installation.start();
        // A message whose file is not there is held.
        until("all is delivered", || {
            installation.queue().iter().all(|entry| entry["held"] == true).then_some(())
        });
        let there = maildir::messages(&outbox(left));
        let users = installation.json(&["user", "list"]);
        let log = server.log();
        let alarm =
            log.contains("event=store.may-lack").then(|| format!("what is told to be missing: {log}"));
        assert!(server.terminate().success());
        let users: Vec<_> = users.as_array().unwrap().iter().map(|user| text(user, "address")).collect();
        let accounts = self.accounts.iter().filter(|(at, _)| *at <= cut).map(|(_, address)| *address);
        let accounts =
            accounts.filter(|address| !users.iter().any(|user| user == address)).map(str::to_owned);
        let messages = self.messages.iter().filter(|(at, _)| *at <= cut).map(|(_, message)| message);
        let messages = messages.filter(|message| !there.iter().any(|there| carries(there, message)));
        let messages = messages.map(|message| String::from_utf8_lossy(&message[..80]).into_owned());
        accounts.chain(messages).chain(alarm).collect()
    }
}

/// SIGTERM for the server of a store.
fn stop(store: &Path) {
    let process = std::fs::read_to_string(store.join("server.lock")).unwrap();
    let status = Command::new("kill").arg(process.trim()).status().unwrap();
    assert!(status.success(), "kill {process}: {status}");
}

/// The store and the Maildir are on the disk that loses its power; a listener in clear, so that what is said can be read.
fn settings(disk: &Path) -> Settings {
    Settings {
        listeners: vec!["off"],
        auth: "allow_insecure = true".to_owned(),
        delivery: format!("via = \"maildir:{}\"", outbox(disk).display()),
        store: Some(disk.join("store")),
        ..Settings::default()
    }
}

fn outbox(disk: &Path) -> PathBuf {
    disk.join("outbox")
}

/// Sends letters, some of which are kept in rows and some in files. By the queue ids of their 250s.
fn send(installation: &Installation, server: &Server, client: usize) -> Vec<(String, Vec<u8>)> {
    let mut smtp = Client::connect(server.until_ready()[0], &installation.authority.client());
    assert_eq!(smtp.reply().unwrap().code, 220);
    smtp.expect("EHLO client.example", 250);
    assert_eq!(smtp.auth_plain(SENDER, PASSWORD).unwrap().code, 235);
    let letters = (0..LETTERS).map(|number| {
        let lines = [1, 300, 2_000][(client + number) % 3];
        let name = format!("letter-{client}-{number}");
        let body: String =
            (0..lines).map(|line| format!("{name} has a line {line:06} of text\r\n")).collect();
        letter(&name, &body)
    });
    letters
        .map(|letter| {
            let reply = smtp.send(SENDER, &["bob@example.net"], &letter).unwrap();
            assert_eq!(reply.code, 250, "{reply:?}");
            (reply.lines[0].rsplit(' ').next().unwrap().to_owned(), letter)
        })
        .collect()
}
