//! The real binary: set up in a directory of its own, started, asked by its own commands, stopped or killed.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::net::{IpAddr, SocketAddr};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::authority::{Authority, HOSTNAME, Pair};
use crate::client::{Client, Reply};

/// What is waited for has long happened by then, unless the test fails.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// What a test's `gatepost.toml` says beside the common part; each field is the text of a TOML table, without its
/// heading.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where they listen.
    pub address: &'static str,
    /// The `tls` of each listener, in order.
    pub listeners: Vec<&'static str>,
    /// The `mechanisms` of each listener, in order; where nothing stands, those of all.
    pub mechanisms: Vec<&'static str>,
    /// What each listener says besides.
    pub listen: String,
    pub auth: String,
    pub limits: String,
    pub submission: String,
    pub sending: String,
    pub delivery: String,
    pub log: String,
    /// Sections for pages, with their headings.
    pub web: String,
    /// Where the store is, if not in the directory of the test.
    pub store: Option<PathBuf>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            address: "127.0.0.1",
            listeners: vec!["starttls", "implicit"],
            mechanisms: Vec::new(),
            listen: String::new(),
            auth: String::new(),
            limits: String::new(),
            // Most tests hand in the same letter again and again, and mean it.
            submission: "deduplicate = false".to_owned(),
            sending: String::new(),
            delivery: "via = \"hold\"".to_owned(),
            log: String::new(),
            web: String::new(),
            store: None,
        }
    }
}

/// A directory in which Gatepost is set up: configuration, certificate, master key, store.
pub struct Installation {
    pub authority: Authority,
    directory: TempDir,
}

impl Installation {
    pub fn new(settings: &Settings) -> Installation {
        let directory = TempDir::with_prefix("gatepost-test-").unwrap();
        let installation = Installation { authority: Authority::new(), directory };
        installation.configure(settings);
        std::fs::write(installation.path("ca.pem"), installation.authority.pem()).unwrap();
        installation
            .authority
            .sign()
            .write(&installation.path("fullchain.pem"), &installation.path("privkey.pem"));
        installation.done(&["key", "generate", &installation.path("master.key").to_string_lossy()]);
        installation
    }

    /// Whose mail lands in the Maildir `outbox` of the directory.
    pub fn with_maildir() -> Installation {
        let installation = Installation::new(&Settings::default());
        installation
            .configure(&Settings { delivery: installation.maildir_delivery(), ..Settings::default() });
        installation
    }

    pub fn maildir_delivery(&self) -> String {
        format!("via = \"maildir:{}\"", self.path("outbox").display())
    }

    pub fn configure(&self, settings: &Settings) {
        std::fs::write(self.path("gatepost.toml"), self.toml(settings)).unwrap();
    }

