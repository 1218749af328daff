//! In whose name mail is taken, from outside: identities that come and go, and headers that pretend.

use tests::client::{Client, Reply};
use tests::server::{Installation, Server, Settings};

const USER: &str = "alice@example.org";
const PASSWORD: &str = "correct horse";

fn house() -> (Installation, Server) {
    let installation = Installation::new(&Settings::default());
    installation.add_user(USER, PASSWORD);
    installation.add_user("bob@example.org", "battery staple");
    let server = installation.start();
    (installation, server)
}

fn mail_from(client: &mut Client, sender: &str) -> u16 {
    let code = client.ask(&format!("MAIL FROM:<{sender}> SMTPUTF8")).unwrap().code;
    client.expect("RSET", 250);
    code
}

/// A message with these header fields; the reply to its end.
fn post(client: &mut Client, header: &str) -> Reply {
    client.expect(&format!("MAIL FROM:<{USER}> SMTPUTF8 BODY=8BITMIME"), 250);
    client.expect("RCPT TO:<carol@example.net>", 250);
    client.expect("DATA", 354);
    client.ask(&format!("{header}\r\nSubject: whose?\r\n\r\nHello.\r\n.")).unwrap()
}

#[test]
fn an_identity_acts_on_a_running_session_at_its_next_mail_and_so_does_its_end() {
    let (installation, server) = house();
    let mut client = server.logged_in(&installation, USER, PASSWORD);
    for (identity, sender) in
        [("sales@example.com", "Sales@Example.COM"), ("*@example.net", "any.body@example.net")]
    {
        assert_eq!(mail_from(&mut client, sender), 553);
        assert!(post(&mut client, &format!("From: {sender}")).lines[0].starts_with("550 5.7.1 "));
        installation.done(&["identity", "add", USER, identity]);
        assert_eq!(mail_from(&mut client, sender), 250);
        assert_eq!(post(&mut client, &format!("From: {sender}")).code, 250);
        installation.done(&["identity", "remove", USER, identity]);
        assert_eq!(mail_from(&mut client, sender), 553);
        assert!(post(&mut client, &format!("From: {sender}")).lines[0].starts_with("550 5.7.1 "));
    }
    assert_eq!(mail_from(&mut client, USER), 250);
}

#[test]
fn a_tag_is_ones_own_until_an_account_has_that_address() {
    let (installation, server) = house();
    let mut client = server.logged_in(&installation, USER, PASSWORD);
    assert_eq!(mail_from(&mut client, "alice+shop@example.org"), 250);
    assert_eq!(post(&mut client, "From: Alice+Shop@example.org").code, 250);
    assert_eq!(mail_from(&mut client, "bob+alice@example.org"), 553);
    installation.add_user("alice+shop@example.org", "another one");
    assert_eq!(mail_from(&mut client, "alice+shop@example.org"), 553);
    assert_eq!(post(&mut client, "From: Alice+Shop@example.org").code, 550);
    assert_eq!(mail_from(&mut client, "alice+other@example.org"), 250);
}

#[test]
fn an_app_password_is_good_for_its_senders_alone() {
    let (installation, server) = house();
    installation.done(&["identity", "add", USER, "*@example.net"]);
    let (_, password) = installation.app_password(USER, &["--sender", "shop@example.net"]);
    let mut client = server.logged_in(&installation, USER, &password);
    for (sender, code) in [
        ("shop@example.net", 250),
        ("SHOP+orders@example.net", 250),
        ("other@example.net", 553),
        (USER, 553),
        ("alice+shop@example.org", 553),
    ] {
        assert_eq!(mail_from(&mut client, sender), code, "{sender}");
    }
    client.expect("MAIL FROM:<shop@example.net>", 250);
    client.expect("RCPT TO:<carol@example.net>", 250);
    client.expect("DATA", 354);
    client.expect("From: alice@example.org\r\n\r\nNot with this one.\r\n.", 550);
    installation.done(&["identity", "remove", USER, "*@example.net"]);
    assert_eq!(mail_from(&mut client, "shop@example.net"), 553);
}

/// Identities that a pretender would like to be taken for.
fn with_identities() -> (Installation, Server) {
    let (installation, server) = house();
    for identity in
        ["sales@example.com", "*@example.net", "jos\u{e9}@b\u{fc}cher.example", "\"a b\"@example.com"]
    {
        installation.done(&["identity", "add", USER, identity]);
    }
    (installation, server)
}

