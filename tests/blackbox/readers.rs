//! One reading: whatever author field is accepted, readers that others wrote show nobody by it but the account.
//! `tests/readers/README.md` tells who they are.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tests::play::Accepted;
use tests::server::{Installation, Server, Settings, binary, run};
use tests::smarthost::{Script, Smarthost};

/// Has no address but its own.
const ONE: &str = "me@gp.test";
/// Its address with a tag, which is its own too.
const TAGGED: &str = "me+tag@gp.test";
/// May send in any name of its domain.
const ALL: &str = "all@gp.test";
const PASSWORD: &str = "correct horse";
/// Fields that are refused one behind the other close a connection.
const PER_CONNECTION: usize = 15;

struct House {
    next: Smarthost,
    installation: Installation,
    server: Server,
}

impl House {
    fn open() -> House {
        let next = Smarthost::start(Script::default());
        let unlimited =
            ["messages", "recipients"].map(|what| format!("{what}_per_hour = false\n{what}_per_day = false"));
        let installation = Installation::new(&Settings {
            delivery: format!("via = \"smtp://{}\"\ntls = \"off\"", next.address),
            sending: unlimited.join("\n") + "\nnew_recipients_per_day = false",
            ..Settings::default()
        });
        for user in [ONE, ALL] {
            installation.add_user(user, PASSWORD);
        }
        installation.done(&["identity", "add", ALL, "*@gp.test"]);
        let server = installation.start();
        House { next, installation, server }
    }

    /// Sends each field; of each whether it was accepted.
    fn send(&self, user: &str, name: impl Fn(usize) -> &'static str, fields: &[Vec<u8>]) -> Vec<bool> {
        let numbered: Vec<(usize, &Vec<u8>)> = fields.iter().enumerate().collect();
        let some = |group: &[(usize, &Vec<u8>)]| {
            let mut client = self.server.logged_in(&self.installation, user, PASSWORD);
            let mut accepted = |&(number, field): &(usize, &Vec<u8>)| {
                let reply = client.send(user, &["you@example.net"], &message(name(number), field)).unwrap();
                assert!(reply.code == 250 || reply.code / 100 == 5, "{reply:?}");
                reply.code == 250
            };
            group.iter().map(&mut accepted).collect::<Vec<_>>()
        };
        numbered.chunks(PER_CONNECTION).flat_map(some).collect()
    }
}

/// A message with this field; where it is none that has to be there, with a plain From field besides.
fn message(name: &str, field: &[u8]) -> Vec<u8> {
    let from = if name == "From" { "" } else { "From: Me <me@gp.test>\r\n" };
    let rest = "\r\nTo: you@example.net\r\nSubject: s\r\n\r\nhello\r\n";
    [from.as_bytes(), name.as_bytes(), b": ", field, rest.as_bytes()].concat()
}

/// The corpus: fields by what they attack. A character stands for an octet.
fn corpus() -> BTreeMap<String, Vec<Vec<u8>>> {
    let text = include_str!("../readers/fields.json");
    let written: BTreeMap<String, Vec<String>> = serde_json::from_str(text).unwrap();
    let octets = |field: String| field.chars().map(|octet| u8::try_from(octet).unwrap()).collect();
    written.into_iter().map(|(attack, fields)| (attack, fields.into_iter().map(octets).collect())).collect()
}

#[test]
fn readers_that_others_wrote_show_nobody_but_the_account() {
    let house = House::open();
    let fields: Vec<Vec<u8>> = corpus().into_values().flatten().collect();
    let other = |number: usize| if number.is_multiple_of(2) { "Sender" } else { "Resent-From" };
    let accepted = [
        house.send(ONE, |_| "From", &fields),
        house.send(ONE, other, &fields),
        house.send(ALL, |_| "From", &fields),
    ]
    .concat();
    let number = accepted.into_iter().filter(|accepted| *accepted).count();
    assert!(number > fields.len() / 5, "only {number} were accepted");
    judged(&house, &house.next.until_messages(number));
}

/// Shows what arrived to the readers.
fn judged(house: &House, arrived: &[Accepted]) {
    let lines: Vec<String> = arrived.iter().map(|message| question(message).to_string()).collect();
    let file = house.installation.path("arrived");
    std::fs::write(&file, lines.join("\n")).unwrap();
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("readers/read.py");
    let made = binary().parent().and_then(Path::parent).unwrap().join("readers");
    let output =
        run(Command::new("python3").arg(here).args(["--most", "20", "--made"]).arg(made).arg(file), "");
    let (shown, complaints) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{shown}\n{complaints}");
}

fn question(message: &Accepted) -> Value {
    let own = if message.sender == ONE { vec![ONE, TAGGED] } else { vec!["*@gp.test"] };
    json!({ "message": STANDARD.encode(&message.octets), "own": own })
}

#[test]
fn a_field_as_honest_programs_write_it_is_accepted() {
    let house = House::open();
    let fields = corpus().remove("as honest programs write them").unwrap();
    let accepted = house.send(ONE, |_| "From", &fields);
    let refused = fields.iter().zip(accepted).filter(|(_, accepted)| !accepted);
    let refused: Vec<_> = refused.map(|(field, _)| String::from_utf8_lossy(field)).collect();
    assert!(refused.is_empty(), "{refused:#?}");
}