    fn toml(&self, settings: &Settings) -> String {
        let store = settings.store.clone().unwrap_or_else(|| self.path("store"));
        let listeners: String = settings
            .listeners
            .iter()
            .zip(settings.mechanisms.iter().chain(std::iter::repeat(&"")))
            .map(|(tls, names)| {
                let (address, more) = (settings.address, &settings.listen);
                let mechanisms = match *names {
                    "" => String::new(),
                    names => format!("mechanisms = {names}\n"),
                };
                format!("[[listen]]\naddress = \"{address}:0\"\ntls = \"{tls}\"\n{mechanisms}{more}\n")
            })
            .collect();
        format!(
            "hostname = \"{HOSTNAME}\"\n\n[storage]\nurl = \"sqlite:{}\"\nmaster_key_file = \"master.key\"\n\n\
             [tls]\ncertificate = \"fullchain.pem\"\nprivate_key = \"privkey.pem\"\n\n{listeners}\n\
             [auth]\n{}\n\n[limits]\n{}\n\n[submission]\n{}\n\n[sending]\n{}\n\n[delivery]\n{}\n\n[log]\n{}\n\n{}\n",
            store.display(),
            settings.auth,
            settings.limits,
            settings.submission,
            settings.sending,
            settings.delivery,
            settings.log,
            settings.web
        )
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A `gatepost` command with this installation's configuration.
    pub fn command<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Command {
        self.command_of(binary(), arguments)
    }

    /// As [`Installation::command`], run by another user of the system, who may have no way to where the binary was built.
    pub fn command_as<S: AsRef<OsStr>>(&self, user: u32, arguments: &[S]) -> Command {
        let copy = self.path("gatepost");
        std::fs::copy(binary(), &copy).unwrap();
        let mut command = self.command_of(&copy, arguments);
        command.uid(user).gid(user);
        command
    }

    fn command_of<S: AsRef<OsStr>>(&self, binary: &Path, arguments: &[S]) -> Command {
        let mut command = Command::new(binary);
        command
            .arg("--config")
            .arg(self.path("gatepost.toml"))
            .args(arguments)
            .current_dir(self.directory.path());
        command.env_remove("NOTIFY_SOCKET").env_remove("GATEPOST_CONFIG").env("NO_COLOR", "1");
        command
    }

    pub fn run<S: AsRef<OsStr>>(&self, arguments: &[S], input: &str) -> Output {
        run(&mut self.command(arguments), input)
    }

    /// Runs a command that must succeed; its standard output.
    pub fn done<S: AsRef<OsStr> + std::fmt::Debug>(&self, arguments: &[S]) -> String {
        let output = self.run(arguments, "");
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// As [`Installation::done`], with `--json`.
    pub fn json<S: AsRef<OsStr> + std::fmt::Debug>(&self, arguments: &[S]) -> Value {
        let mut all: Vec<&OsStr> = arguments.iter().map(AsRef::as_ref).collect();
        all.push(OsStr::new("--json"));
        let text = self.done(&all);
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{arguments:?}: {error} in {text:?}"))
    }

    pub fn add_user(&self, address: &str, password: &str) {
        let output = self.run(&["user", "add", address, "--password-stdin", "--allow-weak"], password);
        assert!(output.status.success(), "user add: {output:?}");
    }

    /// A fresh app password; the id and the password.
    pub fn app_password(&self, address: &str, more: &[&str]) -> (String, String) {
        let mut arguments = vec!["app-password", "create", address, "--label", "a test"];
        arguments.extend(more);
        let created = self.json(&arguments);
        (text(&created, "id"), text(&created, "password"))
    }

    /// The account may log in by this certificate from now on; its fingerprint.
    pub fn add_certificate(&self, address: &str, pair: &Pair) -> String {
        let path = self.path("client.pem");
        std::fs::write(&path, &pair.certificate).unwrap();
        let path = path.display().to_string();
        text(&self.json(&["certificate", "add", address, &path, "--label", "a test"]), "fingerprint")
    }

    pub fn queue(&self) -> Vec<Value> {
        self.json(&["queue", "list"]).as_array().expect("a list").clone()
    }

    /// The recipients of a message as `queue show` has them, once each was tried.
    pub fn until_tried(&self, id: &str) -> Vec<Value> {
        until("each recipient was tried", || {
            let shown = self.json(&["queue", "show", id])["recipients"].as_array().unwrap().clone();
            shown.iter().all(|one| one["state"] != "queued").then_some(shown)
        })
    }

    /// Waits until nothing is queued any more.
    pub fn until_queue_is_empty(&self) {
        until("the queue is empty", || self.queue().is_empty().then_some(()));
    }

    pub fn start(&self) -> Server {
        let server = self.launch();
        server.until_ready();
        server
    }

    /// As [`Installation::start`], run by another user of the system.
    pub fn start_as(&self, user: u32) -> Server {
        let server = launched(self.command_as(user, &["serve"]));
        server.until_ready();
        server
    }

    /// Starts without waiting for readiness.
    pub fn launch(&self) -> Server {
        launched(self.command(&["serve"]))
    }
}

fn launched(mut serve: Command) -> Server {
    let process = serve.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    Server::from(process.unwrap())
}

/// A running server; dropped, it is killed.
pub struct Server {
    child: Child,
    log: Arc<(Mutex<Log>, Condvar)>,
}

#[derive(Default)]
struct Log {
    lines: Vec<String>,
    ended: bool,
}

impl From<Child> for Server {
    /// Takes a child whose standard error is piped.
    fn from(mut child: Child) -> Server {
        let log = Arc::<(Mutex<Log>, Condvar)>::default();
        let (errors, shared) = (child.stderr.take().unwrap(), Arc::clone(&log));
        std::thread::spawn(move || {
            for line in BufReader::new(errors).lines() {
                let Ok(line) = line else { break };
                shared.0.lock().unwrap_or_else(PoisonError::into_inner).lines.push(line);
                shared.1.notify_all();
            }
            shared.0.lock().unwrap_or_else(PoisonError::into_inner).ended = true;
            shared.1.notify_all();
        });
        Server { child, log }
    }
}

impl Server {
    /// The address of each listener, in the order of the configuration.
    pub fn until_ready(&self) -> Vec<SocketAddr> {
        addresses(&self.until_line("event=ready", |line| {
            line.contains("event=ready") || line.contains("\"event\":\"ready\"")
        }))
    }

    pub fn starttls(&self) -> SocketAddr {
        self.until_ready()[0]
    }

    pub fn implicit(&self) -> SocketAddr {
        self.until_ready()[1]
    }

    /// The first line of the log with `words`, waited for.
    pub fn until_logged(&self, words: &str) -> String {
        self.until_line(words, |line| line.contains(words))
    }

    fn until_line(&self, what: &str, is_it: impl Fn(&str) -> bool) -> String {
        let mut log = self.log.0.lock().unwrap_or_else(PoisonError::into_inner);
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(line) = log.lines.iter().find(|line| is_it(line)) {
                return line.clone();
            }
            let left = end.saturating_duration_since(Instant::now());
            assert!(
                !log.ended && !left.is_zero(),
                "no line with {what:?} in the log:\n{}",
                log.lines.join("\n")
            );
            log = self.log.1.wait_timeout(log, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// The whole log so far.
    pub fn log(&self) -> String {
        self.log.0.lock().unwrap_or_else(PoisonError::into_inner).lines.join("\n")
    }

    /// A client with TLS on the implicit port that has heard the greeting.
    pub fn client(&self, installation: &Installation) -> Client {
        greeted(Client::connect(self.implicit(), &installation.authority.client()))
    }

    /// As [`Server::client`], of one that shows a certificate.
    pub fn client_showing(&self, pair: &Pair, installation: &Installation) -> Client {
        greeted(Client::connect(self.implicit(), &installation.authority.client_showing(pair)))
    }

    /// As [`Server::client`], from this address of the machine.
    pub fn client_from(&self, source: impl Into<IpAddr>, installation: &Installation) -> Client {
        greeted(Client::connect_from(source.into(), self.implicit(), &installation.authority.client()))
    }

    /// What a client that comes, logs in and goes is told.
    pub fn knock(&self, installation: &Installation, user: &str, password: &str) -> Reply {
        let mut client = self.client(installation);
        client.expect("EHLO client.example", 250);
        client.auth_plain(user, password).unwrap()
    }

    /// As [`Server::client`], past EHLO and AUTH.
    pub fn logged_in(&self, installation: &Installation, user: &str, password: &str) -> Client {
        let mut client = self.client(installation);
        client.expect("EHLO client.example", 250);
        let reply = client.auth_plain(user, password).unwrap();
        assert_eq!(reply.code, 235, "{reply:?}");
        client
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Resident memory in KiB.
    pub fn resident(&self) -> u64 {
        self.status("VmRSS:")
    }

    /// The most memory that was ever resident, in KiB.
    pub fn peak(&self) -> u64 {
        self.status("VmHWM:")
    }

    fn status(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).unwrap()
    }

    /// Processor time spent so far, in ticks of mostly a hundredth of a second.
    pub fn processor_time(&self) -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        // proc(5): the name, in parentheses, may have spaces; utime and stime are the fields 14 and 15.
        let (_, fields) = stat.rsplit_once(')').unwrap();
        fields.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum()
    }

    pub fn signal(&self, name: &str) {
        let status =
            Command::new("kill").arg(format!("-{name}")).arg(self.child.id().to_string()).status().unwrap();
        assert!(status.success(), "kill -{name}: {status}");
    }

    /// The whole log of a server that has been told to stop.
    pub fn until_ended(&self) -> String {
        until("the log ends", || {
            self.log.0.lock().unwrap_or_else(PoisonError::into_inner).ended.then_some(())
        });
        self.log()
    }

    /// Whether it has ended, or was killed.
    pub fn has_ended(&self) -> bool {
        self.log.0.lock().unwrap_or_else(PoisonError::into_inner).ended
    }

    /// SIGKILL, at once.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, and waits for the end.
    pub fn terminate(self) -> ExitStatus {
        self.signal("TERM");
        self.ended()
    }

    pub fn ended(mut self) -> ExitStatus {
        until("the server ends", || self.child.try_wait().unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already, and that is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("the server's log:\n{}", self.log());
        }
    }
}

/// A connection on the implicit port, past the handshake and the greeting.
fn greeted(mut client: Client) -> Client {
    client.handshake().unwrap();
    assert_eq!(client.reply().unwrap().code, 220);
    client
}

/// Asks again every few milliseconds until there is an answer.
pub fn until<T>(what: &str, ask: impl FnMut() -> Option<T>) -> T {
    until_within(PATIENCE, what, ask)
}

/// As [`until`], for what may take so long, such as under strace(1).
pub fn until_within<T>(patience: Duration, what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + patience;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < end, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A string in a JSON object.
pub fn text(object: &Value, key: &str) -> String {
    object[key].as_str().unwrap_or_else(|| panic!("no text `{key}` in {object}")).to_owned()
}

/// Runs a command with this on its standard input.
pub fn run(command: &mut Command, input: &str) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let mut pipe = child.stdin.take().unwrap();
    let input = input.to_owned();
    // A command that wants no input closes the pipe; that is its affair.
    let writer = std::thread::spawn(move || drop(pipe.write_all(input.as_bytes())));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

fn addresses(line: &str) -> Vec<SocketAddr> {
    line.split(|letter: char| !(letter.is_ascii_hexdigit() || ".:[]".contains(letter)))
        .filter_map(|word| word.trim_matches(':').parse().ok())
        .collect()
}

/// `GATEPOST_BIN`, or the binary of the profile the tests are built in, brought up to date.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| std::env::var_os("GATEPOST_BIN").map_or_else(build, PathBuf::from))
}

fn build() -> PathBuf {
    // target/PROFILE/deps/this-test
    let test = std::env::current_exe().unwrap();
    let profile = test.ancestors().nth(2).unwrap();
    let mut command = Command::new(env!("CARGO"));
    command
        .args(["build", "--quiet", "--package", "gatepost", "--target-dir"])
        .arg(profile.parent().unwrap());
    if profile.ends_with("release") {
        command.arg("--release");
    }
    let status = command.current_dir(env!("CARGO_MANIFEST_DIR")).status().unwrap();
    assert!(status.success(), "gatepost does not build");
    profile.join("gatepost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found_in_a_line_of_the_log() {
        let line = "2026-01-02T03:04:05Z INFO event=ready listen=\"starttls 127.0.0.1:2587, implicit [::1]:2465\" ready";
        let found = addresses(line);
        assert_eq!(found, ["127.0.0.1:2587".parse().unwrap(), "[::1]:2465".parse().unwrap()]);
    }
}
