//! SIGHUP: everything but the hostname and the storage is taken up, and neither a connection nor a message is lost.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;

use tests::authority::Authority;
use tests::client::Client;
use tests::maildir::until_there;
use tests::server::{Installation, Server, Settings, until};
use tests::smarthost::{Script, Smarthost, Tls};

const USER: &str = "alice@example.org";
const PASSWORD: &str = "correct horse battery";

struct House {
    installation: Installation,
    server: Server,
}

impl House {
    fn new(settings: &Settings) -> House {
        let installation = Installation::new(settings);
        installation.add_user(USER, PASSWORD);
        let server = installation.start();
        House { installation, server }
    }

    /// Reloads with these settings, which must be taken up; the line that says so.
    fn reload(&self, settings: &Settings) -> String {
        self.installation.configure(settings);
        self.signal("event=reloaded")
    }

    /// Sends SIGHUP, and waits for one more line with these words.
    fn signal(&self, words: &str) -> String {
        let lines = || -> Vec<String> {
            self.server.log().lines().filter(|line| line.contains(words)).map(str::to_owned).collect()
        };
        let before = lines().len();
        self.server.signal("HUP");
        until(words, || lines().get(before).cloned())
    }

    fn session(&self) -> Client {
        self.server.logged_in(&self.installation, USER, PASSWORD)
    }

    fn at(&self, address: SocketAddr) -> Client {
        let mut client = Client::connect(address, &self.installation.authority.client());
        client.handshake().unwrap();
        assert_eq!(client.reply().unwrap().code, 220);
        client
    }
}

fn send(client: &mut Client) {
    let reply =
        client.send(USER, &["bob@example.net"], b"From: alice@example.org\r\n\r\nHello.\r\n").unwrap();
    assert_eq!(reply.code, 250, "{reply:?}");
}

/// The addresses that a line tells, in order.
fn addresses(line: &str) -> Vec<SocketAddr> {
    let words = line.split(['"', ' ']).map(|word| word.trim_start_matches("listen="));
    words.filter_map(|word| word.split_once('/')?.0.parse().ok()).collect()
}

fn maildir(path: &Path) -> Settings {
    Settings { delivery: format!("via = \"maildir:{}\"", path.display()), ..Settings::default() }
}

#[test]
fn listeners_come_and_go_and_their_connections_stay() {
    let house = House::new(&Settings::default());
    let (starttls, implicit) = (house.server.starttls(), house.server.implicit());
    let mut session = house.session();
    // The one with implicit TLS goes, another comes; the first stays, with other settings.
    let listeners = vec!["starttls", "off"];
    let line = house.reload(&Settings { listeners, ..Settings::default() });
    assert_eq!(addresses(&line), [starttls, implicit], "the sockets of both have stayed: {line}");
    session.expect("NOOP", 250);
    let mut plain = Client::connect(implicit, &house.installation.authority.client());
    assert_eq!(plain.reply().unwrap().code, 220, "TLS is off there from now on");
    let line = house.reload(&Settings { listeners: vec!["implicit"], ..Settings::default() });
    assert_eq!(addresses(&line), [starttls]);
    session.expect("NOOP", 250);
    plain.expect("NOOP", 250);
    until("the second listener is closed", || std::net::TcpStream::connect(implicit).err());
    send(&mut {
        let mut client = house.at(starttls);
        client.expect("EHLO client.example", 250);
        assert_eq!(client.auth_plain(USER, PASSWORD).unwrap().code, 235);
        client
    });
    let line = house.reload(&Settings { listeners: vec!["implicit"; 3], ..Settings::default() });
    let all = addresses(&line);
    assert_eq!((all.len(), all[0]), (3, starttls));
    house.at(all[2]).expect("NOOP", 250);
}

