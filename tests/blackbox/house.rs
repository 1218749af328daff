//! The house rules: which crate may use which, and what may be written in one place alone.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// In reading order: a crate may use only crates above it. A crate that is not here is not part of the house.
const ORDER: [&str; 17] = [
    "types",
    "sasl",
    "esmtp",
    "message",
    "store",
    "store-sqlite",
    "stores",
    "backends",
    "auth",
    "dns",
    "delivery",
    "submission",
    "acceptance",
    "desk",
    "console",
    "config",
    "gatepost",
];

/// Beyond the order: what a crate must never use, ours or not.
const NEVER: [(&str, &[&str]); 16] = [
    ("types", &["tokio", "sqlx", "rustls", "tokio-rustls"]),
    ("sasl", &["tokio", "sqlx", "rustls", "tokio-rustls", "argon2"]),
    ("esmtp", &["tokio", "sqlx", "rustls", "tokio-rustls", "jiff", "rand"]),
    ("message", &["tokio", "sqlx", "rustls", "tokio-rustls"]),
    ("store", &["sqlx", "tokio", "rustls"]),
    ("store-sqlite", &["auth", "esmtp"]),
    ("stores", &["sqlx", "tokio"]),
    ("backends", &["esmtp", "message", "store", "stores", "sqlx"]),
    ("auth", &["esmtp", "message", "sqlx"]),
    ("dns", &["esmtp", "message", "store", "stores", "backends", "auth", "sqlx", "rustls", "tokio-rustls"]),
    ("delivery", &["submission", "auth", "sqlx", "stores"]),
    ("submission", &["sqlx", "store", "stores", "auth", "delivery"]),
    ("acceptance", &["sqlx", "clap", "config", "tokio"]),
    ("desk", &["clap", "axum", "sqlx", "config", "esmtp", "anyhow"]),
    ("console", &["clap", "sqlx", "config", "esmtp", "anyhow"]),
    (
        "config",
        &[
            "sasl",
            "esmtp",
            "message",
            "store",
            "stores",
            "backends",
            "auth",
            "dns",
            "delivery",
            "submission",
            "desk",
            "console",
            "tokio",
            "sqlx",
        ],
    ),
];

/// What is written in one place, so that whoever finds that place has the audit: the text, and the only files with it.
const PLACES: [(&str, &[&str]); 9] = [
    // Ours; and the library's help for handlers that keep a message whole, which ours never does.
    ("Durable::after_sync(", &["crates/delivery/src/commit.rs", "crates/submission/src/collect.rs"]),
    // One policy for users, one for machines that have no login; and the library's help for embedders that say who sends as whom.
    (
        "SenderAllowed::after_check",
        &[
            "crates/acceptance/src/sender.rs",
            "crates/acceptance/src/no_login.rs",
            "crates/submission/src/collect.rs",
        ],
    ),
    // Where the configuration switches the policy off; and what the library does for embedders without one.
    (
        "SenderAllowed::unchecked",
        &[
            "crates/acceptance/src/sender.rs",
            "crates/submission/src/handler.rs",
            "crates/submission/src/collect.rs",
        ],
    ),
    // Our own judge; and the library's help for judges that know the password itself, which ours never does.
    ("Authenticated::new(", &["crates/auth/src/login/judge.rs", "crates/sasl/src/by_password.rs"]),
    ("rustls_pemfile::", &["crates/submission/src/tls/pem.rs"]),
    ("rustls::unbuffered", &["crates/submission/src/tls/records.rs"]),
    ("SystemTime::now(", &["crates/gatepost/src/clock.rs"]),
    ("Timestamp::now(", &["crates/gatepost/src/clock.rs"]),
    ("#[allow(", &[]),
];

