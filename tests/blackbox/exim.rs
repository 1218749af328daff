//! Exim as a next host: Debian's, which `tests/run` unpacks and does not install. It has TLS with a certificate that nobody vouches for, and DSN.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use dns::fake::{Entry, FakeDns};
use tempfile::TempDir;
use tests::maildir::until_there;
use tests::programs::{Service, libraries, unpacked};
use tests::server::{Installation, Settings, text, until};
use tests::smarthost::{by_mx, port_25};

use crate::letter::{awkward, carries};

const USER: &str = "alice@example.org";
/// Debian's user `mail`, as whom it runs.
const OWNER: u32 = 8;

/// An Exim that takes mail for Bob and Carol, and has it in a Maildir for each.
struct Exim {
    _daemon: Service,
    directory: TempDir,
}

impl Exim {
    /// Listens at an address that nobody else listens at.
    fn at(address: SocketAddr) -> Exim {
        let directory = tempfile::tempdir().unwrap();
        let here = directory.path();
        fs::set_permissions(here, fs::Permissions::from_mode(0o755)).unwrap();
        for name in ["spool", "log", "boxes"] {
            fs::create_dir(here.join(name)).unwrap();
            chown(here.join(name), Some(OWNER), Some(OWNER)).unwrap();
        }
        fs::write(here.join("exim.conf"), configuration(here)).unwrap();
        let mut command = as_its_user(here);
        command.arg(unpacked().join("usr/sbin/exim4")).arg("-C").arg(here.join("exim.conf"));
        command.args(["-bdf", "-oX", &format!("{}.{}", address.ip(), address.port())]);
        let output = fs::File::create(here.join("output")).unwrap();
        command.env("LD_LIBRARY_PATH", libraries("exim4")).stdin(Stdio::null());
        let daemon = command.stdout(output.try_clone().unwrap()).stderr(output).spawn().unwrap();
        let started = Exim { _daemon: Service(daemon), directory };
        until("Exim listens", || TcpStream::connect(address).ok());
        started
    }

    fn maildir(&self, name: &str) -> PathBuf {
        self.directory.path().join("boxes").join(name)
    }

    /// What its log says of the messages that came.
    fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log/main")).unwrap()
    }
}

/// A command that sees a user `Debian-exim`, without which Debian's Exim does not start, and which nobody else sees.
fn as_its_user(here: &Path) -> Command {
    for (file, line) in [("passwd", "Debian-exim:x:8:8::/:/bin/false\n"), ("group", "Debian-exim:x:8:\n")] {
        fs::write(here.join(file), fs::read_to_string(Path::new("/etc").join(file)).unwrap() + line).unwrap();
    }
    let mut command = Command::new("unshare");
    let script = "mount --bind passwd /etc/passwd && mount --bind group /etc/group && exec \"$@\"";
    command.current_dir(here).args(["--mount", "sh", "-c", script, "sh"]);
    command
}

fn configuration(here: &Path) -> String {
    let here = here.display();
    let program = unpacked().join("usr/sbin/exim4");
    format!(
        "exim_path = {}\nspool_directory = {here}/spool\nlog_file_path = {here}/log/%s\npid_file_path = {here}/spool/pid\n\
         primary_hostname = next.example\ndeliver_drop_privilege\nkeep_environment = LD_LIBRARY_PATH\n\
         domainlist own = example.net\ndsn_advertise_hosts = *\nsmtputf8_advertise_hosts = *\nchunking_advertise_hosts = *\n\
         tls_advertise_hosts = *\nacl_smtp_rcpt = recipient\n\
         begin acl\nrecipient:\n  require verify = recipient\n  accept domains = +own\n  deny\n\
         begin routers\nboxes:\n  driver = accept\n  domains = +own\n  local_parts = bob : carol\n  transport = box\n\
         begin transports\nbox:\n  driver = appendfile\n  maildir_format\n  directory = {here}/boxes/$local_part_data\n  \
         delivery_date_add\n",
        program.display()
    )
}

/// On port 25, over TLS; one recipient is refused.
#[test]
fn the_dns_leads_mail_to_it() {
    let free = port_25().local_addr().unwrap();
    let exim = Exim::at(free);
    let server = FakeDns::start();
    server.set("example.net", [Entry::mx(10, "next.example.net")]);
    server.set("next.example.net", [Entry::Address(free.ip())]);
    let delivery = by_mx(&server, free.ip());
    let installation = Installation::new(&Settings { delivery, ..Settings::default() });
    installation.add_user(USER, "correct horse");
    let started = installation.start();
    let mut client = started.logged_in(&installation, USER, "correct horse");
    client.expect(&format!("MAIL FROM:<{USER}> BODY=8BITMIME"), 250);
    for to in ["bob", "carol", "gone"] {
        client.expect(&format!("RCPT TO:<{to}@example.net> NOTIFY=NEVER"), 250);
    }
    client.expect("DATA", 354);
    client.say(&tests::client::stuffed(&awkward("to-exim"))).unwrap();
    let reply = client.reply().unwrap();
    assert_eq!(reply.code, 250, "{reply:?}");
    let id = reply.lines[0].rsplit(' ').next().unwrap().to_owned();
    for name in ["bob", "carol"] {
        let found = until_there(&exim.maildir(name), 1).remove(0);
        assert!(carries(&found, &body(&awkward("to-exim"))), "{}", String::from_utf8_lossy(&found));
    }
    let recipients = installation.until_tried(&id);
    let states: Vec<String> = recipients.iter().map(|one| text(one, "state")).collect();
    assert_eq!(states, ["delivered", "delivered", "failed"], "{recipients:?}");
    assert!(exim.log().contains("P=esmtps X=TLS1.3"), "{}", exim.log());
}

/// A message without its header, to which each host adds.
fn body(message: &[u8]) -> Vec<u8> {
    let end = message.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    message[end..].to_vec()
}
