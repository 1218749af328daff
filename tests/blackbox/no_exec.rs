//! The server runs no program, whatever is asked of it.

use std::process::{Command, Stdio};

use tests::server::{Installation, Server, Settings, until};
use tests::smarthost::{Script, Smarthost};

use crate::letter::letter;

const USER: &str = "alice@example.org";
const PASSWORD: &str = "correct horse";

/// What a shell, or a mail server that hands recipients to programs, would run.
const COMMANDS: [&str; 4] = ["\"|/bin/id\"", "\"/bin/id\"", "\"$(id)\"", "`id`"];

/// OPS-01: "programs and files are not addresses".
#[test]
fn ops_01_no_program_is_run_from_start_to_end() {
    let next = Smarthost::start(Script {
        answer: Box::new(|line, _| line.contains("<carol@").then(|| "550 5.1.1 nobody; id".to_owned())),
        ..Script::default()
    });
    let installation = Installation::new(&Settings {
        delivery: format!("via = \"smtp://{}\"\ntls = \"off\"", next.address),
        auth: "mechanisms = [\"PLAIN\", \"LOGIN\", \"SCRAM-SHA-256\"]".to_owned(),
        ..Settings::default()
    });
    installation.add_user(USER, PASSWORD);
    let (_, app_password) = installation.app_password(USER, &[]);
    let server = traced(&installation, "execve,execveat");
    for command in COMMANDS {
        assert_ne!(server.knock(&installation, command, command).code, 235);
    }
    for password in [PASSWORD, &app_password] {
        let mut client = server.logged_in(&installation, USER, password);
        let of_commands = COMMANDS.map(|command| format!("{command}@example.net"));
        let recipients = ["bob@example.net", "carol@example.net"].into_iter();
        let recipients: Vec<&str> = recipients.chain(of_commands.iter().map(String::as_str)).collect();
        let reply = client.send(USER, &recipients, &letter("$(id)", "`id`\r\n|id\r\n")).unwrap();
        assert_eq!(reply.code, 250, "{reply:?}");
        client.expect("QUIT", 221);
    }
    next.until_messages(2);
    until("a recipient has failed", || server.log().contains("event=failed").then_some(()));
    server.signal("HUP");
    server.until_logged("event=reloaded");
    let pid = server.id().to_string();
    assert!(server.terminate().success());

    let of_server = |line: &str, what| of(line, &pid).is_some_and(|event| event.starts_with(what));
    let trace = until("the trace ends", || {
        let trace = std::fs::read_to_string(installation.path("trace")).ok()?;
        trace.lines().any(|line| of_server(line, "+++ exited with 0 +++")).then_some(trace)
    });
    let run: Vec<&str> = trace.lines().filter(|line| line.contains("exec")).collect();
    // The server itself.
    assert!(run.len() == 1 && of_server(run[0], "execve("), "{run:#?}");
}

/// What a line of the trace tells of the process `pid`. strace pads short process ids with blanks.
fn of<'a>(line: &'a str, pid: &str) -> Option<&'a str> {
    let (process, event) = line.split_once(' ')?;
    (process == pid).then(|| event.trim_start())
}

/// A server under strace, which writes each of these calls of any of its threads and children into the file `trace`.
pub(crate) fn traced(installation: &Installation, calls: &str) -> Server {
    let serve = installation.command(&["serve"]);
    let mut command = Command::new("strace");
    // With -D the server is our child, and not that of strace.
    command.args(["-D", "-f", "-q", "-e", &format!("trace={calls}"), "-o"]).arg(installation.path("trace"));
    command.arg(serve.get_program()).args(serve.get_args()).env_remove("NOTIFY_SOCKET").env("NO_COLOR", "1");
    command.current_dir(installation.path(""));
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    let server = Server::from(child.expect("strace, of the Debian package strace"));
    server.until_ready();
    server
}
