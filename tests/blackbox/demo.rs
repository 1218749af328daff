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
        let mut command = Command::new("unshare");
        command.args(["--net", "sh", "-c", "ip link set lo up && exec \"$0\" demo --dir \"$1\""]);
        command.arg(binary()).arg(directory);
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
        server.until_ready();
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
