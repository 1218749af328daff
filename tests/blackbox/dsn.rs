//! What senders ask about notifications (RFC 3461): a next host that offers DSN is told it word for word, whichever program has asked;
//! else it is done here.

use std::path::Path;
use std::process::Command;

use tests::server::{Installation, Server, Settings, binary, run, text};
use tests::smarthost::{Script, Smarthost};

const USER: &str = "alice@example.org";

struct House {
    next: Smarthost,
    installation: Installation,
    server: Server,
    password: String,
}

impl House {
    /// Before a next host with DSN.
    fn open() -> House {
        let mut script = Script::default();
        script.capabilities.push("DSN");
        House::before(script)
    }

    fn before(script: Script) -> House {
        let next = Smarthost::start(script);
        let delivery = format!("via = \"smtp://{}\"\ntls = \"off\"", next.address);
        let installation = Installation::new(&Settings { delivery, ..Settings::default() });
        installation.add_user(USER, "correct horse");
        let (_, password) = installation.app_password(USER, &[]);
        let server = installation.start();
        House { next, installation, server, password }
    }

    /// Hands in a message with these parameters of MAIL, and of RCPT for each recipient.
    fn hand_in(&self, mail: &str, recipients: &[(&str, &str)]) {
        let mut client = self.server.logged_in(&self.installation, USER, "correct horse");
        client.expect(&format!("MAIL FROM:<{USER}> {mail}"), 250);
        for (recipient, asked) in recipients {
            client.expect(&format!("RCPT TO:<{recipient}> {asked}"), 250);
        }
        client.expect("DATA", 354);
        client.say(b"From: alice@example.org\r\n\r\nx\r\n.\r\n").unwrap();
        assert_eq!(client.reply().unwrap().code, 250);
    }

    /// The reports that have gone to Alice once nothing is on its way any more.
    fn reports(&self) -> Vec<String> {
        self.installation.until_queue_is_empty();
        let reports = self.next.messages().into_iter().filter(|message| message.recipients == [USER]);
        reports.map(|report| String::from_utf8(report.octets).unwrap()).collect()
    }

    /// Lets a program send `input` to Bob; what the next host was then told of the message and of him.
    fn sends(&self, program: &str, arguments: &[&str], input: &str) -> [String; 2] {
        let target = binary().parent().and_then(Path::parent).unwrap();
        let mut command = Command::new(program);
        command.args(arguments);
        command.env("SMTP_PORT", self.server.implicit().port().to_string());
        command.env("SMTP_CA", self.installation.path("ca.pem")).env("SMTP_PASSWORD", &self.password);
        command.env("NODE_MODULES", target.join("readers/node_modules"));
        let output = run(&mut command, input);
        assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
        self.next.until_messages(1);
        ["MAIL FROM:<alice@example.org>", "RCPT TO:<bob@example.net>"].map(|start| {
            let line = self.next.until_line(start);
            // How large a message is depends on the program.
            let words = line.strip_prefix(start).unwrap().split(' ').filter(|word| !word.is_empty());
            words.filter(|word| !word.starts_with("SIZE=")).collect::<Vec<_>>().join(" ")
        })
    }
}

#[test]
fn pythons_smtplib_with_options() {
    let script = "import os, smtplib, ssl\n\
        context = ssl.create_default_context(cafile=os.environ['SMTP_CA'])\n\
        client = smtplib.SMTP_SSL('localhost', int(os.environ['SMTP_PORT']), context=context)\n\
        client.login('alice@example.org', os.environ['SMTP_PASSWORD'])\n\
        assert client.has_extn('dsn')\n\
        client.sendmail('alice@example.org', ['bob@example.net'], 'From: alice@example.org\\r\\n\\r\\nx',\n\
        \x20   mail_options=['RET=HDRS', 'ENVID=order+2066'],\n\
        \x20   rcpt_options=['NOTIFY=SUCCESS,DELAY', 'ORCPT=rfc822;Bob+2Bx@example.net'])\n\
        client.quit()\n";
    let told = House::open().sends("python3", &["-"], script);
    assert_eq!(told, ["RET=HDRS ENVID=order+2066", "NOTIFY=SUCCESS,DELAY ORCPT=rfc822;Bob+2Bx@example.net"]);
}

#[test]
fn msmtp_with_dsn_notify_and_dsn_return() {
    let script = "exec msmtp --host=localhost --port=\"$SMTP_PORT\" --tls=on --tls-starttls=off --tls-trust-file=\"$SMTP_CA\" \
        --auth=plain --user=alice@example.org --passwordeval='echo \"$SMTP_PASSWORD\"' --from=alice@example.org \
        --dsn-notify=failure,delay --dsn-return=full bob@example.net";
    let told = House::open().sends("sh", &["-c", script], "From: alice@example.org\n\nx\n");
    assert_eq!(told, ["RET=FULL", "NOTIFY=FAILURE,DELAY ORCPT=rfc822;bob@example.net"]);
}

#[test]
fn perls_net_smtp_with_envelope_and_notify() {
    let script = "use Net::SMTP;\n\
        my $client = Net::SMTP->new('localhost', Port => $ENV{SMTP_PORT}, SSL => 1, SSL_ca_file => $ENV{SMTP_CA}) or die $@;\n\
        $client->auth('alice@example.org', $ENV{SMTP_PASSWORD}) or die $client->message;\n\
        $client->mail('alice@example.org', Return => 'HDRS', Envelope => 'a=b c') or die $client->message;\n\
        $client->to('bob@example.net', { Notify => ['NEVER'] }) or die $client->message;\n\
        $client->data(\"From: alice\\@example.org\\n\\nx\\n\") or die $client->message;\n\
        $client->quit;\n";
    let told = House::open().sends("perl", &["-"], script);
    assert_eq!(told, ["RET=HDRS ENVID=a+3Db+20c", "NOTIFY=NEVER ORCPT=rfc822;bob@example.net"]);
}

