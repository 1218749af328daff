//! An example that runs in a directory of its own.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Mutex;

use tempfile::TempDir;

/// The message that the headers have curl send.
pub(crate) const README: &str =
    "From: Demo <demo@example.test>\nTo: you@example.net\nSubject: An example\n\n.\nA line of text.\n.\n";

pub(crate) struct Example {
    pub(crate) program: String,
    pub(crate) directory: TempDir,
    pub(crate) port: u16,
    client: String,
    server: Child,
    output: Mutex<BufReader<ChildStdout>>,
}

impl Example {
    /// Does what the first block of the header says, whose last line starts the server.
    pub(crate) fn start(name: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("README.md"), README).unwrap();
        let program = program(name);
        let [setup, client] = header(name).try_into().expect("two blocks in the header");
        let cargo = format!("cargo run -p gatepost-submission --example {name} --");
        let setup = setup.replace(&cargo, &program).replace(":2587", ":0").replace(":2465", ":0");
        let (before, serve) = setup.trim_end().rsplit_once('\n').unwrap();
        let status = shell(before, directory.path()).output().unwrap();
        assert!(status.status.success(), "{}", String::from_utf8_lossy(&status.stderr));
        let mut server =
            shell(&format!("exec {serve}"), directory.path()).stdout(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(server.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        let port = line.trim().strip_prefix("listening on 127.0.0.1:").unwrap().parse().unwrap();
        Self { program, directory, port, client, server, output: Mutex::new(output) }
    }

    /// Does what its second block says; whether it went well, and what was said.
    pub(crate) fn follow_header(&self) -> (bool, String) {
        self.run(&self.second_block())
    }

    /// The same, with another word in the place of one.
    pub(crate) fn follow_header_with(&self, word: &str, other: &str) -> (bool, String) {
        self.run(&self.second_block().replace(word, other))
    }

    fn second_block(&self) -> String {
        let port = format!(":{}", self.port);
        self.client.replace(":2587", &port).replace(":2465", &port)
    }

    pub(crate) fn run(&self, commands: &str) -> (bool, String) {
        let output = shell(commands, self.directory.path()).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(said).unwrap())
    }

    /// The next lines that the example prints.
    pub(crate) fn lines(&self, number: usize) -> Vec<String> {
        let mut output = self.output.lock().unwrap();
        output.by_ref().lines().take(number).map(Result::unwrap).collect()
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// Cargo builds a package's examples along with its tests, beside them.
fn program(name: &str) -> String {
    let test = std::env::current_exe().unwrap();
    let program = test.ancestors().nth(2).unwrap().join("examples").join(name);
    assert!(program.exists(), "{}: run `cargo build -p gatepost-submission --examples`", program.display());
    program.to_str().unwrap().to_owned()
}

/// The `sh` blocks at the head of an example, continued lines joined.
fn header(name: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name).with_extension("rs");
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().map_while(|line| line.strip_prefix("//!"));
    let head: String = lines.map(|line| format!("{}\n", line.trim())).collect();
    let blocks = head.split("```sh\n").skip(1).filter_map(|rest| rest.split_once("```"));
    blocks.map(|(block, _)| block.replace("\\\n", " ")).collect()
}

fn shell(commands: &str, directory: &Path) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-ec", commands]).current_dir(directory).stdin(Stdio::null());
    shell
}