/// Who changes accounts, credentials and the queue, by the names of the store's mutators: use cases, the judge at logins, and the import,
/// which reads files. The tests of the backends and the queue's own writer lie in `src`, too.
const CHANGES: [(&[&str], &[&str]); 4] = [
    (
        &[
            ".create(",
            ".rename(",
            ".update_account(",
            ".depart(",
            ".remove(",
            ".set_password(",
            ".set_disabled(",
            ".set_undo(",
            ".set_settings(",
            ".own_sign_in(",
            ".disown_sign_in(",
            ".close_incident(",
            ".revoke(",
            ".relabel(",
            ".add_certificate(",
            ".remove_certificate(",
            ".add_identity(",
            ".remove_identity(",
            ".disable_second_factor(",
            ".change_own_limits(",
            ".clear_account(",
            ".clear_network(",
            ".operate(",
            ".add_dkim_key(",
            ".activate_dkim_key(",
            ".retire_dkim_key(",
            ".wipe_dkim_key(",
            ".keep_enrolment(",
            ".withdraw_enrolment(",
            ".use_device_link(",
            ".accept_invitation(",
            ".end_session(",
            ".end_sessions(",
            ".add_token(",
            ".add_webhook(",
            ".remove_webhook(",
            ".revoke_token(",
        ],
        &[
            "crates/desk/",
            "crates/store/src/conformance/",
            // To rename is to update.
            "crates/store/src/account.rs",
            "crates/store-sqlite/src/spool/mod.rs",
        ],
    ),
    (
        &[".rehash(", ".adopt(", ".enroll(", ".confirm(", ".use_recovery_code(", ".replace_recovery_codes("],
        &["crates/auth/", "crates/store/src/conformance/"],
    ),
    // An account of another server is made at its first login.
    (&[".add("], &["crates/desk/", "crates/auth/src/login/http_handler.rs", "crates/store/src/conformance/"]),
    (&[".import("], &["crates/gatepost/src/cmd/user/import/intake.rs", "crates/store/src/conformance/"]),
];

#[test]
fn every_crate_uses_only_what_stands_above_it() {
    let position: BTreeMap<&str, usize> =
        ORDER.iter().enumerate().map(|(index, name)| (*name, index)).collect();
    for (name, uses) in dependencies() {
        let Some(own) = position.get(name.as_str()) else { continue };
        for used in &uses {
            let above = position.get(used.as_str()).is_none_or(|place| place < own);
            assert!(above, "`{name}` uses `{used}`, which stands below it");
        }
        let never = NEVER.iter().find(|(of, _)| *of == name).map_or(&[][..], |(_, never)| never);
        let wrong: Vec<_> = uses.iter().filter(|used| never.contains(&used.as_str())).collect();
        assert!(wrong.is_empty(), "`{name}` must never use {wrong:?}");
    }
}

/// Not even its tests: what a backend does of its own is nothing that others can rely on.
#[test]
fn only_stores_depends_on_a_backend() {
    let with_tests = dependencies_of(|_| true).into_iter().filter(|(name, _)| name != "stores");
    let wrong: Vec<_> =
        with_tests.filter(|(_, uses)| uses.iter().any(|used| used.starts_with("store-"))).collect();
    assert!(wrong.is_empty(), "ask `stores` instead: {wrong:#?}");
}

/// Not even their tests: whoever needs a DNS server for a test takes that of `dns`.
#[test]
fn only_dns_knows_hickory() {
    let with_tests = dependencies_of(|_| true).into_iter().filter(|(name, _)| name != "dns");
    let wrong: Vec<_> =
        with_tests.filter(|(_, uses)| uses.iter().any(|used| used.starts_with("hickory"))).collect();
    assert!(wrong.is_empty(), "ask `dns` instead: {wrong:#?}");
}

/// Those that stand below know the one store there is. `delivery` and parts of `auth` are tested with one in memory.
#[test]
fn what_stands_below_delivery_is_not_generic_over_stores() {
    let traits: Vec<_> = sources(&root().join("crates/store/src"))
        .iter()
        .flat_map(|file| {
            let text = std::fs::read_to_string(file).unwrap();
            let named = text.split("\npub trait ").skip(1);
            named.map(|rest| rest.split([':', ' ']).next().unwrap().to_owned()).collect::<Vec<_>>()
        })
        .collect();
    assert!(traits.len() >= 12, "{traits:?}");
    let mut wrong = Vec::new();
    for directory in
        ["acceptance", "desk", "console", "gatepost"].map(|name| root().join("crates").join(name).join("src"))
    {
        for file in sources(&directory) {
            let text = std::fs::read_to_string(&file).unwrap();
            let of = traits.iter().filter(|name| is_generic_over(without_tests(&text), name));
            wrong.extend(of.map(|name| format!("{}: {name}", file.display())));
        }
    }
    assert!(wrong.is_empty(), "take the types of `stores`: {wrong:#?}");
}