#[test]
fn nodemailer_with_its_dsn_option() {
    let script = "const { createRequire } = require('node:module');\n\
        const { SMTP_PORT, SMTP_CA, SMTP_PASSWORD, NODE_MODULES } = process.env;\n\
        const nodemailer = createRequire(NODE_MODULES + '/here.js')('nodemailer');\n\
        nodemailer.createTransport({ host: 'localhost', port: Number(SMTP_PORT), secure: true,\n\
        \x20 tls: { ca: require('node:fs').readFileSync(SMTP_CA) }, auth: { user: 'alice@example.org', pass: SMTP_PASSWORD } })\n\
        .sendMail({ from: 'alice@example.org', to: 'bob@example.net', text: 'x',\n\
        \x20 dsn: { id: 'order 66', return: 'headers', notify: ['success', 'failure'], recipient: 'alice@example.org' } })\n\
        .catch((error) => { console.error(error.message); process.exitCode = 1; });\n";
    let told = House::open().sends("node", &["-"], script);
    assert_eq!(told, ["RET=HDRS ENVID=order+2066", "NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;alice@example.org"]);
}

/// RFC 3461 section 5.2.2 (b).
#[test]
fn of_a_host_without_dsn_success_is_reported_as_relayed_once_for_all_who_have_it() {
    let house = House::before(Script::default());
    let asked = "NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;all@example.net";
    let recipients = [("bob@example.net", asked), ("carol@example.net", asked), ("dave@example.net", "")];
    house.hand_in("ENVID=order+2066", &recipients);
    let reports = house.reports();
    let [report] = &reports[..] else { panic!("{reports:#?}") };
    assert_eq!(report.matches("Action: relayed\r\n").count(), 2, "{report}");
    assert_eq!(report.matches("Original-Recipient: rfc822; all@example.net\r\n").count(), 2, "{report}");
    assert!(report.contains("Original-Envelope-Id: order 66\r\n"), "{report}");
    assert!(!report.contains("dave@example.net"), "{report}");
}

/// RFC 3461 section 5.2.1.
#[test]
fn success_at_a_host_with_dsn_is_its_own_to_report() {
    let house = House::open();
    house.hand_in("", &[("bob@example.net", "NOTIFY=SUCCESS")]);
    house.next.until_messages(1);
    assert_eq!(house.reports(), [""; 0]);
}

#[test]
fn a_failure_is_reported_unless_the_sender_wants_to_hear_nothing() {
    let nobody = |line: &str, _| line.starts_with("RCPT TO:<no").then(|| "550 5.1.1 nobody".to_owned());
    let house = House::before(Script { answer: Box::new(nobody), ..Script::default() });
    let recipients = [
        ("no1@example.net", "NOTIFY=NEVER"),
        ("no2@example.net", "NOTIFY=SUCCESS"),
        ("no3@example.net", "NOTIFY=FAILURE"),
        ("no4@example.net", ""),
    ];
    house.hand_in("RET=FULL", &recipients);
    let reports = house.reports();
    let [report] = &reports[..] else { panic!("{reports:#?}") };
    let failed = |recipient: &str| {
        report.contains(&format!("Final-Recipient: rfc822; {recipient}\r\nAction: failed\r\n"))
    };
    assert_eq!(recipients.map(|(recipient, _)| failed(recipient)), [false, false, true, true], "{report}");
    assert!(report.contains("\r\n\r\nx\r\n"), "{report}");
}

#[test]
fn what_was_asked_is_shown_with_a_message_in_the_queue() {
    let installation =
        Installation::new(&Settings { delivery: "via = \"hold\"".into(), ..Settings::default() });
    installation.add_user(USER, "correct horse");
    let server = installation.start();
    let mut client = server.logged_in(&installation, USER, "correct horse");
    client.expect("MAIL FROM:<alice@example.org> RET=HDRS ENVID=order+2066", 250);
    client.expect("RCPT TO:<bob@example.net> NOTIFY=NEVER ORCPT=rfc822;B+2Bx@example.net", 250);
    client.expect("RCPT TO:<carol@example.net>", 250);
    client.expect("DATA", 354);
    client.say(b"From: alice@example.org\r\n\r\nx\r\n.\r\n").unwrap();
    let id = client.reply().unwrap().lines[0].rsplit(' ').next().unwrap().to_owned();
    let shown = installation.json(&["queue", "show", &id]);
    assert_eq!((text(&shown, "envid").as_str(), text(&shown, "ret").as_str()), ("order 66", "HDRS"));
    let [bob, carol] = [0, 1].map(|number| &shown["recipients"][number]);
    assert_eq!(
        (text(bob, "notify").as_str(), text(bob, "orcpt").as_str()),
        ("NEVER", "rfc822;B+x@example.net")
    );
    assert!(carol["notify"].is_null() && carol["orcpt"].is_null());
    let told = installation.done(&["queue", "show", &id]);
    assert!(told.contains("order 66") && told.contains("HDRS") && told.contains("NEVER"), "{told}");
}
