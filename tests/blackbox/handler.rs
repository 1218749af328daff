//! A program of the operator's own judges logins: the very examples of docs/http-handler.md, asked by the real server.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use sasl::Mechanism;
use tests::browser::Browser;
use tests::client::Reply;
use tests::server::{Installation, Server, Settings, text};

use crate::web::pages;
use crate::web_sign_in::sign_in;

/// Known to the examples.
const ANN: &str = "ann@example.org";
/// Known to the store.
const ALICE: &str = "alice@example.org";

const DOCUMENT: &str = include_str!("../../docs/http-handler.md");

/// An example of the document, on a free port, which it tells first.
struct Program {
    child: Child,
    port: u16,
    /// What it says to standard error: in Python, a line for each request.
    log: Receiver<String>,
}

impl Program {
    fn python(installation: &Installation) -> Program {
        let example = example("python").replace(
            "ThreadingHTTPServer((\"127.0.0.1\", 8025), Handler).serve_forever()",
            "server = ThreadingHTTPServer((\"127.0.0.1\", 0), Handler)\n\
             print(server.server_port, flush=True)\nserver.serve_forever()",
        );
        Program::start(installation, "python3", "handler.py", &example)
    }

    fn node(installation: &Installation) -> Program {
        let example = example("js").replace(
            "listen(8025, \"127.0.0.1\")",
            "listen(0, \"127.0.0.1\", function () { console.log(this.address().port) })",
        );
        Program::start(installation, "node", "handler.mjs", &example)
    }