#[test]
fn what_is_generic_is_told_from_what_has_the_same_name() {
    for generic in
        ["fn f(a: &impl Sending)", "fn f(a: impl Audit + Sending)", "impl<'a, S: Audit + Sending> A<S> {"]
    {
        let name = if generic.contains("S:") { "Audit" } else { "Sending" };
        assert!(is_generic_over(generic, name), "{generic}");
    }
    for other in ["impl Sending {", "fn f(sending: Sending, other: &Sending)", "fn f(IDS: SendingLimits)"] {
        assert!(!is_generic_over(other, "Sending"), "{other}");
    }
}

/// Whether a type that fills this trait is a parameter, by name or as `impl`.
fn is_generic_over(code: &str, name: &str) -> bool {
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    let ends = |rest: &str| !rest.starts_with(is_word);
    let argument = format!("impl {name}");
    let is_argument = code.match_indices(&argument).any(|(at, found)| {
        let rest = &code[at + found.len()..];
        ends(rest) && !rest.starts_with(" {")
    });
    let bound = format!(": {name}");
    let is_bound = code.match_indices(&bound).any(|(at, found)| {
        let mut before = code[..at].chars().rev();
        let is_parameter = before.next().is_some_and(|letter| letter.is_ascii_uppercase());
        is_parameter
            && before.next().is_some_and(|letter| !is_word(letter))
            && ends(&code[at + found.len()..])
    });
    is_argument || is_bound || code.contains(&format!("+ {name}"))
}

#[test]
fn every_crate_of_the_house_is_in_its_plan() {
    let names: Vec<String> = dependencies().into_iter().map(|(name, _)| name).collect();
    let unknown: Vec<_> = names
        .iter()
        .filter(|name| !ORDER.contains(&name.as_str()) && !["tests", "fuzz", "load"].contains(&name.as_str()))
        .collect();
    assert!(unknown.is_empty(), "not in the order of crates: {unknown:?}");
}

