//! Behind proxies that others wrote: the server knows the client, and the client notices nothing.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tests::server::{Installation, Server, Settings, run, text, until};

const USER: &str = "alice@example.org";
const PASSWORD: &str = "correct horse";

/// Where the client connects from, and the proxy does not.
const CLIENT: &str = "127.0.0.77";

struct House {
    installation: Installation,
    server: Server,
    addresses: Vec<SocketAddr>,
}

impl House {
    /// With these listeners, which believe 127.0.0.1 as `listen` says.
    fn behind(listeners: &[&'static str], listen: &str) -> House {
        let (listeners, listen) = (listeners.to_vec(), listen.to_owned());
        let installation = Installation::new(&Settings { listeners, listen, ..Settings::default() });
        installation.add_user(USER, PASSWORD);
        let server = installation.start();
        let addresses = server.until_ready();
        House { installation, server, addresses }
    }

    fn path(&self, name: &str) -> String {
        self.installation.path(name).display().to_string()
    }

    fn write(&self, name: &str, octets: &str) -> String {
        std::fs::write(self.installation.path(name), octets).unwrap();
        self.path(name)
    }

    /// The result, mechanism and address of each login; those that are alike stand in one entry.
    fn logins(&self) -> Vec<(String, String, String)> {
        let listed = self.installation.json(&["audit", "list", "--action", "login"]);
        let alike = |entry: &Value| {
            let login = (text(entry, "result"), text(entry, "mechanism"), text(entry, "ip"));
            vec![login; entry["count"].as_u64().unwrap().try_into().unwrap()]
        };
        listed.as_array().unwrap().iter().flat_map(alike).collect()
    }

    fn until_logins(&self, number: usize) -> Vec<(String, String, String)> {
        until("the logins are in the audit trail", || Some(self.logins()).filter(|all| all.len() >= number))
    }

    /// curl, as a client at [`CLIENT`], hands in a letter.
    fn curl(&self, url: &str, more: &[&str], password: &str) -> bool {
        let letter = self.write("letter", &format!("From: {USER}\r\nSubject: hello\r\n\r\nhello\r\n"));
        let mut curl = Command::new("curl");
        curl.args(["-sS", "--interface", CLIENT, "--cacert", &self.path("ca.pem"), "--resolve"])
            .arg(format!("mail.example.org:{}:127.0.0.1", url.rsplit(':').next().unwrap_or_default()))
            .args([url, "--user", &format!("{USER}:{password}"), "--mail-from", USER])
            .args(["--mail-rcpt", "bob@example.net", "--upload-file", &letter, "--max-time", "20"])
            .args(more);
        run(&mut curl, "").status.success()
    }
}

/// A proxy that runs until the test ends.
struct Proxy {
    child: Child,
    ports: Vec<u16>,
}

impl Proxy {
    /// Starts the command that is made for some free ports. Another program may take one first; then there are others.
    fn start(number: usize, command: impl Fn(&[u16]) -> Command) -> Proxy {
        until("the proxy listens", || {
            let ports = free_ports(number);
            let child = command(&ports).stdin(Stdio::null()).spawn().unwrap();
            let mut proxy = Proxy { child, ports };
            until("it listens, or has given up", || proxy.listens()).then_some(proxy)
        })
    }

    fn listens(&mut self) -> Option<bool> {
        match self.child.try_wait().unwrap() {
            Some(_) => Some(false),
            None => {
                self.ports.iter().all(|port| TcpStream::connect(("127.0.0.1", *port)).is_ok()).then_some(true)
            }
        }
    }

