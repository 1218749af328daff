//! The first thing anybody does: `gatepost demo`, and the commands it prints, pasted as they stand.
//!
//! The demo has fixed ports, so each one here runs in a network of its own.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use tests::maildir::until_there;
use tests::server::{Server, binary, run, until};

struct Demo {
    server: Server,
    shown: String,
}

impl Demo {
    fn start(directory: &Path) -> Demo {
        Demo::start_with(directory, &[])
    }

    fn start_with(directory: &Path, more: &[&str]) -> Demo {
        let mut command = Command::new("unshare");
        command.args(["--net", "sh", "-c", "ip link set lo up && exec \"$@\"", "sh"]);
        command.arg(binary()).args(["demo", "--dir"]).arg(directory).args(more);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| {
                panic!("unshare, of util-linux, gives the demo a network of its own: {error}")
            });
        let shown = Arc::<Mutex<Vec<u8>>>::default();
        let (mut output, shared) = (child.stdout.take().unwrap(), Arc::clone(&shown));
        std::thread::spawn(move || {
            let mut octets = [0; 4096];
            while let Ok(count @ 1..) = output.read(&mut octets) {
                shared.lock().unwrap().extend_from_slice(&octets[..count]);
            }
        });
        let server = Server::from(child);
        let shown = until("the demo has shown its commands", || {
            let text = String::from_utf8(shown.lock().unwrap().clone()).unwrap();
            text.trim_end().ends_with("--header 'Subject: by swaks'").then_some(text)
        });
        Demo { server, shown }
    }

    /// The command below this heading.
    fn command(&self, heading: &str) -> &str {
        let (_, below) =
            self.shown.split_once(&format!("\n{heading}:\n")).unwrap_or_else(|| panic!("{}", self.shown));
        below.split("\n\n").next().unwrap()
    }

    /// Pastes a command into a terminal beside the demo.
    fn paste(&self, command: &str) -> bool {
        let mut terminal = Command::new("nsenter");
        terminal.args(["--target", &self.server.id().to_string(), "--net", "sh", "-c", command]);
        let output = run(&mut terminal, "");
        println!("{command}\n{output:?}");
        output.status.success()
    }
}

#[test]
fn every_command_the_demo_prints_sends_a_message_that_arrives() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path().join("a demo");
    let demo = Demo::start(&directory);
    let headings = ["openssl, implicit TLS", "openssl, STARTTLS", "curl", "swaks"];
    for (number, heading) in headings.iter().enumerate() {
        assert!(demo.paste(demo.command(heading)), "{heading}");
        until_there(&directory.join("outbox"), number + 1);
    }
    assert_eq!(until_there(&directory.join("outbox"), 4).len(), 4);
    let found = demo.shown.lines().find(|line| line.trim_start().starts_with("cat ")).unwrap();
    assert!(demo.paste(found), "{found}");
    assert!(demo.server.terminate().success());
}

#[test]
fn the_pages_are_where_the_demo_says_and_open_with_what_it_says() {
    let directory = tempfile::tempdir().unwrap();
    let demo = Demo::start(directory.path());
    let said = |name: &str| {
        let (_, pages) = demo.shown.split_once("in a browser:\n").unwrap_or_else(|| panic!("{}", demo.shown));
        let line = pages.lines().find(|line| line.trim_start().starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().to_owned()
    };
    let [pages, address, password] = ["pages", "address", "password"].map(said);
    let jar = directory.path().join("cookies").display().to_string();
    let curl = format!("curl --silent --show-error --fail --cookie {jar} --cookie-jar {jar}");
    let sign_in = format!(
        "token=$({curl} {pages}sign-in | sed -n 's/.*name=\"csrf\" value=\"\\([^\"]*\\)\".*/\\1/p') && \
         {curl} --header 'Origin: {}' --data-urlencode csrf=$token --data-urlencode address={address} \
             --data-urlencode password={password} {pages}sign-in && {curl} {pages}account | grep -q '{address}'",
        pages.trim_end_matches('/')
    );
    assert!(demo.paste(&sign_in), "{}", demo.shown);
}

#[test]
fn a_second_start_keeps_the_directory_and_makes_another_password() {
    let directory = tempfile::tempdir().unwrap();
    let first = Demo::start(directory.path());
    let old = first.command("curl").to_owned();
    let authority = std::fs::read(directory.path().join("ca.pem")).unwrap();
    assert!(first.server.terminate().success());
    let second = Demo::start(directory.path());
    assert_eq!(std::fs::read(directory.path().join("ca.pem")).unwrap(), authority);
    assert!(!second.paste(&old), "the password of the last start still opens the door");
    assert!(second.paste(second.command("curl")));
    assert_eq!(until_there(&directory.path().join("outbox"), 1).len(), 1);
}

#[test]
fn the_terminal_is_for_people_and_the_log_is_in_a_file() {
    let directory = tempfile::tempdir().unwrap();
    let demo = Demo::start(directory.path());
    let log = || std::fs::read_to_string(directory.path().join("gatepost.log")).unwrap();
    until("the log has its first lines", || log().contains("event=ready").then_some(()));
    let (_, below) = demo.shown.split_once("every other command):\n").unwrap();
    let listed = run(Command::new("sh").args(["-c", below.lines().next().unwrap()]), "");
    assert!(String::from_utf8_lossy(&listed.stdout).contains("demo@example.test"), "{listed:?}");
    demo.server.signal("TERM");
    assert_eq!(demo.server.until_ended(), "", "nothing but what is for people is on the terminal");
    assert!(log().contains("event=stopped"), "{}", log());
}

#[test]
fn another_port_is_for_a_machine_on_which_the_usual_one_is_taken() {
    let directory = tempfile::tempdir().unwrap();
    let demo = Demo::start_with(directory.path(), &["--port", "3587"]);
    assert!(
        demo.shown.contains("serves 127.0.0.1:3587 (STARTTLS) and 127.0.0.1:3588 (implicit TLS)"),
        "{}",
        demo.shown
    );
    assert!(demo.paste(demo.command("openssl, implicit TLS")));
    until_there(&directory.path().join("outbox"), 1);
    // A second one, in the same network.
    let other = tempfile::tempdir().unwrap();
    let second = format!("{} demo --dir {} --port 3586", binary().display(), other.path().display());
    let mut beside = Command::new("nsenter");
    beside.args(["--target", &demo.server.id().to_string(), "--net", "sh", "-c", &second]);
    let refused = run(&mut beside, "");
    let told = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(1), "{told}");
    assert!(
        told.starts_with(
            "error: another program has 127.0.0.1:3587; stop it, or choose another port with --port"
        ),
        "{told}"
    );
}
