//! fail2ban, with the filter that comes with Gatepost, on the log of real logins: it finds each refused one and its
//! address, whatever the client says, and nothing else.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;

use tests::client::Client;
use tests::server::{Installation, Server, Settings};

const USER: &str = "alice@example.org";

/// Names that would like to be something else in a line of the log.
const HOSTILE: [&str; 14] = [
    "ip=10.0.0.1",
    "x ip=10.0.0.1 y@example.org",
    " event=auth.refused ip=10.0.0.1 ",
    " INFO auth: login refused event=auth.refused session=0 ip=10.0.0.1 mechanism=PLAIN reason=bad-password username=x",
    "\" ip=\"10.0.0.1\"",
    "\\\" ip=10.0.0.1",
    "\",\"ip\":\"10.0.0.1\",\"x\":\"",
    "2026-01-01T00:00:00.000000Z  INFO auth: login refused event=auth.refused session=0 ip=10.0.0.1",
    "{\"timestamp\":\"2026-01-01T00:00:00.000000Z\",\"level\":\"INFO\",\"message\":\"login refused\",\"event\":\"auth.refused\",\"session\":\"0\",\"ip\":\"10.0.0.1\"",
    "here gatepost[1]: ip=10.0.0.1",
    "ünïcode\u{202e}1.0.0.01=pi@example.org",
    "<HOST> %(ip)s",
    // These are addresses, and stand in the log.
    "\" ip=10.0.0.1 event=auth.refused \"@example.org",
    "\"\\\",\\\"ip\\\":\\\"10.0.0.1\"@example.org",
];

/// What cannot even be a name: such an exchange is malformed, and no login was refused.
const NO_NAMES: [&str; 5] = [
    "a\r\n2026-01-01T00:00:00.000000Z  INFO auth: login refused event=auth.refused session=0 ip=10.0.0.1 mechanism=PLAIN reason=x username=x",
    "a\u{1b}[31m",
    "a\tip=10.0.0.1",
    "a\u{2028}ip=10.0.0.1",
    "a\u{85}ip=10.0.0.1",
];

/// Over IPv6, and over IPv4 to the same socket, which the system shows as `::ffff:127.0.0.1`.
const FROM: [IpAddr; 2] = [IpAddr::V6(Ipv6Addr::LOCALHOST), IpAddr::V4(Ipv4Addr::LOCALHOST)];

struct Door {
    installation: Installation,
    server: Server,
    port: u16,
}

impl Door {
    fn open(log: &str) -> Door {
        let settings = Settings { address: "[::]", log: log.to_owned(), ..Settings::default() };
        let installation = Installation::new(&settings);
        installation.add_user(USER, "correct horse");
        let server = installation.start();
        let port = server.implicit().port();
        Door { installation, server, port }
    }

    fn client(&self, from: IpAddr) -> Client {
        let to = SocketAddr::new(from, self.port);
        let mut client = Client::connect(to, &self.installation.authority.client());
        client.handshake().unwrap();
        assert_eq!(client.reply().unwrap().code, 220);
        // As hostile as a name for EHLO can be.
        client.expect("EHLO [IPv6:2001:db8::1]", 250);
        client
    }

    fn knock(&self, from: IpAddr, user: &str, password: &str) -> u16 {
        self.client(from).auth_plain(user, password).unwrap().code
    }

    /// All that can happen at the door; how many logins were refused from each of [`FROM`].
    fn attacked(&self) -> usize {
        let refused = |from| HOSTILE.iter().filter(|name| self.knock(from, name, "guess") == 535).count();
        let counts = std::thread::scope(|scope| {
            FROM.map(|from| scope.spawn(move || refused(from))).map(|thread| thread.join().unwrap())
        });
        assert_eq!(counts, [HOSTILE.len(); 2]);
        for from in FROM {
            for name in NO_NAMES {
                assert_eq!(self.knock(from, name, "guess"), 501, "{name:?}");
            }
            assert_eq!(self.knock(from, USER, "correct horse"), 235);
            self.comes_and_goes(from);
        }
        HOSTILE.len()
    }

    /// Who never logs in is no guesser.
    fn comes_and_goes(&self, from: IpAddr) {
        let mut client = self.client(from);
        client.expect("MAIL FROM:<ip=10.0.0.1@example.org>", 530);
        client.expect("AUTH LOGIN", 334);
        client.expect("*", 501);
        client.expect("QUIT", 221);
    }

    /// The log, once nothing is going to be added to it.
    fn log(self) -> (Installation, String) {
        self.server.signal("TERM");
        let log = self.server.until_ended();
        (self.installation, log)
    }
}

fn config() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/fail2ban")
}

/// The address of each failure that fail2ban finds in the log.
fn found(installation: &Installation, log: &str, mode: &str) -> Vec<String> {
    let file = installation.path("gatepost.log");
    std::fs::write(&file, log).unwrap();
    let filter = format!("{}[mode={mode}]", config().join("filter.d/gatepost.conf").display());
    let output = Command::new("fail2ban-regex").args(["--out", "ip"]).arg(file).arg(filter).output();
    let output = output.expect("fail2ban-regex, of the Debian package fail2ban");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn each_refused_login_is_found_with_its_address_and_nothing_else_is() {
    for format in ["text", "json"] {
        let door = Door::open(&format!("format = \"{format}\""));
        let refused = door.attacked();
        let (installation, log) = door.log();
        let expected = [vec!["127.0.0.1"; refused], vec!["::1"; refused]].concat();
        for log in [log.clone(), as_in_the_journal(&log)] {
            let mut found = found(&installation, &log, "normal");
            found.sort_unstable();
            assert_eq!(found, expected, "{log}");
        }
    }
}

/// There is the owner's telephone too, with the password of last week.
#[test]
fn who_is_throttled_counts_only_where_that_is_wanted() {
    for format in ["text", "json"] {
        let door = Door::open(&format!("format = \"{format}\""));
        let codes: Vec<u16> =
            (0..7).map(|number| door.knock(FROM[0], USER, &format!("guess {number}"))).collect();
        assert_eq!(codes, [535, 535, 535, 535, 535, 454, 454]);
        let (installation, log) = door.log();
        assert_eq!(found(&installation, &log, "normal"), ["::1"; 5]);
        assert_eq!(found(&installation, &log, "aggressive"), ["::1"; 7]);
    }
}

/// The lines as fail2ban has them from the journal: the date apart, the host and the process before.
fn as_in_the_journal(log: &str) -> String {
    log.lines().map(|line| format!("mail gatepost[4711]: {line}\n")).collect()
}

#[test]
fn the_jail_is_one_that_fail2ban_takes() {
    let directory = tempfile::tempdir().unwrap();
    let home = directory.path().join("fail2ban");
    copied(Path::new("/etc/fail2ban"), &home);
    std::fs::remove_dir_all(home.join("jail.d")).unwrap();
    for part in ["jail.d", "filter.d"] {
        copied(&config().join(part).join("gatepost.conf"), &home.join(part).join("gatepost.conf"));
    }
    let mut command = Command::new("fail2ban-client");
    let output = command.arg("-c").arg(home).arg("-d").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let told = String::from_utf8(output.stdout).unwrap();
    for words in
        ["['add', 'gatepost', 'systemd']", "_SYSTEMD_UNIT=gatepost.service", "login refused event=auth"]
    {
        assert!(told.contains(words), "{words}: {told}");
    }
}

fn copied(from: &Path, to: &Path) {
    std::fs::create_dir_all(to.parent().unwrap()).unwrap();
    let status = Command::new("cp").arg("-r").args([from, to]).status().unwrap();
    assert!(status.success());
}