#[test]
fn env_03_all_that_is_ones_own_may_be_written_in_any_way() {
    let (installation, server) = with_identities();
    let mut client = server.logged_in(&installation, USER, PASSWORD);
    for header in [
        "From: sales@example.com",
        "From: \"bob@example.org\" <SALES@Example.COM>",
        "From: bob (bob at example.org) <sales@example.com>",
        "From: =?utf-8?q?bob=40example=2Eorg?= <sales@example.com>",
        "From: \"sales\"@example.com",
        "From: \"sal\\es\"@example.com",
        "From: \"A B\"@example.com",
        "From:\r\n Sales\r\n\t<sales@example.com>",
        "From: sales\r\n @example.com",
        "From: sales(bob@example.org)@example.com",
        "from: sales@example.com, anybody@example.net, Alice <alice+x@example.org>",
        "From: sales@example.com\r\nSender: anybody@EXAMPLE.net",
        "From: sales@example.com\r\nResent-From: alice@example.org",
        "From: Jos\u{e9} <jos\u{e9}@b\u{fc}cher.example>",
        "From: JOSE\u{301}@XN--BCHER-KVA.example",
        "From: *@example.net",
        "From: anybody@example.net.",
        // A name alone is that of whom MAIL has named.
        "From: =?utf-8?q?bob=40example=2Eorg?=",
        // Who is named nowhere else is who MAIL has named.
        "From: ",
        "From: ;",
        "Sender: sales@example.com",
    ] {
        assert_eq!(post(&mut client, header).code, 250, "{header}");
    }
}

#[test]
fn env_03_what_is_anothers_or_has_two_readings_is_refused_whatever_identities_there_are() {
    let (installation, server) = with_identities();
    installation.add_user("alice+boss@example.org", "another one");
    let foreign = [
        "From: bob@example.org",
        "From: sales@example.com, bob@example.org",
        "From: sales@example.com\r\nFrom: bob@example.org",
        "From: bob@example.org\r\nFrom: sales@example.com",
        "From: sales@example.com\r\nfrom : bob@example.org",
        "From : bob@example.org\r\nFrom: sales@example.com",
        "From: sales@example.com\r\nSender: bob@example.org",
        "From: sales@example.com\r\nSender: sales@example.com\r\nSender: bob@example.org",
        "From: sales@example.com\r\nResent-Sender: bob@example.org",
        "From: ours: sales@example.com;",
        "From: ours: sales@example.com, bob@example.org;",
        "From: sales@example.com <bob@example.org>",
        "From: bob@example.org <sales@example.com>",
        "From: <bob@example.org> <sales@example.com>",
        "From: <bob@example.org> sales@example.com",
        "From: sales@example.com (bob@example.org",
        "From: (sales@example.com) <bob@example.org>",
        "From: sales@example.com\r\n , bob@example.org",
        "From: <@example.com:bob@example.org>",
        "From: =?utf-8?q?sales?=@example.com",
        "From: \"sales@example.com\"@evil.test",
        "From: \"sales@example.com\" <bob@example.org>",
        "From: \"sales@example.com> bob\"@evil.test",
        "From: sales+x@example.com",
        "From: sales@example.com.evil.test",
        "From: anybody@sub.example.net",
        "From: anybody@example\u{3002}net",
        "From: anybody@example\u{ff0e}net",
        "From: anybody@ex\u{200b}ample.net",
        "From: anybody@[example.net]",
        "From: anybody@xn--example-.net",
        "From: jose@b\u{fc}cher.example",
        "From: jos\u{e9}@bucher.example",
        "From: jos\u{435}@b\u{fc}cher.example",
        "From: s\u{430}les@example.com",
        "From: \u{ff53}ales@example.com",
        "From: sales\u{200d}@example.com",
        "From: sales\0@example.com",
        "From: sales@example.com\0, bob@example.org",
        "From: *@example.org",
        "From: *@example.com",
        "From: alice+boss@example.org",
        "From: ALICE+Boss@example.org",
        "From: \"alice+ <bob@example.org>\"@example.org",
        "From: alice+@example.org",
        "From: \"alice\\+x y\"@example.org",
    ];
    for header in foreign {
        let mut client = server.logged_in(&installation, USER, PASSWORD);
        let reply = post(&mut client, header);
        let refused = ["550 5.7.1 ", "554 5.6.0 "].iter().any(|code| reply.lines[0].starts_with(code));
        assert!(refused, "{header:?}: {reply:?}");
    }
    assert!(installation.queue().is_empty());
}