    fn url(&self, scheme: &str, number: usize) -> String {
        format!("{scheme}://mail.example.org:{}", self.ports[number])
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_ports(number: usize) -> Vec<u16> {
    let listeners: Vec<_> = (0..number).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    listeners.iter().map(|listener| listener.local_addr().unwrap().port()).collect()
}

fn haproxy(house: &House) -> Proxy {
    let [starttls, implicit] = house.addresses[..] else { panic!("two listeners") };
    let pair =
        ["fullchain.pem", "privkey.pem"].map(|name| std::fs::read_to_string(house.path(name)).unwrap());
    let (pair, authority) = (house.write("pair.pem", &pair.concat()), house.path("ca.pem"));
    Proxy::start(4, |ports| {
        let doors = [
            (String::new(), format!("{implicit} send-proxy check inter 100")),
            (String::new(), format!("{implicit} send-proxy-v2 check inter 100")),
            (String::new(), format!("{starttls} send-proxy-v2")),
            // TLS ends here and begins anew; the header says what it was.
            (
                format!(" ssl crt {pair}"),
                format!("{implicit} send-proxy-v2-ssl-cn ssl ca-file {authority} verify required"),
            ),
        ];
        let mut file =
            "defaults\n mode tcp\n timeout connect 5s\n timeout client 30s\n timeout server 30s\n".to_owned();
        for ((bind, server), port) in doors.iter().zip(ports) {
            file.push_str(&format!(
                "listen to{port}\n bind 127.0.0.1:{port}{bind}\n server gatepost {server}\n"
            ));
        }
        let mut command = Command::new("haproxy");
        command.args(["-db", "-q", "-f", &house.write("haproxy.cfg", &file)]);
        command
    })
}

#[test]
fn haproxy_says_who_the_client_is() {
    let house = House::behind(&["starttls", "implicit"], "proxy_protocol = [\"127.0.0.1\"]");
    let proxy = haproxy(&house);
    for (number, scheme, more) in
        [(0, "smtps", &[][..]), (1, "smtps", &[]), (2, "smtp", &["--ssl-reqd"]), (3, "smtps", &[])]
    {
        assert!(house.curl(&proxy.url(scheme, number), more, PASSWORD), "{number}");
    }
    assert!(!house.curl(&proxy.url("smtps", 1), &[], "wrong"));
    let logins = house.until_logins(5);
    assert!(logins.iter().all(|(_, _, ip)| ip == CLIENT), "{logins:?}");
    assert_eq!(house.installation.queue().len(), 4);
    let line = house.server.until_logged("peer=127.0.0.77:");
    assert!(line.contains("proxy=127.0.0.1:") && line.contains("event=session"), "{line}");
    assert!(!house.server.log().contains("proxy.refused"), "its checks of health are served too");

    // Past the proxy, from the proxy's own address, nobody gets in.
    let gatepost = format!("smtps://mail.example.org:{}", house.addresses[1].port());
    assert!(!house.curl(&gatepost, &["--interface", "127.0.0.1"], PASSWORD));
    house.server.until_logged("event=proxy.refused");
}

/// Tells nginx that every login is right, and where Gatepost is: what nginx asks by HTTP for each.
fn says_yes(gatepost: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for socket in listener.incoming().map_while(Result::ok) {
            let lines = BufReader::new(&socket).lines().map_while(Result::ok);
            lines.take_while(|line| !line.is_empty()).for_each(drop);
            let (ip, port) = (gatepost.ip(), gatepost.port());
            let _ = write!(
                &socket,
                "HTTP/1.0 200 OK\r\nAuth-Status: OK\r\nAuth-Server: {ip}\r\nAuth-Port: {port}\r\n\r\n"
            );
        }
    });
    address
}

fn nginx(house: &House, more: &str) -> Proxy {
    let asked = says_yes(house.addresses[0]);
    let directory = house.path("");
    Proxy::start(1, |ports| {
        let file = format!(
            "load_module /usr/lib/nginx/modules/ngx_mail_module.so;\ndaemon off;\nmaster_process off;\n\
             pid {directory}/nginx.pid;\nerror_log {directory}/nginx.log info;\nevents {{}}\n\
             mail {{\n auth_http {asked}/;\n server {{\n  listen 127.0.0.1:{};\n  protocol smtp;\n  smtp_auth plain login;\n  {more}\n }}\n}}\n",
            ports[0]
        );
        let mut command = Command::new("nginx");
        command.args(["-p", &directory, "-e", "stderr", "-c", &house.write("nginx.conf", &file)]);
        command
    })
}

#[test]
fn nginx_logs_the_client_in() {
    let house = House::behind(&["off"], "xclient = [\"127.0.0.1\"]\nxclient_login = true");
    let proxy = nginx(&house, "");
    assert!(house.curl(&proxy.url("smtp", 0), &[], "whatever nginx has been content with"));
    assert_eq!(house.installation.queue().len(), 1);
    let (yes, no) = ("success".to_owned(), "failure".to_owned());
    let (by, client) = ("XCLIENT".to_owned(), CLIENT.to_owned());
    assert_eq!(house.until_logins(1), [(yes.clone(), by.clone(), client.clone())]);

    // The word of a proxy opens no door that is shut.
    house.installation.done(&["user", "disable", USER]);
    assert!(!house.curl(&proxy.url("smtp", 0), &[], PASSWORD));
    let logins = house.until_logins(2);
    assert_eq!(logins.len(), 2);
    assert!(logins.contains(&(no, by, client)), "{logins:?}");
    assert_eq!(house.installation.queue().len(), 1);
}

/// Behind the login nginx passes on whatever its client says. Without TLS between the two, the client could also begin TLS
/// with Gatepost itself.
#[test]
fn what_nginx_passes_on_is_the_word_of_its_client() {
    let house = House::behind(&["starttls"], "xclient = [\"127.0.0.1\"]\nxclient_login = true");
    house.installation.add_user("mallory@example.org", PASSWORD);
    let proxy = nginx(&house, "");
    for (greeting, attack) in [
        ("EHLO laptop", "XCLIENT LOGIN=alice@example.org"),
        ("EHLO laptop", "XCLIENT ADDR=203.0.113.9"),
        ("EHLO laptop", "STARTTLS"),
        // Then nginx says no EHLO either.
        ("NOOP", "XCLIENT LOGIN=alice@example.org"),
    ] {
        let socket = TcpStream::connect(("127.0.0.1", proxy.ports[0])).unwrap();
        let mut replies = BufReader::new(&socket).lines().map_while(Result::ok);
        let mut ask = |line: &str| {
            write!(&socket, "{line}").unwrap();
            replies.find(|reply| reply.as_bytes().get(3) == Some(&b' ')).unwrap_or_default()
        };
        assert!(ask("").starts_with("220 "));
        assert!(ask(&format!("{greeting}\r\n")).starts_with("250 "));
        let login = ask("AUTH PLAIN AG1hbGxvcnlAZXhhbXBsZS5vcmcAeA==\r\n");
        assert!(login.starts_with("235 "), "{login}");
        let taken = ask(&format!("{attack}\r\n"));
        assert!(!taken.starts_with("220 "), "{greeting} {attack}: {taken}");
        assert!(ask("EHLO laptop\r\n").starts_with("250 "));
        assert!(ask("MAIL FROM:<alice@example.org>\r\n").starts_with("553 "), "it is mallory still");
    }
}

#[test]
fn nginx_names_the_client_and_passes_its_login_on() {
    let listen = "xclient = [\"127.0.0.1\"]";
    let settings = Settings {
        auth: "allow_insecure = true".to_owned(),
        listeners: vec!["off"],
        listen: listen.to_owned(),
        ..Settings::default()
    };
    let house = House::behind(&["off"], listen);
    house.installation.configure(&settings);
    house.server.signal("HUP");
    house.server.until_logged("event=reloaded");
    let proxy = nginx(&house, "proxy_smtp_auth on;");
    assert!(house.curl(&proxy.url("smtp", 0), &[], PASSWORD));
    assert!(!house.curl(&proxy.url("smtp", 0), &[], "wrong"));
    let logins = house.until_logins(2);
    assert!(logins.iter().all(|(_, mechanism, ip)| mechanism == "PLAIN" && ip == CLIENT), "{logins:?}");
}

/// swaks in the place of a proxy at 127.0.0.1.
fn swaks(house: &House, more: &[&str]) -> bool {
    let address = house.addresses[0];
    let mut swaks = Command::new("swaks");
    swaks
        .args(["--server", "127.0.0.1", "--port", &address.port().to_string(), "--tls-on-connect"])
        .args(["--from", USER, "--to", "bob@example.net", "--auth", "PLAIN", "--auth-user", USER])
        .args(["--auth-password", PASSWORD, "--timeout", "20", "--silent", "2"])
        .args(more);
    run(&mut swaks, "").status.success()
}

#[test]
fn swaks_speaks_xclient() {
    let house = House::behind(&["implicit"], "xclient = [\"127.0.0.1\"]");
    let attributes = ["--xclient", "ADDR=203.0.113.9 PORT=4711 NAME=client.example PROTO=ESMTP HELO=laptop"];
    assert!(swaks(&house, &attributes));
    assert!(swaks(&house, &["--xclient-addr", "IPV6:2001:db8::7", "--xclient-name", "[UNAVAILABLE]"]));
    let addresses: Vec<_> = house.until_logins(2).into_iter().map(|(_, _, ip)| ip).collect();
    assert!(
        addresses.contains(&"203.0.113.9".to_owned()) && addresses.contains(&"2001:db8::7".to_owned()),
        "{addresses:?}"
    );

    assert!(!swaks(&house, &["--xclient-addr", "127.0.0.1", "--local-interface", CLIENT]), "not from there");
    assert!(!swaks(&house, &["--xclient", "ADDR=203.0.113.9 LOGIN=alice@example.org"]), "not offered");
    assert_eq!(house.installation.queue().len(), 2);
}

#[test]
fn swaks_speaks_the_proxy_protocol() {
    let house = House::behind(&["implicit"], "proxy_protocol = [\"127.0.0.1\"]");
    for version in ["1", "2"] {
        let header = [
            "--proxy-version",
            version,
            "--proxy-family",
            if version == "1" { "TCP4" } else { "AF_INET" },
            "--proxy-source",
            "203.0.113.9",
            "--proxy-source-port",
            "4711",
            "--proxy-dest",
            "198.51.100.1",
            "--proxy-dest-port",
            "465",
        ];
        assert!(swaks(&house, &header), "version {version}");
        let elsewhere: Vec<_> = header.iter().copied().chain(["--local-interface", CLIENT]).collect();
        assert!(!swaks(&house, &elsewhere), "version {version}, not from there");
    }
    let logins = house.until_logins(2);
    assert!(logins.len() == 2 && logins.iter().all(|(_, _, ip)| ip == "203.0.113.9"), "{logins:?}");
    assert!(!swaks(&house, &[]), "nor without a header");
}
