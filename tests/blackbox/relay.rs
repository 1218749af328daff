//! The next host, and every way in which it can say no.

use std::process::Command;

use serde_json::Value;
use tests::authority::Authority;
use tests::server::{Installation, Server, Settings, run, text, until};
use tests::smarthost::{Answer, Script, Smarthost, Tls};

use crate::letter::{awkward, letter};

const USER: &str = "alice@example.org";

/// Gatepost before a scripted next host.
struct Relay {
    next: Smarthost,
    installation: Installation,
    server: Server,
}

impl Relay {
    fn to(script: Script) -> Relay {
        Relay::with(script, |next| format!("via = \"smtp://{}\"\ntls = \"off\"", next.address))
    }

    fn with(script: Script, delivery: impl FnOnce(&Smarthost) -> String) -> Relay {
        let next = Smarthost::start(script);
        let installation = Installation::new(&Settings { delivery: delivery(&next), ..Settings::default() });
        installation.add_user(USER, "correct horse");
        let server = installation.start();
        Relay { next, installation, server }
    }

    /// Sends; the id it got.
    fn send(&self, parameters: &str, to: &[&str], message: &[u8]) -> String {
        let mut client = self.server.logged_in(&self.installation, USER, "correct horse");
        client.expect(&format!("MAIL FROM:<{USER}>{parameters}"), 250);
        for recipient in to {
            client.expect(&format!("RCPT TO:<{recipient}>"), 250);
        }
        client.expect("DATA", 354);
        client.say(&tests::client::stuffed(message)).unwrap();
        let reply = client.reply().unwrap();
        assert_eq!(reply.code, 250, "{reply:?}");
        reply.lines[0].rsplit(' ').next().unwrap().to_owned()
    }

    /// The recipients of this message, as soon as each was tried.
    fn fates(&self, id: &str) -> Vec<Value> {
        until("every recipient was tried", || {
            let shown = self.installation.json(&["queue", "show", id]);
            let recipients = shown["recipients"].as_array().unwrap().clone();
            recipients.iter().all(|recipient| recipient["state"] != "queued").then_some(recipients)
        })
    }
}

fn answering(answer: impl Fn(&str, usize) -> Option<String> + Send + Sync + 'static) -> Script {
    let answer: Answer = Box::new(answer);
    Script { answer, ..Script::default() }
}

fn says(line: &str, start: &str, reply: &str) -> Option<String> {
    line.starts_with(start).then(|| reply.to_owned())
}

#[test]
fn a_message_arrives_as_it_was_sent_and_leaves_the_queue() {
    let relay = Relay::to(Script::default());
    let message = awkward("relayed");
    relay.send(" BODY=8BITMIME", &["bob@example.net", "carol@example.com"], &message);
    let arrived = relay.next.until_messages(1);
    assert_eq!(arrived[0].sender, USER);
    assert_eq!(arrived[0].recipients, ["bob@example.net", "carol@example.com"]);
    assert!(arrived[0].octets.ends_with(&message), "{}", String::from_utf8_lossy(&arrived[0].octets));
    relay.installation.until_queue_is_empty();
    assert_eq!(relay.next.messages().len(), 1);
    assert!(relay.next.lines()[0].starts_with("EHLO mail.example.org"));
}

#[test]
fn dots_at_every_edge_pass_both_ways_unchanged() {
    let relay = Relay::to(Script::default());
    let mut client = relay.server.logged_in(&relay.installation, USER, "correct horse");
    let bodies: Vec<String> = (0..60).map(dotted).collect();
    for (number, body) in bodies.iter().enumerate() {
        client.expect(&format!("MAIL FROM:<{USER}>"), 250);
        client.expect("RCPT TO:<bob@example.net>", 250);
        client.expect("DATA", 354);
        // In pieces, so that lines and dots are cut.
        let octets = tests::client::stuffed(&letter(&number.to_string(), body));
        octets.chunks(1 + number * 7).for_each(|piece| client.say(piece).unwrap());
        assert_eq!(client.reply().unwrap().code, 250);
    }
    let arrived = relay.next.until_messages(bodies.len());
    for (number, body) in bodies.iter().enumerate() {
        let message = letter(&number.to_string(), body);
        assert_eq!(
            arrived.iter().filter(|one| one.octets.ends_with(&message)).count(),
            1,
            "{number}: {body:?}"
        );
    }
}

/// Text of little but dots and line ends, the same for each number.
fn dotted(number: u32) -> String {
    let mut state = number.wrapping_mul(2_654_435_761).wrapping_add(1);
    let mut text = String::new();
    for _ in 0..400 {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        text.push_str([".", "\r\n", "a", ".\r\n", "\r\n."][(state >> 16) as usize % 5]);
    }
    text + "\r\n"
}