/// The old listener has to close before the new one can be bound.
#[test]
fn a_listener_may_move_to_another_address_with_the_same_port() {
    let house = House::new(&Settings::default());
    let port = house.server.implicit().port();
    let file = house.installation.path("gatepost.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let (before, after) = text.rsplit_once("127.0.0.1:0").unwrap();
    for address in ["127.0.0.1", "0.0.0.0", "127.0.0.1"] {
        std::fs::write(&file, format!("{before}{address}:{port}{after}")).unwrap();
        // From port 0 on it is another listener.
        let line = house.signal("event=reload");
        assert!(
            line.contains("event=reloaded") && line.contains(&format!("{address}:{port}/implicit")),
            "{line}"
        );
        house.at(SocketAddr::from(([127, 0, 0, 1], port))).expect("NOOP", 250);
    }
    assert!(!house.server.log().contains("a listener is missing"));
}

#[test]
fn limits_mechanisms_and_tls_hold_for_new_connections() {
    let house = House::new(&Settings::default());
    house.reload(&Settings {
        auth: "mechanisms = [\"LOGIN\"]".to_owned(),
        limits: "recipients = 1".to_owned(),
        ..Settings::default()
    });
    let mut client = house.server.client(&house.installation);
    let offered = client.ask("EHLO client.example").unwrap().lines.join(" ");
    assert!(offered.contains("AUTH LOGIN") && offered.contains("RCPTMAX=1"), "{offered}");
    let file = house.installation.path("gatepost.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("[tls]\n", "[tls]\nmin_version = \"1.3\"\n")).unwrap();
    house.signal("event=reloaded");
    house.at(house.server.implicit());
    let old = format!("openssl s_client -connect {} -tls1_2 </dev/null 2>&1", house.server.implicit());
    let refused = std::process::Command::new("sh").args(["-c", &old]).output().unwrap();
    let told = String::from_utf8_lossy(&refused.stdout);
    assert!(!refused.status.success() && told.contains("protocol version"), "{told}");
}

#[test]
fn mail_takes_the_new_way_also_what_waits_for_the_old_one() {
    // A host that has not answered yet gets one message at a time.
    const AT_ONCE: usize = 1;
    // It never greets.
    let silent = |line: &str, _| line.is_empty().then(String::new);
    let next = Smarthost::start(Script { answer: Box::new(silent), ..Script::default() });
    let delivery = format!("via = \"smtp://{}\"\ntls = \"off\"", next.address);
    let house = House::new(&Settings { delivery, ..Settings::default() });
    let mut client = house.session();
    for _ in 0..AT_ONCE + 3 {
        send(&mut client);
    }
    until("as many are under way as can be", || (next.connections() == AT_ONCE).then_some(()));
    let outbox = house.installation.path("outbox");
    house.reload(&maildir(&outbox));
    assert_eq!(until_there(&outbox, 3).len(), 3);
    send(&mut client);
    assert_eq!(until_there(&outbox, 4).len(), 4);
}

#[test]
fn the_password_for_the_next_host_is_read_again() {
    let authority = Authority::new();
    let answer = |line: &str, _| match line {
        "AUTH PLAIN AHVzAHMzY3JldA==" => Some("235 2.7.0 welcome".to_owned()),
        _ if line.starts_with("AUTH") => Some("535 5.7.8 who are you?".to_owned()),
        _ => None,
    };
    let next = Smarthost::start(Script {
        capabilities: vec!["AUTH PLAIN"],
        tls: Tls::Asked(authority.sign()),
        answer: Box::new(answer),
    });
    let installation = Installation::new(&Settings::default());
    let delivery = format!(
        "via = \"smtp://localhost:{}\"\ntls_ca = \"next.pem\"\nusername = \"us\"\npassword_file = \"password\"",
        next.address.port()
    );
    installation.configure(&Settings { delivery, ..Settings::default() });
    std::fs::write(installation.path("next.pem"), authority.pem()).unwrap();
    std::fs::write(installation.path("password"), "old").unwrap();
    installation.add_user(USER, PASSWORD);
    let house = House { server: installation.start(), installation };
    let mut client = house.session();
    send(&mut client);
    house.server.until_logged("event=relay.unusable");
    std::fs::write(house.installation.path("password"), "s3cret").unwrap();
    house.signal("event=reloaded");
    send(&mut client);
    assert_eq!(next.until_messages(1).len(), 1);
}

