//! What is not made of lines (BINARYMIME, RFC 3030): a program hands in octets of all values by BDAT, and they arrive as they were at a host that takes
//! them, and say the same at one that does not.

use std::process::Command;

use tests::play::Accepted;
use tests::server::{Installation, Server, Settings, run};
use tests::smarthost::{Script, Smarthost};

const USER: &str = "alice@example.org";
const BOB: &str = "bob@example.net";

/// Sends a message whose parts are made by Python itself, and read by Python again.
const PROGRAM: &str = r#"
import base64, email, email.policy, os, smtplib, ssl, sys
octets = bytes(range(256)) * 300 + b'\r\n.\r\n\n.\n\r\r\n--c\n' + b'x' * 5000
text = 'Gr\u00fc\u00dfe\nof Unix\n'.encode() + b'y' * 2000
head = (b'From: alice@example.org\r\nTo: bob@example.net\r\nSubject: s\r\nMIME-Version: 1.0\r\n'
        b'Content-Type: multipart/' + sys.argv[2].encode() + b'; boundary=c; protocol="a/b"\r\nContent-Transfer-Encoding: binary\r\n\r\n')
parts = [(b'image/png', octets), (b'text/plain; charset=utf-8', text)]
body = b''.join(b'--c\r\nContent-Type: %s\r\nContent-Transfer-Encoding: binary\r\n\r\n%s\r\n' % part for part in parts)
message = head + body + b'--c--'
if sys.argv[1] == 'send':
    context = ssl.create_default_context(cafile=os.environ['SMTP_CA'])
    client = smtplib.SMTP_SSL('localhost', int(os.environ['SMTP_PORT']), context=context)
    client.login('alice@example.org', 'correct horse')
    assert client.has_extn('binarymime') and client.has_extn('chunking')
    assert client.mail('alice@example.org', ['BODY=BINARYMIME', 'RET=FULL'])[0] == 250
    assert client.rcpt('bob@example.net')[0] == 250
    assert client.docmd('DATA')[0] == 503
    for start in range(0, len(message), 40000):
        chunk = message[start:start + 40000]
        last = b' LAST' if start + 40000 >= len(message) else b''
        client.sock.sendall(b'BDAT %d%s\r\n' % (len(chunk), last) + chunk)
        code, reply = client.getreply()
        assert code == 250, reply
    client.quit()
    sys.exit()
arrived = base64.b64decode(sys.stdin.read())
if sys.argv[1] == 'same':
    assert arrived.endswith(message[len(head) - 2:]), arrived
else:
    assert b'\0' not in arrived and arrived.count(b'\n') == arrived.count(b'\r') == arrived.count(b'\r\n')
    assert max(map(len, arrived.split(b'\r\n'))) <= 998 and b'binary' not in arrived
    read = email.message_from_bytes(arrived, policy=email.policy.SMTP)
    found = [part.get_payload(decode=True) for part in read.iter_parts()]
    assert found == [octets, text], found
"#;

struct House {
    next: Smarthost,
    installation: Installation,
    server: Server,
}

