//! Dovecot as a next host in LMTP: Debian's, which `tests/run` unpacks and does not install.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;
use tests::maildir::until_there;
use tests::programs::{Service, libraries, unpacked};
use tests::server::{Installation, Settings, text, until};

use crate::letter::awkward;

const USER: &str = "alice@example.org";
/// Debian's user `mail`, whose the mailboxes are.
const OWNER: u32 = 8;

/// Lays the tree in `$1` over that of the machine, and becomes the rest.
const IN_ITS_PLACE: &str = "mount -t overlay overlay -o \"lowerdir=$1:/usr\" /usr && shift && exec \"$@\"";

/// A Dovecot with mailboxes for Bob and Frank, of which Frank's is full.
struct Dovecot {
    _master: Service,
    address: SocketAddr,
    directory: TempDir,
}

impl Dovecot {
    fn start() -> Dovecot {
        let directory = tempfile::tempdir().unwrap();
        let here = directory.path();
        fs::set_permissions(here, fs::Permissions::from_mode(0o755)).unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        for name in ["run", "state", "boxes"] {
            fs::create_dir(here.join(name)).unwrap();
        }
        chown(here.join("boxes"), Some(OWNER), None).unwrap();
        fs::write(here.join("users"), users(here)).unwrap();
        fs::write(here.join("dovecot.conf"), configuration(here, address)).unwrap();
        // Some of its parts Dovecot looks for where the package installs them: there they lie for this process and its children alone.
        let mut command = Command::new("unshare");
        command
            .args(["--mount", "sh", "-c", IN_ITS_PLACE, "sh"])
            .args([unpacked().join("usr"), unpacked().join("usr/sbin/dovecot")])
            .arg("-F")
            .arg("-c")
            .arg(here.join("dovecot.conf"))
            .env("LD_LIBRARY_PATH", libraries("dovecot"));
        let output = fs::File::create(here.join("output")).unwrap();
        let master = command.stdin(Stdio::null()).stdout(output.try_clone().unwrap()).stderr(output);
        let started = Dovecot { _master: Service(master.spawn().unwrap()), address, directory };
        until("Dovecot listens", || {
            UnixStream::connect(started.socket()).ok().and(TcpStream::connect(address).ok())
        });
        started
    }

    fn socket(&self) -> PathBuf {
        self.directory.path().join("lmtp")
    }

    fn maildir(&self, name: &str) -> PathBuf {
        self.directory.path().join("boxes").join(name).join("mail")
    }
}

fn users(here: &Path) -> String {
    let boxes = here.join("boxes");
    let user = |name: &str, more: &str| {
        format!("{name}@example.net::{OWNER}:{OWNER}::{}/{name}::{more}\n", boxes.display())
    };
    user("bob", "") + &user("frank", "userdb_quota_rule=*:bytes=100")
}

fn configuration(here: &Path, address: SocketAddr) -> String {
    let (here, programs) = (here.display(), unpacked());
    let programs = programs.display();
    format!(
        "protocols = lmtp\nbase_dir = {here}/run\nstate_dir = {here}/state\nlog_path = {here}/log\n\
         libexec_dir = {programs}/usr/lib/dovecot\nmail_plugin_dir = {programs}/usr/lib/dovecot/modules\n\
         default_internal_user = mail\ndefault_internal_group = mail\ndefault_login_user = nobody\n\
         import_environment = LD_LIBRARY_PATH\nssl = no\nfirst_valid_uid = 1\nmail_location = maildir:~/mail\n\
         mail_plugins = quota\nplugin {{\n  quota = maildir:User quota\n  quota_rule = *:storage=1G\n}}\n\
         userdb {{\n  driver = passwd-file\n  args = username_format=%u {here}/users\n}}\n\
         passdb {{\n  driver = static\n  args = nopassword=y\n}}\n\
         service lmtp {{\n  unix_listener {here}/lmtp {{\n    mode = 0600\n  }}\n  inet_listener lmtp {{\n    address = {}\n    \
         port = {}\n  }}\n}}\n",
        address.ip(),
        address.port()
    )
}

/// RFC 2033 section 4.2: of one message one recipient has it, one has no room for it, and one is not there.
#[test]
fn it_says_of_each_recipient_what_became_of_the_message() {
    let dovecot = Dovecot::start();
    let (socket, address) = (dovecot.socket(), dovecot.address);
    for (number, via) in [(1, format!("lmtp+unix:{}", socket.display())), (2, format!("lmtp://{address}"))] {
        let delivery = format!("via = \"{via}\"\ntls = \"off\"");
        let installation = Installation::new(&Settings { delivery, ..Settings::default() });
        installation.add_user(USER, "correct horse");
        let found = installation.json(&["check", "--connect"]);
        assert_eq!(found["errors"], serde_json::json!([]), "{found}");
        let server = installation.start();
        let mut client = server.logged_in(&installation, USER, "correct horse");
        client.expect(&format!("MAIL FROM:<{USER}> BODY=8BITMIME"), 250);
        for to in ["bob", "frank", "gone"] {
            client.expect(&format!("RCPT TO:<{to}@example.net> NOTIFY=NEVER"), 250);
        }
        client.expect("DATA", 354);
        client.say(&tests::client::stuffed(&awkward("in lmtp"))).unwrap();
        let reply = client.reply().unwrap();
        assert_eq!(reply.code, 250, "{reply:?}");
        let id = reply.lines[0].rsplit(' ').next().unwrap().to_owned();
        let arrived = until_there(&dovecot.maildir("bob"), number);
        let text_of = |octets: &Vec<u8>| String::from_utf8_lossy(octets).contains("Subject: in lmtp");
        assert!(arrived.iter().all(text_of));
        let recipients = installation.until_tried(&id);
        let states: Vec<String> = recipients.iter().map(|one| text(one, "state")).collect();
        assert_eq!(states, ["delivered", "failed", "failed"], "{recipients:?}");
        for (recipient, code) in recipients[1..].iter().zip(["552 5.2.2", "550 5.1.1"]) {
            assert!(text(recipient, "last_reply").starts_with(code), "{recipient}");
        }
        assert!(server.terminate().success());
    }
}