#[test]
fn a_bad_configuration_changes_nothing_and_is_told_with_its_place() {
    let house = House::new(&Settings::default());
    let implicit = house.server.implicit();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let good = std::fs::read_to_string(house.installation.path("gatepost.toml")).unwrap();
    let line = good.lines().count() + 1;
    let port = taken.local_addr().unwrap();
    let listen =
        format!("[[listen]]\naddress = \"{port}\"\ntls = \"off\"\n[auth]\nmechanisms = [\"LOGIN\"]\n");
    let delivery = "username = \"us\"\npassword_file = \"nowhere\"";
    let host = good.replace("via = \"hold\"", &format!("via = \"smtp://relay.test:25\"\n{delivery}"));
    let of_another = good.replace("fullchain.pem", "privkey.pem");
    let none = good.replace("privkey.pem", "nowhere.pem");
    let renamed = none.replace("\"mail.example.org\"", "\"other.example.org\"");
    // The place of a text in a file, counted from 1.
    let place = |file: &str, text: &str| {
        let (before, _) = file.split_once(text).unwrap();
        let column = before.rsplit('\n').next().unwrap().chars().count() + 1;
        format!("gatepost.toml:{}:{column}: ", before.matches('\n').count() + 1)
    };
    let listening = good.replace("[auth]\n", &listen);
    for (text, words) in [
        (format!("{good}nonsense = 1\n"), format!("gatepost.toml:{line}:1: log.nonsense")),
        (listening.clone(), format!("{}cannot listen on {port}", place(&listening, &format!("\"{port}\"")))),
        (host.clone(), format!("{}delivery.password_file: cannot read", place(&host, "\"nowhere\""))),
        (of_another.clone(), format!("{}[tls]", place(&of_another, "\"privkey.pem\""))),
        (none.clone(), format!("{}[tls]", place(&none, "\"nowhere.pem\""))),
        // What would have to wait for a restart is no news of a configuration that is not taken up.
        (renamed.clone(), format!("{}[tls]", place(&renamed, "\"nowhere.pem\""))),
    ] {
        std::fs::write(house.installation.path("gatepost.toml"), text).unwrap();
        let told = house.signal("event=reload.failed");
        assert!(told.contains(&words), "{words}: {told}");
        let offered = house.at(implicit).ask("EHLO client.example").unwrap().lines.join(" ");
        assert!(offered.contains("AUTH PLAIN LOGIN"), "{offered}");
    }
    assert!(!house.server.log().contains("event=reload.partial"), "{}", house.server.log());
    send(&mut house.session());
}

#[test]
fn what_is_not_taken_up_is_named() {
    let house = House::new(&Settings::default());
    let file = house.installation.path("gatepost.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(
        &file,
        text.replace("hostname = \"mail.example.org\"", "hostname = \"other.example.org\""),
    )
    .unwrap();
    let told = house.signal("event=reload.partial");
    assert!(told.contains("key=hostname"), "{told}");
    house.server.until_logged("event=reloaded");
    let mut client = house.server.client(&house.installation);
    assert!(client.ask("EHLO client.example").unwrap().lines[0].contains("mail.example.org"));
}

#[test]
fn the_level_of_the_log_changes() {
    let house = House::new(&Settings::default());
    let delivery =
        "via = \"hold\"\n[[delivery.route]]\ndomains = [\"held.example\"]\nvia = \"hold\"".to_owned();
    house.installation.configure(&Settings {
        log: "level = \"warn\"".to_owned(),
        delivery,
        ..Settings::default()
    });
    // What is said behind the reload of this configuration, and not before.
    house.signal("key=delivery.route.via");
    send(&mut house.session());
    house.reload(&Settings::default());
    assert!(!house.server.log().contains("event=accepted"), "{}", house.server.log());
    send(&mut house.session());
    house.server.until_logged("event=accepted");
}

/// Clients come and send all the time, and mail leaves by one way or the other.
#[test]
fn nothing_is_lost_while_the_server_reloads() {
    const MESSAGES: usize = 60;
    let house = House::new(&Settings::default());
    let boxes = ["one", "two"].map(|name| house.installation.path(name));
    house.reload(&maildir(&boxes[0]));
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let sending: Vec<_> = (0..3)
            .map(|_| scope.spawn(|| (0..MESSAGES / 3).for_each(|_| send(&mut house.session()))))
            .collect();
        scope.spawn(|| {
            for outbox in
                boxes.iter().cycle().take_while(|_| !done.load(std::sync::atomic::Ordering::Relaxed))
            {
                house.reload(&maildir(outbox));
            }
        });
        sending.into_iter().for_each(|thread| thread.join().unwrap());
        done.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    house.installation.until_queue_is_empty();
    let found = |path: &Path| std::fs::read_dir(path.join("new")).map_or(0, |files| files.count());
    assert_eq!(boxes.iter().map(|path| found(path)).sum::<usize>(), MESSAGES);
}