impl House {
    fn before(offered: &[&'static str]) -> House {
        let mut script = Script::default();
        script.capabilities.extend(offered);
        let next = Smarthost::start(script);
        let delivery = format!("via = \"smtp://{}\"\ntls = \"off\"", next.address);
        let installation = Installation::new(&Settings { delivery, ..Settings::default() });
        installation.add_user(USER, "correct horse");
        let server = installation.start();
        House { next, installation, server }
    }

    /// Runs the program; `arrived` is what came to the next host.
    fn python(&self, arguments: &[&str], arrived: &[u8]) {
        use base64::Engine as _;
        let mut command = Command::new("python3");
        command.args(["-c", PROGRAM]).args(arguments);
        command.env("SMTP_PORT", self.server.implicit().port().to_string());
        command.env("SMTP_CA", self.installation.path("ca.pem"));
        let input = base64::engine::general_purpose::STANDARD.encode(arrived);
        let output = run(&mut command, &input);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn arrived(&self) -> Accepted {
        self.python(&["send", "mixed"], b"");
        self.next.until_messages(1).remove(0)
    }
}

#[test]
fn octets_arrive_as_they_were_at_a_host_that_takes_them() {
    let house = House::before(&["CHUNKING", "BINARYMIME"]);
    let arrived = house.arrived();
    house.python(&["same", "mixed"], &arrived.octets);
    assert!(
        house.next.lines().iter().any(|line| line.starts_with("MAIL") && line.ends_with(" BODY=BINARYMIME"))
    );
    let all = house.next.lines();
    assert!(
        all.contains(&format!("BDAT {} LAST", arrived.octets.len())) && !all.contains(&"DATA".to_owned()),
        "{all:?}"
    );
}

#[test]
fn octets_are_encoded_part_by_part_for_a_host_that_does_not() {
    for offered in [&[][..], &["CHUNKING"], &["BINARYMIME"]] {
        let house = House::before(offered);
        let arrived = house.arrived();
        house.python(&["meant", "mixed"], &arrived.octets);
        let lines = house.next.lines();
        assert!(
            !lines.iter().any(|line| line.contains("BINARYMIME") || line.starts_with("BDAT")),
            "{lines:?}"
        );
    }
}

/// RFC 6376 section 5.3: what would be re-encoded on its way, and so lose its signature, is re-encoded before.
#[test]
fn what_is_signed_here_is_encoded_before_whatever_the_host_takes() {
    let house = House::before(&["CHUNKING", "BINARYMIME"]);
    house.installation.done(&[
        "dkim",
        "generate",
        "example.org",
        "--selector",
        "s",
        "--algorithm",
        "ed25519",
    ]);
    house.installation.done(&["dkim", "activate", "example.org", "--selector", "s"]);
    let arrived = house.arrived();
    house.python(&["meant", "mixed"], &arrived.octets);
    let judged = crate::dkim::judged(&house.installation, &arrived.octets);
    assert_eq!(judged.len(), 1, "{judged:?}");
    assert_eq!(judged[0]["holds"], true, "{judged:?}");
}

#[test]
fn what_may_not_be_encoded_is_returned_by_a_host_that_does_not_take_it() {
    let house = House::before(&[]);
    house.python(&["send", "signed"], b"");
    let report = house.next.until_messages(1).remove(0);
    assert_eq!((report.sender.as_str(), report.recipients.as_slice()), ("", &[USER.to_owned()][..]));
    let told = String::from_utf8(report.octets).unwrap();
    assert!(
        told.contains("\r\nStatus: 5.6.3\r\n") && told.contains("Content-Type: text/rfc822-headers"),
        "{told}"
    );
    house.installation.until_queue_is_empty();
    let house = House::before(&["CHUNKING", "BINARYMIME"]);
    house.python(&["send", "signed"], b"");
    house.python(&["same", "signed"], &house.next.until_messages(1)[0].octets);
}

/// As it comes in where nothing is repaired.
#[test]
fn a_header_in_utf_8_is_encoded_on_its_way_out_where_it_was_not_on_its_way_in() {
    let mut script = Script::default();
    script.capabilities.retain(|name| *name != "SMTPUTF8");
    let next = Smarthost::start(script);
    let delivery = format!("via = \"smtp://{}\"\ntls = \"off\"", next.address);
    let submission = "repair = false".to_owned();
    let installation = Installation::new(&Settings { delivery, submission, ..Settings::default() });
    installation.add_user(USER, "correct horse");
    let server = installation.start();
    let mut client = server.logged_in(&installation, USER, "correct horse");
    client.expect(&format!("MAIL FROM:<{USER}> SMTPUTF8 BODY=8BITMIME"), 250);
    client.expect(&format!("RCPT TO:<{BOB}>"), 250);
    client.expect("DATA", 354);
    client
        .say(
            format!("From: Al\u{ef}ce <{USER}>\r\nSubject: na\u{ef}ve\r\n\r\nna\u{ef}ve\r\n.\r\n").as_bytes(),
        )
        .unwrap();
    assert_eq!(client.reply().unwrap().code, 250);
    let arrived = String::from_utf8(next.until_messages(1).remove(0).octets).unwrap();
    assert!(arrived.contains("\r\nSubject: =?utf-8?q?na=C3=AFve?=\r\n"), "{arrived}");
    assert!(
        arrived.ends_with("\r\n\r\nna\u{ef}ve\r\n")
            && arrived.contains("=?utf-8?q?Al=C3=AFce?= <alice@example.org>"),
        "{arrived}"
    );
}