#[test]
fn what_belongs_in_one_place_is_nowhere_else() {
    let wrong = misplaced(&PLACES, |code, words| code.lines().any(|line| says(line, words)));
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_store_is_changed_by_use_cases_by_logins_and_by_the_import() {
    let rules: Vec<_> =
        CHANGES.iter().flat_map(|(calls, places)| calls.iter().map(|call| (*call, *places))).collect();
    let wrong = misplaced(&rules, is_change);
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_change_that_the_store_promises_has_its_places() {
    let known: Vec<_> = CHANGES.iter().flat_map(|(calls, _)| *calls).collect();
    let mut mutators = BTreeSet::new();
    for file in sources(&root().join("crates/store/src")) {
        let text = std::fs::read_to_string(&file).unwrap();
        let methods = text.split("\n    fn ").skip(1).filter_map(|method| method.split_once('('));
        mutators.extend(
            methods
                .filter(|(_, rest)| rest.starts_with("&self") || rest.trim_start().starts_with("&self"))
                .filter(|(_, rest)| rest.split(')').next().unwrap_or_default().contains("act: &Act"))
                .map(|(name, _)| format!(".{name}(")),
        );
    }
    assert!(mutators.len() >= 20, "{mutators:?}");
    let missing: Vec<_> = mutators.iter().filter(|call| !known.contains(&&call.as_str())).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn a_change_is_told_by_its_act_wherever_a_line_ends() {
    for change in
        ["a.remove(id, act)", "a.remove(\n    id,\n    &Act::server(now),\n)", "a.remove(f(b, c), &self.act)"]
    {
        assert!(is_change(change, ".remove("), "{change}");
    }
    for other in ["a.remove(&id)", "a.remove(act.id, 1)", "a.removed(act)", "a.remove(f(act), b)"] {
        assert!(!is_change(other, ".remove("), "{other}");
    }
}

/// What is where it does not belong: of each rule the words, and the only places that may have them.
fn misplaced(rules: &[(&str, &[&str])], has: fn(&str, &str) -> bool) -> Vec<String> {
    let mut wrong = Vec::new();
    for file in sources(&root().join("crates")) {
        let name = file.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&file).unwrap();
        let code = without_tests(&text);
        wrong.extend(
            rules
                .iter()
                .filter(|(words, places)| {
                    !places.iter().any(|place| name.starts_with(place)) && has(code, words)
                })
                .map(|(words, _)| format!("{name}: {words}")),
        );
    }
    wrong
}

/// Whether a method is called with an act as its last argument, as every change of the store is.
fn is_change(code: &str, call: &str) -> bool {
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    code.match_indices(call).any(|(at, _)| {
        let last = last_argument(&code[at + call.len()..]);
        last.split(|letter| !is_word(letter)).any(|word| word == "act" || word == "Act")
    })
}

/// The last argument of a call, whose opening parenthesis is already taken.
fn last_argument(rest: &str) -> &str {
    let (mut depth, mut begins) = (0, 0);
    for (at, letter) in rest.char_indices() {
        match letter {
            ')' if depth == 0 => return &rest[begins..at],
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            ',' if depth == 0 && !rest[at + 1..].trim_start().starts_with(')') => begins = at + 1,
            _ => {}
        }
    }
    ""
}

/// Packages that others build on.
const PUBLISHED: [&str; 4] = ["types", "sasl", "esmtp", "submission"];

/// Whoever makes a value of a type, or matches one, is not broken by another field or variant; or the type says why it has to be.
#[test]
fn what_others_make_or_match_may_grow_or_says_why_not() {
    let mut wrong = Vec::new();
    for file in PUBLISHED.into_iter().flat_map(|name| sources(&root().join("crates").join(name).join("src")))
    {
        let text = std::fs::read_to_string(&file).unwrap();
        let items = without_tests(&text).split("\n\n").filter_map(open_type);
        wrong.extend(
            items
                .filter(|item| !item.contains("#[non_exhaustive]") && !item.contains("/// Exhaustive: "))
                .map(|item| format!("{}: {item}", file.display())),
        );
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_type_is_open_if_others_can_make_or_match_it() {
    for open in [
        "/// A.\npub enum A {\n    B,\n}",
        "#[derive(Debug)]\npub struct A {\n    b: u8,\n    /// C.\n    pub c: u8,\n}",
    ] {
        assert!(open_type(open).is_some(), "{open}");
    }
    for closed in [
        "pub struct A {\n    b: u8,\n    pub(crate) c: u8,\n}",
        "enum A {\n    B,\n}",
        "pub struct A(u8);",
        "impl A {\n    pub fn b() {}\n}",
    ] {
        assert_eq!(open_type(closed), None);
    }
}

/// A paragraph of code, with its comments, if it is an enum for everybody, or a struct with a field for everybody.
fn open_type(item: &str) -> Option<&str> {
    let begins = |words: &str| item.lines().any(|line| line.starts_with(words));
    let is_open = begins("pub enum ") || begins("pub struct ") && begins("    pub ");
    is_open.then_some(item)
}

#[test]
fn every_file_begins_with_what_it_is_for() {
    let silent: Vec<_> = sources(&root().join("crates"))
        .into_iter()
        .filter(|file| !std::fs::read_to_string(file).unwrap().starts_with("//!"))
        .collect();
    assert!(silent.is_empty(), "no module documentation: {silent:#?}");
}

#[test]
fn every_file_that_the_guide_to_changes_names_is_there() {
    let page = std::fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let (_, guide) = page.split_once("\n## Where a change goes\n").unwrap();
    let guide = guide.split("\n## ").next().unwrap();
    let named: BTreeSet<_> =
        guide.split('`').skip(1).step_by(2).filter(|name| name.ends_with(".rs")).collect();
    assert!(named.len() >= 40, "{named:?}");
    let missing: Vec<_> = named
        .iter()
        .filter(|name| {
            let (owner, file) = name.split_once('/').unwrap();
            !root().join("crates").join(owner).join("src").join(file).is_file()
        })
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn every_decision_has_a_number_of_its_own() {
    let files = std::fs::read_dir(root().join("docs/decisions")).unwrap().flatten();
    let mut numbers = BTreeMap::<String, String>::new();
    for name in files.map(|file| file.file_name().into_string().unwrap()) {
        let (number, _) = name.split_once('-').unwrap();
        let text = std::fs::read_to_string(root().join("docs/decisions").join(&name)).unwrap();
        assert!(text.starts_with(&format!("# {number}: ")), "{name}");
        assert_eq!(numbers.insert(number.to_owned(), name.clone()), None, "{name}");
    }
}

#[test]
fn every_dialogue_tells_why_it_is_there() {
    let dialogues = tests::dialogue::find(&root().join("tests/dialogues"));
    assert!(dialogues.len() >= 60);
    let silent: Vec<_> =
        dialogues.iter().filter(|path| !std::fs::read_to_string(path).unwrap().starts_with("# ")).collect();
    assert!(silent.is_empty(), "no comment at the head: {silent:#?}");
}

#[test]
fn every_event_of_the_log_is_documented() {
    let page = std::fs::read_to_string(root().join("docs/log-events.md")).unwrap();
    let mut events = BTreeSet::new();
    for file in sources(&root().join("crates")) {
        let text = std::fs::read_to_string(&file).unwrap();
        let said = without_tests(&text).split("event = \"").skip(1);
        events.extend(said.filter_map(|rest| rest.split_once('"')).map(|(event, _)| event.to_owned()));
    }
    assert!(events.len() >= 20, "{events:?}");
    let missing: Vec<_> = events.iter().filter(|event| !page.contains(&format!("`{event}`"))).collect();
    assert!(missing.is_empty(), "not in docs/log-events.md: {missing:?}");
}

/// Each workspace member with what it uses outside of its tests.
fn dependencies() -> Vec<(String, Vec<String>)> {
    dependencies_of(|used| used["kind"] != "dev")
}

/// Each workspace member with those of its dependencies that count.
fn dependencies_of(counts: fn(&Value) -> bool) -> Vec<(String, Vec<String>)> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    let names = |package: &Value| {
        let uses = package["dependencies"].as_array().unwrap().iter();
        uses.filter(|used| counts(used)).map(in_house).collect()
    };
    metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| (in_house(package), names(package)))
        .collect()
}

/// What a crate is called in the house: those that are published have longer names outside.
fn in_house(package: &Value) -> String {
    let name = tests::server::text(package, "name");
    name.strip_prefix("gatepost-").unwrap_or(&name).to_owned()
}

#[test]
fn what_holds_secret_octets_says_itself_how_it_is_shown() {
    let mut wrong = Vec::new();
    for file in sources(&root().join("crates")) {
        let text = std::fs::read_to_string(&file).unwrap();
        let items = without_tests(&text).split("#[derive(").skip(1);
        wrong.extend(
            items
                .filter_map(|item| item.split_once(")]"))
                // A wiped value derives a `Debug` that shows it; a `types::Secret` does not.
                .filter(|(derived, item)| {
                    derived.contains("Debug") && definition(item).contains("Zeroizing<")
                })
                .map(|(_, item)| format!("{}: {}", file.display(), definition(item))),
        );
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// From the attributes to the end of a type.
fn definition(item: &str) -> &str {
    let end = item.find("\n}").into_iter().chain(item.find(";\n")).min();
    end.map_or(item, |end| &item[..end])
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

pub(crate) fn sources(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap().flatten() {
        let path = entry.path();
        match path.is_dir() {
            // Tests and examples of a crate may do what its code may not.
            true if path.file_name().is_some_and(|name| name == "tests" || name == "examples") => {}
            true => found.extend(sources(&path)),
            false if path.extension().is_some_and(|ending| ending == "rs") && !path.ends_with("tests.rs") => {
                found.push(path)
            }
            false => {}
        }
    }
    found
}

/// Tests stand last in a file.
pub(crate) fn without_tests(text: &str) -> &str {
    let begins = ["#[cfg(test)]\nmod ", "#[cfg(test)]\npub(crate) mod "]
        .into_iter()
        .filter_map(|begin| text.find(begin));
    begins.min().map_or(text, |at| &text[..at])
}

/// Otherwise the rules here would not see what comes behind them.
#[test]
fn tests_stand_last_in_a_file() {
    let is_module = |item: &str| item.starts_with("mod ") || item.starts_with("pub(crate) mod ");
    let files = sources(&root().join("crates")).into_iter().filter(|file| {
        let text = std::fs::read_to_string(file).unwrap();
        let tests = &text[without_tests(&text).len()..];
        let mut items = tests.split("#[cfg(test)]\n").skip(1);
        !items.all(|item| is_module(item) && (item.trim_end().ends_with(";") || item.ends_with("\n}\n")))
    });
    let wrong: Vec<_> = files.collect();
    assert!(wrong.is_empty(), "code behind tests: {wrong:#?}");
}

/// In code, not in a comment.
fn says(line: &str, words: &str) -> bool {
    line.split("//").next().is_some_and(|code| code.contains(words))
}

/// TLS-12: a certificate that was compressed could be a bomb (RUSTSEC-2026-0348), and rustls unpacks some if its features say so.
#[test]
fn nothing_unpacks_certificates() {
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).unwrap();
    let rustls = lock.split("[[package]]").find(|package| package.contains("\nname = \"rustls\"\n")).unwrap();
    assert!(rustls.contains("\"aws-lc-rs\""), "{rustls}");
    assert!(!rustls.contains("brotli") && !rustls.contains("zlib"), "{rustls}");
}