#[test]
fn each_recipient_has_its_own_fate() {
    let relay = Relay::to(answering(|line, _| {
        says(line, "RCPT TO:<gone@", "550 5.1.1 no such user")
            .or_else(|| says(line, "RCPT TO:<later@", "450 4.2.1 come back"))
    }));
    let id = relay.send(
        "",
        &["fine@example.net", "gone@example.net", "later@example.net"],
        &letter("fates", "text\r\n"),
    );
    let fates = relay.fates(&id);
    assert_eq!(
        fates.iter().map(|fate| text(fate, "state")).collect::<Vec<_>>(),
        ["delivered", "failed", "deferred"]
    );
    assert!(text(&fates[1], "last_reply").contains("550 5.1.1"), "{}", fates[1]);
    assert!(text(&fates[2], "last_reply").contains("450 4.2.1"), "{}", fates[2]);
    assert_eq!(fates[2]["attempts"], 1);
    assert!(fates[2]["next_attempt_at"].is_string() && fates[1]["next_attempt_at"].is_null());
    assert_eq!(relay.next.messages()[0].recipients, ["fine@example.net"]);
    // The report about the one goes the same way, and the other waits.
    assert_eq!(relay.next.until_messages(2)[1].recipients, [USER]);
    until("the other is left", || (relay.installation.queue().len() == 1).then_some(()));
}

#[test]
fn a_no_after_the_text_counts_for_every_recipient() {
    let relay = Relay::to(answering(|line, _| says(line, ".", "554 5.6.0 not this text")));
    let id = relay.send("", &["a@example.net", "b@example.net"], &letter("refused", "text\r\n"));
    let fates = relay.fates(&id);
    assert!(fates.iter().all(|fate| fate["state"] == "failed"), "{fates:?}");
    assert!(text(&fates[0], "last_reply").contains("554 5.6.0"));
    // What is left is the report about both.
    let queue = relay.installation.queue();
    assert_eq!((queue.len(), text(&queue[0], "sender")), (1, String::new()));
}

#[test]
fn a_host_that_comes_back_gets_the_message_on_retry_and_only_once() {
    let relay = Relay::to(answering(
        |line, before| if before == 0 { says(line, ".", "451 4.3.0 later") } else { None },
    ));
    let id = relay.send("", &["bob@example.net"], &letter("again", "text\r\n"));
    assert_eq!(relay.fates(&id)[0]["state"], "deferred");
    relay.installation.done(&["queue", "retry", &id]);
    assert_eq!(relay.next.until_messages(1).len(), 1);
    relay.installation.until_queue_is_empty();
    assert_eq!(relay.next.messages().len(), 1);
}

#[test]
fn eight_bit_text_is_re_encoded_for_a_host_that_cannot_have_it() {
    let body =
        "na\u{ef}ve, as .\r\n..\r\nFrom here\r\ntrailing  \r\n\ttab\r\n=3D\r\n\r\n\u{1f600}\r\n".repeat(40);
    for script in [Script { capabilities: vec!["PIPELINING", "SIZE"], ..Script::default() }, old_host()] {
        let relay = Relay::to(script);
        relay.send(" BODY=8BITMIME", &["bob@example.net"], &letter("eight", &body));
        let arrived = relay.next.until_messages(1).remove(0);
        relay.installation.until_queue_is_empty();
        let arrived = String::from_utf8(arrived.octets).unwrap();
        assert!(arrived.is_ascii() && arrived.lines().all(|line| line.len() <= 998), "{arrived}");
        assert_eq!(relay.next.until_line("MAIL FROM"), format!("MAIL FROM:<{USER}>"));
        assert_eq!(payload(&arrived), body);
    }
}