    fn start(installation: &Installation, interpreter: &str, file: &str, example: &str) -> Program {
        assert!(!example.contains("8025"), "{example}");
        std::fs::write(installation.path(file), example).unwrap();
        let mut command = Command::new(interpreter);
        command.arg(file).current_dir(installation.path("")).stdin(Stdio::null());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (errors, (say, log)) = (child.stderr.take().unwrap(), channel());
        std::thread::spawn(move || {
            for line in BufReader::new(errors).lines().map_while(Result::ok) {
                eprintln!("the program: {line}");
                let _ = say.send(line);
            }
        });
        let mut port = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut port).unwrap();
        Program { child, port: port.trim().parse().unwrap(), log }
    }

    /// How often it was asked since the last time.
    fn asked(&self) -> usize {
        self.log.try_iter().filter(|line| line.contains("POST")).count()
    }

    fn signal(&self, name: &str) {
        let status = Command::new("kill").arg(name).arg(self.child.id().to_string()).status().unwrap();
        assert!(status.success());
    }

    fn stop(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn example(language: &str) -> String {
    let (_, rest) = DOCUMENT.split_once(&format!("```{language}\n")).unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

struct House {
    installation: Installation,
}

impl House {
    fn new() -> House {
        let installation = Installation::new(&Settings::default());
        installation.add_user(ALICE, "battery staple");
        std::fs::write(installation.path("http.secret"), "0p3n s3same\n").unwrap();
        House { installation }
    }

    /// Has these backends asked, of which `http` is the program.
    fn ask(&self, backends: &str, program: &Program) {
        let auth = format!(
            "backends = [{backends}]\n\
             mechanisms = [\"PLAIN\", \"LOGIN\", \"CRAM-MD5\", \"SCRAM-SHA-256\", \"OAUTHBEARER\", \"XOAUTH2\"]\n\
             [auth.http]\nurl = \"http://127.0.0.1:{}/\"\nsecret_file = \"http.secret\"\ntimeout = \"1s\"\n",
            program.port
        );
        self.installation.configure(&Settings { auth, ..Settings::default() });
    }

    fn log_in(&self, server: &Server, mechanism: Mechanism, username: &str, secret: &str) -> Reply {
        let mut client = server.client(&self.installation);
        client.expect("EHLO client.example", 250);
        client.auth(mechanism, username, secret).unwrap()
    }

    fn code(&self, server: &Server, username: &str, password: &str) -> u16 {
        self.log_in(server, Mechanism::Plain, username, password).code
    }
}

#[test]
fn the_examples_judge_passwords_by_every_mechanism() {
    for start in [Program::python, Program::node] {
        let house = House::new();
        let program = start(&house.installation);
        house.ask("\"http\"", &program);
        let server = house.installation.start();
        for mechanism in [Mechanism::Plain, Mechanism::Login, Mechanism::CramMd5, Mechanism::ScramSha256] {
            let code = |username, password| house.log_in(&server, mechanism, username, password).code;
            assert_eq!(code(ANN, "correct horse"), 235, "{mechanism:?}");
            assert_eq!(code(ANN, "correct horsf"), 535, "{mechanism:?}");
            assert_eq!(code("nobody@example.org", "correct horse"), 535, "{mechanism:?}");
        }
        assert_eq!(house.code(&server, ALICE, "battery staple"), 535, "the store is not in the row");
    }
}

#[test]
fn a_token_says_whose_it_is() {
    let house = House::new();
    let program = Program::python(&house.installation);
    house.ask("\"http\"", &program);
    let server = house.installation.start();
    for mechanism in [Mechanism::OAuthBearer, Mechanism::XOAuth2] {
        assert_eq!(house.log_in(&server, mechanism, ANN, "t0ken").code, 235, "{mechanism:?}");
        assert_eq!(house.log_in(&server, mechanism, ANN, "t1ken").code, 535, "{mechanism:?}");
    }
}

#[test]
fn who_is_accepted_gets_an_account_and_sends() {
    let house = House::new();
    let program = Program::python(&house.installation);
    house.ask("\"accounts\", \"http\"", &program);
    let server = house.installation.start();
    let mut client = server.logged_in(&house.installation, ANN, "correct horse");
    let message = format!("From: {ANN}\r\n\r\nHello.\r\n");
    assert_eq!(client.send(ANN, &["bob@example.net"], message.as_bytes()).unwrap().code, 250);
    client.expect(&format!("MAIL FROM:<{ALICE}>"), 553);
    assert_eq!(text(&house.installation.queue()[0], "account"), ANN);
    assert_eq!(text(&house.installation.json(&["user", "show", ANN]), "address"), ANN);
    for mechanism in [Mechanism::Plain, Mechanism::CramMd5, Mechanism::ScramSha256] {
        let again = house.log_in(&server, mechanism, ANN, "correct horse");
        assert_eq!(again.code, 235, "{mechanism:?} now that there is an account");
        assert_eq!(house.log_in(&server, mechanism, ANN, "wrong").code, 535, "{mechanism:?}");
    }
    house.installation.done(&["user", "disable", ANN]);
    client.expect("RSET", 421);
    assert_eq!(house.code(&server, ANN, "correct horse"), 535);
}

#[test]
fn check_asks_the_program_about_a_user_whom_nobody_has() {
    let house = House::new();
    let program = Program::python(&house.installation);
    house.ask("\"http\"", &program);
    assert!(!house.installation.done(&["check"]).contains("error: "));
    assert_eq!(program.asked(), 0);
    assert!(!house.installation.done(&["check", "--connect"]).contains("error: "));
    std::fs::write(house.installation.path("http.secret"), "0ther s3same").unwrap();
    let output = house.installation.run(&["check", "--connect"], "");
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("error: ") && told.contains("auth.http.secret_file"), "{told}");
}

#[test]
fn sas_17_a_program_that_is_out_of_order_refuses_nobody() {
    let house = House::new();
    let program = Program::python(&house.installation);
    house.ask("\"http\"", &program);
    let server = house.installation.start();
    assert_eq!(house.code(&server, ANN, "correct horse"), 235);

    std::fs::write(house.installation.path("http.secret"), "0ther s3same").unwrap();
    server.signal("HUP");
    server.until_logged("event=reloaded");
    assert_eq!(house.code(&server, ANN, "correct horse"), 454);
    let told = server.until_logged("event=auth.unavailable");
    assert!(told.contains("401") && told.contains("auth.http.secret_file"), "{told}");

    program.signal("-STOP");
    assert_eq!(house.code(&server, ANN, "correct horse"), 454);
    server.until_logged("in time");
    program.signal("-CONT");
    program.stop();
    for mechanism in [Mechanism::Login, Mechanism::CramMd5, Mechanism::ScramSha256] {
        let reply = house.log_in(&server, mechanism, ANN, "correct horse");
        assert!(reply.lines[0].starts_with("454 4.7.0 "), "{reply:?}");
    }
    let log = server.log();
    for secret in ["correct horse", "s3same"] {
        assert!(!log.contains(secret), "{log}");
    }
}

#[test]
fn behind_the_accounts_it_is_asked_for_whom_they_do_not_know() {
    let house = House::new();
    let program = Program::python(&house.installation);
    house.ask("\"accounts\", \"http\"", &program);
    let server = house.installation.start();
    assert_eq!(house.code(&server, ALICE, "battery staple"), 235);
    assert_eq!(house.code(&server, ALICE, "wrong"), 535);
    assert_eq!(program.asked(), 0, "the first that knows the user decides");
    assert_eq!(house.code(&server, ANN, "correct horse"), 235);
    assert_eq!(house.code(&server, "nobody@example.org", "correct horse"), 535);
    program.stop();
    assert_eq!(house.code(&server, ALICE, "battery staple"), 235);
    assert_eq!(house.code(&server, ALICE, "wrong"), 535);
    assert_eq!(house.code(&server, "nobody@example.org", "correct horse"), 454);
}

#[test]
fn before_the_accounts_it_is_asked_for_everybody() {
    let house = House::new();
    let program = Program::python(&house.installation);
    house.ask("\"http\", \"accounts\"", &program);
    let server = house.installation.start();
    assert_eq!(house.code(&server, ALICE, "battery staple"), 235);
    assert_eq!(house.code(&server, ANN, "correct horse"), 235);
    assert_eq!(house.code(&server, "nobody@example.org", "correct horse"), 535);
    program.stop();
    for (username, password) in [(ALICE, "battery staple"), (ALICE, "wrong"), (ANN, "correct horse")] {
        assert_eq!(house.code(&server, username, password), 454, "{username} {password}");
    }
}

/// One that Gatepost kept beside it would open the account after the program has closed it.
#[test]
fn whose_password_the_program_keeps_does_not_change_it_on_the_pages() {
    let house = House::new();
    let program = Program::python(&house.installation);
    let auth = format!(
        "backends = [\"accounts\", \"http\"]\n[auth.http]\nurl = \"http://127.0.0.1:{}/\"\nsecret_file = \"http.secret\"\n",
        program.port
    );
    let web = "[web]\nbase_url = \"https://mail.example.org\"\n[[web.listen]]\naddress = \"127.0.0.1:0\"\ntls = \"off\"\n";
    house.installation.configure(&Settings { auth, web: web.to_owned(), ..Settings::default() });
    let server = house.installation.start();
    let mut browser = Browser::new(pages(&server));
    assert_eq!(sign_in(&mut browser, ANN, "correct horse").location(), "/account");
    let page = browser.get("/account/password");
    assert!(page.body.contains("kept by another system") && !page.body.contains("name=\"new\""), "{page:?}");
    let token = browser.get("/account").token("/sign-out");
    let answer =
        browser.post("/account/password", &[("csrf", &token), ("new", "battery staple rope ladder")]);
    assert_eq!(answer.status, 403, "no form of this path is shown: {answer:?}");
    let mut other = Browser::new(pages(&server));
    assert_eq!(sign_in(&mut other, ANN, "battery staple rope ladder").status, 422);
}
