//! kill -9 between any two system calls of a delivery by MX and of the bounce that comes of it: every recipient ends as delivered, bounced
//! or listed, each once, and its sender is told by one report.
//!
//! strace(1) kills the server at the first of its threads that makes its nth call of a kind. A few of them, as all take many minutes:
//! `GATEPOST_KILLS=all` has them.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use dns::fake::{Entry, FakeDns};
use tests::maildir;
use tests::server::{Installation, Server, Settings, text, until, until_within};
use tests::smarthost::{Script, Smarthost};

use crate::letter::letter;

const USER: &str = "alice@example.org";

/// What is sent to hosts and name servers, what is written into the store, and what becomes of files.
const KINDS: [&str; 3] =
    ["connect,sendto,sendmsg,write,writev", "pwrite64,fdatasync,fsync", "openat,rename,linkat,unlink,mkdir"];
/// Long enough for a server of which each call is stopped, on a busy machine.
const TRACED: Duration = Duration::from_secs(180);
/// How many calls of a kind are tried, unless all are.
const KILLS: usize = 3;

/// A message that waits to be delivered, and the house that it is delivered from.
struct Scene {
    installation: Installation,
    host: Smarthost,
    /// Kept for as long as it is asked.
    _dns: FakeDns,
    id: String,
}

impl Scene {
    /// Of the three recipients the host takes one, refuses one for good, and puts one off; the report lands in the Maildir `outbox`.
    fn new() -> Scene {
        let answer = |line: &str, _: usize| match line.split_once(':')?.1 {
            to if to.starts_with("<refused@") => Some("550 5.1.1 nobody here".to_owned()),
            to if to.starts_with("<later@") => Some("451 4.2.1 not now".to_owned()),
            _ => None,
        };
        let host = Smarthost::mail_host(Script { answer: Box::new(answer), ..Script::default() });
        let dns = FakeDns::start();
        dns.set("example.net", [Entry::mx(10, "mx.example.net")]);
        dns.set("mx.example.net", [Entry::Address(host.address.ip())]);
        let installation = Installation::new(&Settings::default());
        std::fs::write(installation.path("anchors"), dns.trust_anchors()).unwrap();
        installation.add_user(USER, "correct horse");
        let server = installation.start();
        let mut client = server.logged_in(&installation, USER, "correct horse");
        let to = ["taken@example.net", "refused@example.net", "later@example.net"];
        let reply = client.send(USER, &to, &letter("killed", "the text\r\n")).unwrap();
        let id = reply.lines[0].rsplit(' ').next().unwrap().to_owned();
        assert!(server.terminate().success());
        installation.configure(&Settings { delivery: by_mx(&installation, &dns), ..Settings::default() });
        installation.done(&["queue", "release", "--all", "--yes"]);
        let scene = Scene { installation, host, _dns: dns, id };
        copy(&scene.path("store"), &scene.path("before"));
        scene
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.installation.path(name)
    }

    /// Nothing of the message was tried yet.
    fn begin(&self) {
        for name in ["store", "outbox"] {
            drop(std::fs::remove_dir_all(self.path(name)));
        }
        copy(&self.path("before"), &self.path("store"));
    }

    /// Has the server deliver until it is killed at a call; `false` if it makes no such call before all is done.
    fn is_killed(&self, calls: &str, number: usize) -> bool {
        let serve = self.installation.command(&["serve"]);
        let mut command = Command::new("strace");
        // With -D the server is our child, and not that of strace.
        command.args(["-D", "-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={calls}"), "-e"]);
        command.arg(format!("inject={calls}:signal=SIGKILL:when={number}"));
        command.arg(serve.get_program()).args(serve.get_args()).env_remove("NOTIFY_SOCKET");
        // One thread for the network, so that its calls are counted together.
        command.current_dir(self.path("")).env("TOKIO_WORKER_THREADS", "1");
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let server = Server::from(child.unwrap());
        let ended = until_within(TRACED, "it is killed, or all is done", || {
            let ended = server.has_ended();
            (ended || is_reported(&server)).then_some(ended)
        });
        server.kill();
        ended
    }

    /// A server that is not killed ends what the other has begun. How many copies the host has more than one.
    fn go_on(&self, before: usize) -> usize {
        let server = self.installation.start();
        let recipients = until("nothing is left to do", || {
            let shown = self.installation.json(&["queue", "show", &self.id]);
            let recipients = shown["recipients"].as_array().unwrap().clone();
            let states: Vec<_> = recipients.iter().map(|recipient| text(recipient, "state")).collect();
            (states == ["delivered", "failed", "deferred"]).then_some(recipients)
        });
        assert!(text(&recipients[1], "last_reply").contains("550 5.1.1 nobody here"), "{recipients:?}");
        until("its sender is told", || (self.installation.queue().len() == 1).then_some(()));
        assert!(server.terminate().success());
        let reports = maildir::messages(&self.path("outbox"));
        let reports: Vec<_> = reports.iter().map(|octets| String::from_utf8_lossy(octets)).collect();
        let ids: BTreeSet<_> = reports
            .iter()
            .flat_map(|report| report.lines().find(|line| line.starts_with("Message-ID:")))
            .collect();
        assert_eq!(ids.len(), 1, "{reports:#?}");
        assert!(
            reports.iter().all(|report| report.contains("refused@example.net") && !report.contains("taken@"))
        );
        let copies = self.host.messages().len() - before;
        assert!((1..=2).contains(&copies), "{copies} copies");
        copies - 1
    }
}

/// Whether the last thing is logged: that the report is delivered, too.
fn is_reported(server: &Server) -> bool {
    server.log().lines().filter(|line| line.contains("event=delivered")).count() > 1
}

fn by_mx(installation: &Installation, dns: &FakeDns) -> String {
    format!(
        "via = \"mx\"\nretry = {{ first = \"1h\" }}\n[[delivery.route]]\ndomains = [\"example.org\"]\n{}\n[delivery.mx]\n\
         allow_networks = [\"127.0.0.0/8\"]\nmta_sts = false\n[dns]\nservers = [\"{}\"]\ntrust_anchors = \"anchors\"",
        installation.maildir_delivery(),
        dns.address()
    )
}

fn copy(from: &Path, to: &Path) {
    let status = Command::new("cp").arg("-a").args([from, to]).status().unwrap();
    assert!(status.success(), "cp {from:?} {to:?}: {status}");
}

#[test]
fn killed_at_any_call_of_a_delivery_each_recipient_ends_once_and_its_sender_is_told_once() {
    let scene = Scene::new();
    let all = std::env::var_os("GATEPOST_KILLS").is_some();
    for calls in KINDS {
        let (mut kills, mut copies) = (0, 0);
        // The first calls are those of the start. Of a few the later ones tell most.
        let mut number = if all { 1 } else { 4 };
        loop {
            scene.begin();
            let before = scene.host.messages().len();
            let killed = scene.is_killed(calls, number);
            copies += scene.go_on(before);
            kills += usize::from(killed);
            if !killed || (!all && kills == KILLS) {
                break;
            }
            number += if all { 1 } else { number };
        }
        println!("{calls}: killed at {kills} calls, {copies} second copies");
        assert!(kills > 0 && copies <= kills, "{calls}: {kills} kills, {copies} second copies");
    }
}
