//! `openssl s_client`, with a person at the keyboard who waits for each reply.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use tests::authority::HOSTNAME;
use tests::server::Installation;

pub(crate) struct OpenSsl {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl OpenSsl {
    pub(crate) fn start(installation: &Installation, address: SocketAddr, more: &[&str]) -> OpenSsl {
        let mut command = Command::new("openssl");
        command.args(["s_client", "-quiet", "-verify_return_error", "-verify_hostname", HOSTNAME]);
        command.arg("-CAfile").arg(installation.path("ca.pem"));
        command.args(["-connect", &address.to_string()]).args(more);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let (input, output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        OpenSsl { child, input, output }
    }

    /// The line that begins so.
    pub(crate) fn say(&mut self, line: &str, reply: &str) -> String {
        self.type_in(format!("{line}\r\n").as_bytes());
        self.hear(reply)
    }

    pub(crate) fn type_in(&mut self, octets: &[u8]) {
        self.input.write_all(octets).unwrap();
    }

    /// Reads up to a line that begins so.
    pub(crate) fn hear(&mut self, start: &str) -> String {
        let mut line = String::new();
        while !line.starts_with(start) {
            line.clear();
            assert_ne!(self.output.read_line(&mut line).unwrap(), 0, "the connection ended before {start:?}");
        }
        line
    }

    pub(crate) fn quit(mut self) {
        self.say("QUIT", "221 ");
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for OpenSsl {
    fn drop(&mut self) {
        // It has ended, unless the test failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