/// The body as Python decodes it.
fn payload(message: &str) -> String {
    let script = "import email, sys\nmessage = email.message_from_bytes(sys.stdin.buffer.read())\n\
                  sys.stdout.buffer.write(message.get_payload(decode=True))";
    let output = run(Command::new("python3").args(["-c", script]), message);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Knows no EHLO, as hosts say in trouble, too.
fn old_host() -> Script {
    answering(|line, _| says(line, "EHLO", "502 5.5.2 what?"))
}

#[test]
fn a_host_that_knows_no_ehlo_refuses_nothing_for_good() {
    let relay = Relay::to(answering(|line, _| {
        says(line, "EHLO", "502 5.5.2 what?").or_else(|| says(line, "RCPT", "550 5.7.1 go away"))
    }));
    let id = relay.send("", &["bob@example.net"], &letter("old", "text\r\n"));
    let fates = relay.fates(&id);
    assert_eq!(fates[0]["state"], "deferred");
    assert!(text(&fates[0], "last_reply").contains("550 5.7.1"), "{}", fates[0]);
}

#[test]
fn what_a_signature_covers_is_not_re_encoded() {
    let relay = Relay::to(Script { capabilities: vec!["PIPELINING"], ..Script::default() });
    let signed = [
        b"DKIM-Signature: v=1; a=rsa-sha256; d=example.org; s=s; h=from; bh=eA==; b=eA==\r\n".as_slice(),
        &letter("signed", "na\u{ef}ve\r\n"),
    ];
    let id = relay.send(" BODY=8BITMIME", &["bob@example.net"], &signed.concat());
    let fates = relay.fates(&id);
    assert_eq!(fates[0]["state"], "failed");
    assert!(text(&fates[0], "last_reply").starts_with("554 5.6.3 "), "{}", fates[0]);
    assert!(text(&fates[0], "last_reply").ends_with("a DKIM-Signature covers the body"), "{}", fates[0]);
    // But for the report about it.
    assert!(relay.next.until_messages(1)[0].sender.is_empty());
    assert_eq!(relay.next.messages().len(), 1);
}

#[test]
fn a_utf_8_address_is_not_mangled_for_a_host_that_does_not_know_it() {
    let relay = Relay::to(Script { capabilities: vec!["8BITMIME"], ..Script::default() });
    let id = relay.send(
        " SMTPUTF8",
        &["j\u{fc}rgen@example.net", "bob@b\u{fc}cher.example"],
        &letter("utf8", "text\r\n"),
    );
    let fates = relay.fates(&id);
    assert_eq!(fates[0]["state"], "failed");
    assert!(text(&fates[0], "last_reply").contains("5.6.7"), "{}", fates[0]);
}

#[test]
fn a_host_that_is_down_defers_and_is_named() {
    let relay = Relay::with(Script::default(), |_| {
        // Bound and let go: nobody listens there.
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        format!("via = \"smtp://{free}\"\ntls = \"off\"")
    });
    let id = relay.send("", &["bob@example.net"], &letter("down", "text\r\n"));
    let fates = relay.fates(&id);
    assert_eq!(fates[0]["state"], "deferred");
    assert!(fates[0]["last_reply"].is_string() && fates[0]["last_host"].is_string(), "{}", fates[0]);
}

#[test]
fn the_login_of_the_next_host_waits_for_verified_tls() {
    let (next, authority) = secured(Tls::Asked);
    let installation = relaying(&next, "smtp", &authority.pem());
    let server = installation.start();
    submit(&installation, &server);
    assert_eq!(next.until_messages(1).len(), 1);
    let lines = next.lines();
    let starttls = lines.iter().position(|line| line == "STARTTLS").expect("STARTTLS");
    let auth = lines.iter().position(|line| line.starts_with("AUTH ")).expect("AUTH");
    assert!(starttls < auth, "{lines:?}");
}

#[test]
fn a_next_host_with_tls_from_the_start_is_verified_too() {
    let (next, authority) = secured(Tls::First);
    let installation = relaying(&next, "smtps", &authority.pem());
    let server = installation.start();
    submit(&installation, &server);
    assert_eq!(next.until_messages(1).len(), 1);
    assert!(next.lines().iter().any(|line| line.starts_with("AUTH ")));
}

#[test]
fn a_next_host_nobody_vouches_for_gets_neither_login_nor_message() {
    let (next, _) = secured(Tls::Asked);
    gets_nothing(&next, &Authority::new());
}

#[test]
fn a_next_host_without_starttls_gets_neither_login_nor_message() {
    let next = Smarthost::start(Script { capabilities: vec!["AUTH PLAIN LOGIN"], ..Script::default() });
    gets_nothing(&next, &Authority::new());
}

#[test]
fn what_a_next_host_says_before_tls_is_not_believed_within() {
    let authority = Authority::new();
    let next = Smarthost::start(Script {
        tls: Tls::Asked(authority.sign()),
        capabilities: vec!["8BITMIME"],
        answer: Box::new(|line, _| says(line, "STARTTLS", "220 2.0.0 go\r\n250-evil\r\n250 AUTH PLAIN")),
    });
    gets_nothing(&next, &authority);
}

/// The message waits, and the host has seen neither the login nor the envelope.
fn gets_nothing(next: &Smarthost, authority: &Authority) {
    let installation = relaying(next, "smtp", &authority.pem());
    let server = installation.start();
    let id = submit(&installation, &server);
    until("the message is deferred", || {
        let shown = installation.json(&["queue", "show", &id]);
        (shown["recipients"][0]["state"] == "deferred").then_some(())
    });
    assert!(next.messages().is_empty());
    let lines = next.lines();
    assert!(!lines.iter().any(|line| line.starts_with("AUTH ") || line.starts_with("MAIL ")), "{lines:?}");
}

#[test]
fn held_mail_goes_out_when_it_is_released() {
    let relay = Relay::to(answering(
        |line, before| if before == 0 { says(line, ".", "451 4.3.0 later") } else { None },
    ));
    let id = relay.send("", &["bob@example.net"], &letter("held", "text\r\n"));
    assert_eq!(relay.fates(&id)[0]["state"], "deferred");
    relay.installation.done(&["queue", "hold", &id]);
    assert_eq!(relay.installation.queue()[0]["held"], true);
    relay.installation.done(&["queue", "release", &id]);
    relay.installation.done(&["queue", "retry", &id]);
    assert_eq!(relay.next.until_messages(1).len(), 1);
    relay.installation.until_queue_is_empty();
}

#[test]
fn a_route_that_holds_leaves_others_alone_and_a_release_claims_no_more_than_it_does() {
    let later = |line: &str, before| if before == 0 { says(line, ".", "451 4.3.0 later") } else { None };
    let relay = Relay::with(answering(later), |next| {
        format!(
            "via = \"smtp://{}\"\ntls = \"off\"\n[[delivery.route]]\ndomains = [\"held.example\"]\nvia = \"hold\"",
            next.address
        )
    });
    let both = relay.send("", &["bob@held.example", "carol@example.net"], &letter("both", "text\r\n"));
    let fates = relay.fates(&both);
    assert_eq!((text(&fates[0], "state"), text(&fates[1], "state")), ("held".into(), "deferred".into()));
    assert_eq!(relay.installation.queue()[0]["held"], false);
    let said = relay.installation.done(&["queue", "release", &both]);
    assert!(said.contains("not for all: mail for bob@held.example is held by its route"), "{said}");
    relay.next.until_messages(1);
    until("the one is held, and the other has it", || {
        let fates = relay.fates(&both);
        (fates[0]["state"] == "held" && fates[1]["state"] == "delivered").then_some(())
    });
    let output = relay.installation.run(&["queue", "release", &both], "");
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(
        !output.status.success() && error.contains("stays held: mail for bob@held.example is held by"),
        "{error}"
    );
}

fn secured(tls: fn(tests::authority::Pair) -> Tls) -> (Smarthost, Authority) {
    let authority = Authority::new();
    let tls = tls(authority.sign());
    (
        Smarthost::start(Script {
            tls,
            capabilities: vec!["AUTH PLAIN LOGIN", "8BITMIME"],
            ..Script::default()
        }),
        authority,
    )
}

/// An installation that relays, with a login, to a host that only this root vouches for.
fn relaying(next: &Smarthost, scheme: &str, root: &str) -> Installation {
    let installation = Installation::new(&Settings::default());
    std::fs::write(installation.path("next-ca.pem"), root).unwrap();
    std::fs::write(installation.path("next-password"), "next secret\n").unwrap();
    private(&installation.path("next-password"));
    installation.configure(&Settings {
        delivery: format!(
            "via = \"{scheme}://localhost:{}\"\ntls_ca = \"next-ca.pem\"\nusername = \"gatepost\"\npassword_file = \"next-password\"",
            next.address.port()
        ),
        ..Settings::default()
    });
    installation.add_user(USER, "correct horse");
    installation
}

fn private(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

fn submit(installation: &Installation, server: &Server) -> String {
    let mut client = server.logged_in(installation, USER, "correct horse");
    let reply = client.send(USER, &["bob@example.net"], &letter("onward", "text\r\n")).unwrap();
    assert_eq!(reply.code, 250, "{reply:?}");
    reply.lines[0].rsplit(' ').next().unwrap().to_owned()
}

/// It has the message then, and cutting it off would give its recipients a second copy (RFC 1047).
#[test]
fn a_host_that_ponders_a_message_is_waited_for_when_the_server_stops() {
    let relay = Relay::to(answering(|line, _| {
        if line == "." {
            std::thread::sleep(std::time::Duration::from_secs(11));
        }
        None
    }));
    relay.send("", &["bob@example.net"], &letter("pondered", "Hello.\r\n"));
    relay.next.until_line("DATA");
    relay.server.signal("TERM");
    assert_eq!(relay.server.ended().code(), Some(0));
    assert_eq!((relay.next.messages().len(), relay.installation.queue().len()), (1, 0));
}
