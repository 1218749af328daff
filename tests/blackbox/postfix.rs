//! Postfix as a next host: Debian's, which `tests/run` unpacks and does not install. It offers DSN.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use dns::fake::{Entry, FakeDns};
use serde_json::{Value, json};
use tempfile::TempDir;
use tests::authority::Authority;
use tests::maildir::{messages, until_there};
use tests::programs::{Service, unpacked};
use tests::server::{Installation, Settings, binary, run, until};
use tests::smarthost::{by_mx, port_25};

const USER: &str = "alice@example.org";
/// Debian's user `mail`, and a group that is not its own: `mail_owner` and `setgid_group`.
const OWNER: (u32, &str, &str) = (8, "mail", "uucp");

/// A Postfix that takes mail for Alice, Bob and Carol, and has it in a Maildir for each.
struct Postfix {
    _master: Service,
    address: SocketAddr,
    directory: TempDir,
}

impl Postfix {
    fn start() -> Postfix {
        Postfix::with(|_| String::new())
    }

    /// With more in its configuration, which may name files in its directory.
    fn with(more: impl FnOnce(&Path) -> String) -> Postfix {
        // A statement of its own, at the end of which the port is free again.
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        Postfix::at(address, more)
    }

    /// Listens at an address that nobody else listens at.
    fn at(address: SocketAddr, more: impl FnOnce(&Path) -> String) -> Postfix {
        let directory = tempfile::tempdir().unwrap();
        let postfix = directory.path();
        fs::set_permissions(postfix, fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(postfix.join("main.cf"), main_cf(postfix) + &more(postfix)).unwrap();
        fs::write(postfix.join("master.cf"), master_cf(address)).unwrap();
        fs::create_dir_all(postfix.join("queue/pid")).unwrap();
        for name in ["data", "boxes"]
            .map(PathBuf::from)
            .into_iter()
            .chain(QUEUES.map(|name| Path::new("queue").join(name)))
        {
            fs::create_dir_all(postfix.join(&name)).unwrap();
            chown(postfix.join(&name), Some(OWNER.0), None).unwrap();
        }
        let log = fs::File::create(postfix.join("log")).unwrap();
        let mut command = Command::new(unpacked().join("usr/lib/postfix/sbin/master"));
        command.args(["-s", "-c"]).arg(postfix).env("MAIL_CONFIG", postfix);
        command.env("LD_LIBRARY_PATH", unpacked().join("usr/lib/postfix"));
        let master = command.stdin(Stdio::null()).stdout(log).stderr(Stdio::null()).spawn().unwrap();
        let started = Postfix { _master: Service(master), address, directory };
        until("Postfix listens", || TcpStream::connect(address).ok());
        started
    }

    fn maildir(&self, name: &str) -> PathBuf {
        self.directory.path().join("boxes").join(name)
    }
}

const QUEUES: [&str; 11] = [
    "active", "bounce", "corrupt", "defer", "deferred", "hold", "incoming", "private", "public", "saved",
    "trace",
];

fn main_cf(postfix: &Path) -> String {
    let (unpacked, postfix) = (unpacked(), postfix.display());
    let (unpacked, (id, owner, group)) = (unpacked.display(), OWNER);
    format!(
        "compatibility_level = 3.6\n\
         queue_directory = {postfix}/queue\ndata_directory = {postfix}/data\n\
         command_directory = {unpacked}/usr/sbin\ndaemon_directory = {unpacked}/usr/lib/postfix/sbin\n\
         shlib_directory = {unpacked}/usr/lib/postfix\nmeta_directory = {unpacked}/etc/postfix\n\
         import_environment = MAIL_CONFIG LD_LIBRARY_PATH\n\
         mail_owner = {owner}\nsetgid_group = {group}\nmaillog_file = /dev/stdout\n\
         myhostname = next.example\nmydestination =\nalias_maps =\n\
         inet_interfaces = loopback-only\ninet_protocols = ipv4\n\
         smtpd_relay_restrictions = permit_auth_destination, reject\n\
         virtual_mailbox_domains = example.net, example.org\nvirtual_mailbox_base = {postfix}/boxes\n\
         virtual_mailbox_maps = inline:{{ alice@example.org=alice/, bob@example.net=bob/, carol@example.net=carol/ }}\n\
         virtual_minimum_uid = 1\nvirtual_uid_maps = static:{id}\nvirtual_gid_maps = static:{id}\n"
    )
}

fn master_cf(address: SocketAddr) -> String {
    let mut services = format!("{address} inet n - n - 5 smtpd\n");
    services.push_str("qmgr unix n - n 300 1 qmgr\npostlog unix-dgram n - n - 1 postlogd\n");
    services.push_str("cleanup unix n - n - 0 cleanup\nrewrite unix - - n - - trivial-rewrite\n");
    services.push_str("virtual unix - n n - - virtual\nproxymap unix - - n - - proxymap\n");
    for name in ["bounce", "defer", "trace"] {
        services.push_str(&format!("{name} unix - - n - 0 bounce\n"));
    }
    for name in ["error", "retry"] {
        services.push_str(&format!("{name} unix - - n - - error\n"));
    }
    services + "tlsmgr unix - - n 1000? 1 tlsmgr\nanvil unix - - n - 1 anvil\n"
}

/// RFC 3461 section 5.2.1: Postfix is told what was asked, reports success in these words, and nobody else does.
#[test]
fn it_reports_what_the_sender_has_asked_and_we_do_not() {
    let postfix = Postfix::start();
    let delivery = format!("via = \"smtp://{}\"\ntls = \"off\"", postfix.address);
    let installation = Installation::new(&Settings { delivery, ..Settings::default() });
    installation.add_user(USER, "correct horse");
    let server = installation.start();
    let mut client = server.logged_in(&installation, USER, "correct horse");
    client.expect(&format!("MAIL FROM:<{USER}> RET=HDRS ENVID=order+2066"), 250);
    client.expect("RCPT TO:<bob@example.net> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;Bob+2Bx@example.net", 250);
    client.expect("RCPT TO:<carol@example.net> NOTIFY=NEVER", 250);
    client.expect("DATA", 354);
    client.say(b"From: alice@example.org\r\n\r\nsecret text\r\n.\r\n").unwrap();
    assert_eq!(client.reply().unwrap().code, 250);
    installation.until_queue_is_empty();
    for name in ["bob", "carol"] {
        until_there(&postfix.maildir(name), 1);
    }
    let report = String::from_utf8(until_there(&postfix.maildir("alice"), 1).remove(0)).unwrap();
    for told in [
        "Reporting-MTA: dns; next.example\n",
        "Original-Envelope-Id: order 66\n",
        "Original-Recipient: rfc822;Bob+x@example.net\n",
        "Final-Recipient: rfc822; bob@example.net\n",
        "Action: delivered\n",
    ] {
        assert!(report.contains(told), "no {told:?} in {report}");
    }
    assert!(!report.contains("carol") && !report.contains("secret text"), "{report}");
    assert_eq!(messages(&postfix.maildir("alice")).len(), 1);
}

/// `gatepost send` hands a mailing to a server that others have made.
#[test]
fn it_takes_a_mailing_over_tls() {
    let authority = Authority::new();
    let postfix = Postfix::with(|directory| {
        let (certificate, key) = (directory.join("cert.pem"), directory.join("key.pem"));
        authority.sign().write(&certificate, &key);
        let (certificate, key) = (certificate.display(), key.display());
        format!(
            "smtpd_tls_security_level = encrypt\nsmtpd_tls_cert_file = {certificate}\nsmtpd_tls_key_file = {key}\n"
        )
    });
    let files = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(files.path().join(name), text).unwrap();
    write("ca.pem", &authority.pem());
    write("to.csv", "address,name\nbob@example.net,Bob\ncarol@example.net,Jörg\nnobody@example.net,Nobody\n");
    write("text.txt", "Dear {{name}},\n.\n");
    let port = postfix.address.port().to_string();
    let mut command = Command::new(binary());
    command.current_dir(files.path()).args([
        "send",
        "--host",
        "127.0.0.1",
        "--port",
        &port,
        "--tls",
        "starttls",
    ]);
    command.args(["--ca", "ca.pem", "--from", USER, "--recipients", "to.csv", "--subject", "For {{name}}"]);
    let output = run(command.args(["--text", "text.txt", "--rate", "50/s", "--json"]), "");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let told: Vec<_> = report["recipients"]
        .as_array()
        .unwrap()
        .iter()
        .map(|told| (&told["state"], &told["reason"]))
        .collect();
    assert_eq!(
        told,
        [
            (&json!("sent"), &Value::Null),
            (&json!("sent"), &Value::Null),
            (&json!("refused"), &json!("recipient"))
        ]
    );
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    for (name, text) in [("bob", "Dear Bob,\n.\n"), ("carol", "Dear Jörg,\n.\n")] {
        let message = String::from_utf8(until_there(&postfix.maildir(name), 1).remove(0)).unwrap();
        assert!(
            message.ends_with(text) && message.contains(&format!("To: {name}@example.net\n")),
            "{message}"
        );
    }
}

/// RFC 5321 section 5.1: the best host is not there, so Postfix gets the mail, on port 25.
#[test]
fn the_dns_leads_mail_to_it() {
    let free = port_25().local_addr().unwrap();
    let postfix = Postfix::at(free, |_| String::new());
    let server = FakeDns::start();
    server.set("example.net", [Entry::mx(10, "gone.example.net"), Entry::mx(20, "next.example.net")]);
    server.set("next.example.net", [Entry::Address(free.ip())]);
    let delivery = by_mx(&server, free.ip());
    let installation = Installation::new(&Settings { delivery, ..Settings::default() });
    installation.add_user(USER, "correct horse");
    let started = installation.start();
    let mut client = started.logged_in(&installation, USER, "correct horse");
    let reply = client
        .send(USER, &["bob@example.net", "carol@example.net"], b"Subject: x\r\n\r\nby the DNS\r\n")
        .unwrap();
    assert_eq!(reply.code, 250, "{reply:?}");
    installation.until_queue_is_empty();
    for name in ["bob", "carol"] {
        let found = String::from_utf8(until_there(&postfix.maildir(name), 1).remove(0)).unwrap();
        assert!(found.contains("by the DNS"), "{found}");
    }
}
