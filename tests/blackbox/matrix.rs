//! Every kind of credential, at an account in every state, by every mechanism: what the client is told to the
//! octet, and what the audit trail says.

use std::collections::BTreeMap;
use std::process::Command;

use sasl::Mechanism;
use sasl::Mechanism::{CramMd5, External, Login, Plain, ScramSha256, ScramSha256Plus};
use tests::authority::Pair;
use tests::client::Client;
use tests::server::{Installation, Server, Settings, run, until};
use types::CredentialId;

use crate::second_factor::Phone;

const ACCEPTED: &str = "235 2.7.0 Authentication successful";
const REFUSED: &str = "535 5.7.8 Authentication credentials invalid";
const NEEDS_APP_PASSWORD: &str = "534 5.7.9 Application-specific password required";

const MECHANISMS: [Mechanism; 5] = [Plain, Login, CramMd5, ScramSha256, ScramSha256Plus];

/// What an account is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Sound,
    Disabled,
    SecondFactor,
    WithoutPassword,
    Unknown,
}

const STATES: [State; 5] =
    [State::Sound, State::Disabled, State::SecondFactor, State::WithoutPassword, State::Unknown];

/// What is shown at the door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Password,
    WrongPassword,
    AppPassword,
    OfAnother,
    Expired,
    Revoked,
    WrongScope,
    WrongNetwork,
}

const KINDS: [Kind; 8] = [
    Kind::Password,
    Kind::WrongPassword,
    Kind::AppPassword,
    Kind::OfAnother,
    Kind::Expired,
    Kind::Revoked,
    Kind::WrongScope,
    Kind::WrongNetwork,
];

/// The reason code, and whether the credential is named.
fn judged(state: State, kind: Kind, mechanism: Mechanism) -> (&'static str, bool) {
    match mechanism {
        CramMd5 => answered(state, kind),
        ScramSha256 | ScramSha256Plus => proved(state, kind),
        _ => shown(state, kind),
    }
}

/// An answer is compared with what is kept of this account alone, and of its app passwords alone.
fn answered(state: State, kind: Kind) -> (&'static str, bool) {
    match (state, kind) {
        (State::Unknown, _) => ("unknown-user", false),
        (_, Kind::Password | Kind::WrongPassword | Kind::OfAnother | Kind::Revoked) => ("bad-answer", false),
        _ => shown(state, kind),
    }
}

/// The account password, too.
fn proved(state: State, kind: Kind) -> (&'static str, bool) {
    match (state, kind) {
        (State::Sound, Kind::Password) => ("ok", true),
        (State::Disabled, Kind::Password | Kind::WrongPassword | Kind::OfAnother | Kind::Revoked) => {
            ("disabled", false)
        }
        _ => answered(state, kind),
    }
}

/// What is shown as it is may be known from elsewhere.
fn shown(state: State, kind: Kind) -> (&'static str, bool) {
    match (state, kind) {
        (_, Kind::Revoked) => ("revoked", true),
        (State::Sound, Kind::Password) => ("ok", true),
        (State::SecondFactor, Kind::Password) => ("needs-app-password", true),
        // An app password in the name of an account that does not exist is one of another account.
        (_, Kind::OfAnother)
        | (State::Unknown, Kind::AppPassword | Kind::Expired | Kind::WrongScope | Kind::WrongNetwork) => {
            ("app-password-of-another", true)
        }
        (State::Unknown, Kind::Password | Kind::WrongPassword) => ("unknown-user", false),
        (State::Disabled, Kind::Password | Kind::WrongPassword) => ("disabled", false),
        (State::Disabled, Kind::AppPassword | Kind::Expired | Kind::WrongScope | Kind::WrongNetwork) => {
            ("disabled", true)
        }
        (State::WithoutPassword, Kind::Password | Kind::WrongPassword) => ("no-password", false),
        (State::Sound | State::SecondFactor, Kind::WrongPassword) => ("bad-password", false),
        (_, Kind::AppPassword) => ("ok", true),
        (_, Kind::Expired) => ("expired", true),
        (_, Kind::WrongScope) => ("wrong-scope", true),
        (_, Kind::WrongNetwork) => ("network-not-allowed", true),
    }
}

/// What the client is told.
fn reply(reason: &str, hint: bool) -> &'static str {
    match reason {
        "ok" => ACCEPTED,
        "needs-app-password" if hint => NEEDS_APP_PASSWORD,
        _ => REFUSED,
    }
}

/// An account with a credential of each kind, if it exists.
struct Account {
    state: State,
    name: String,
    /// What is shown for each of [`KINDS`], and the id that the audit trail has of it.
    credentials: Vec<(String, String)>,
}

impl Account {
    fn set_up(installation: &Installation, state: State) -> Account {
        let name = format!("{state:?}@example.org").to_lowercase();
        // Whose app passwords are tried in the name of an account that does not exist.
        let owner = if state == State::Unknown { "owner@example.org" } else { &name };
        if state == State::WithoutPassword {
            installation.done(&["user", "add", owner]);
        } else {
            installation.add_user(owner, "correct horse");
        }
        let credentials = KINDS.iter().map(|kind| credential(installation, owner, *kind)).collect();
        match state {
            State::Disabled => drop(installation.done(&["user", "disable", &name])),
            State::SecondFactor => {
                let code = Phone::enrolled(installation, &name).code();
                installation.done(&["totp", "confirm", &name, &code]);
            }
            State::Sound | State::WithoutPassword | State::Unknown => {}
        }
        Account { state, name, credentials }
    }

    fn secret(&self, kind: Kind) -> &str {
        let (_, (secret, _)) = KINDS.iter().zip(&self.credentials).find(|(one, _)| **one == kind).unwrap();
        secret
    }

    /// Shows each credential.
    fn try_all(&self, installation: &Installation, server: &Server, mechanism: Mechanism, hint: bool) {
        for (kind, (secret, _)) in KINDS.iter().zip(&self.credentials) {
            let expected = reply(judged(self.state, *kind, mechanism).0, hint);
            let told = knock(&mut server.client(installation), mechanism, &self.name, secret);
            assert_eq!(told, expected, "{kind:?} of {}, {mechanism}", self.name);
        }
    }

    /// How often the audit trail should have each reason, credential and mechanism.
    fn expected(&self) -> BTreeMap<Trace, u64> {
        let mut counts = BTreeMap::new();
        for (kind, (_, id)) in KINDS.iter().zip(&self.credentials) {
            for mechanism in MECHANISMS {
                let (reason, named) = judged(self.state, *kind, mechanism);
                let trace = [reason, if named { id } else { "" }, mechanism.name()].map(str::to_owned);
                *counts.entry(trace).or_default() += 1;
            }
        }
        counts
    }
}

/// Reason, credential, mechanism.
type Trace = [String; 3];

/// A secret of this kind, and its id.
fn credential(installation: &Installation, owner: &str, kind: Kind) -> (String, String) {
    let more: &[&str] = match kind {
        Kind::Password => return ("correct horse".to_owned(), "password".to_owned()),
        Kind::WrongPassword => return ("battery staple".to_owned(), String::new()),
        Kind::WrongNetwork => &["--network", "192.0.2.0/24", "--network", "2001:db8::/32"],
        Kind::AppPassword | Kind::OfAnother | Kind::Expired | Kind::Revoked | Kind::WrongScope => &[],
    };
    let owner = if kind == Kind::OfAnother { "another@example.org" } else { owner };
    let (id, secret) = installation.app_password(owner, &[more, &["--cram-md5"]].concat());
    match kind {
        Kind::Revoked => drop(installation.done(&["app-password", "revoke", owner, &id])),
        Kind::Expired => edit(installation, &id, "expires_at = created_at"),
        // There is no other scope yet than the one that is needed.
        Kind::WrongScope => edit(installation, &id, "scopes = ''"),
        Kind::Password | Kind::WrongPassword | Kind::AppPassword | Kind::OfAnother | Kind::WrongNetwork => {}
    }
    (secret, id)
}

/// Changes the row of an app password as no command can.
fn edit(installation: &Installation, id: &str, change: &str) {
    const PROGRAM: &str = "
import sqlite3, sys
file, id, change = sys.argv[1:]
with sqlite3.connect(file) as database:
    assert database.execute('UPDATE app_passwords SET ' + change + ' WHERE id = ?', (bytes.fromhex(id),)).rowcount == 1
";
    let id: CredentialId = id.parse().unwrap();
    let hex: String = id.as_bytes().iter().map(|octet| format!("{octet:02x}")).collect();
    let database = installation.path("store/accounts.db");
    let mut command = Command::new("python3");
    let output = run(command.args(["-c", PROGRAM]).arg(database).args([&hex, change]), "");
    assert!(output.status.success(), "{output:?}");
}

/// The reply to a login, to the octet.
fn knock(client: &mut Client, mechanism: Mechanism, user: &str, secret: &str) -> String {
    client.expect("EHLO client.example", 250);
    client.auth(mechanism, user, secret).unwrap().lines.join("\r\n")
}

/// How often the audit trail has each reason, credential and mechanism of logins to this account. What does not
/// differ is looked at here.
fn trail(installation: &Installation, name: &str) -> BTreeMap<Trace, u64> {
    let mut counts = BTreeMap::new();
    let entries = installation.json(&["audit", "list", "--user", name, "--action", "login"]);
    for entry in entries.as_array().unwrap() {
        let word = |key: &str| entry[key].as_str().unwrap_or_default().to_owned();
        let result = if entry["reason"] == "ok" { "success" } else { "failure" };
        let same = [("result", result), ("scope", "smtp"), ("ip", "127.0.0.1"), ("tls", "TLSv1.3")];
        assert!(same.iter().all(|(key, value)| entry[key] == *value), "{entry}");
        assert!(entry["session"].is_string(), "{entry}");
        let trace = [word("reason"), word("credential"), word("mechanism")];
        *counts.entry(trace).or_default() += entry["count"].as_u64().unwrap();
    }
    counts
}

/// No throttle is met on the way: there are tests of those.
fn installed(auth: &str) -> Installation {
    let throttle = "[auth.throttle]\npassword = { failures = 1000, window = \"60s\" }\n\
                    network = { failures = 1000, window = \"10m\" }";
    let mechanisms: Vec<&str> = MECHANISMS.iter().chain([&External]).map(|one| one.name()).collect();
    let auth = format!("{auth}\nmechanisms = {mechanisms:?}\n{throttle}");
    let listen = "client_certificates = true".to_owned();
    let installation = Installation::new(&Settings { auth, listen, ..Settings::default() });
    installation.add_user("another@example.org", "correct horse");
    installation
}

#[test]
fn every_credential_at_every_account() {
    let installation = installed("");
    let accounts = STATES.map(|state| Account::set_up(&installation, state));
    let server = installation.start();
    std::thread::scope(|scope| {
        for (account, mechanism) in accounts.iter().flat_map(|one| MECHANISMS.map(|by| (one, by))) {
            let (installation, server) = (&installation, &server);
            scope.spawn(move || account.try_all(installation, server, mechanism, true));
        }
    });
    for account in &accounts {
        let expected = account.expected();
        let found = || trail(&installation, &account.name);
        until("the trail has it all", || {
            (found().values().sum::<u64>() >= expected.values().sum()).then_some(())
        });
        assert_eq!(found(), expected, "{}", account.name);
    }
}

#[test]
fn without_a_hint_two_factor_authentication_cannot_be_told_from_a_wrong_password() {
    let installation = installed("hint_app_password = false");
    let account = Account::set_up(&installation, State::SecondFactor);
    let server = installation.start();
    for mechanism in MECHANISMS {
        account.try_all(&installation, &server, mechanism, false);
    }
}

/// Logins at once, so that ticks of the processor's time are fine enough; and how often, so that what disturbs one
/// disturbs all.
const AT_ONCE: usize = 8;
const ROUNDS: usize = 2;

/// One for each reason.
const REFUSALS: [(State, Kind); 9] = [
    (State::Sound, Kind::WrongPassword),
    (State::Sound, Kind::OfAnother),
    (State::Sound, Kind::Expired),
    (State::Sound, Kind::Revoked),
    (State::Sound, Kind::WrongScope),
    (State::Sound, Kind::WrongNetwork),
    (State::Disabled, Kind::Password),
    (State::WithoutPassword, Kind::Password),
    (State::Unknown, Kind::Password),
];

/// As seen from outside: were Argon2 left out somewhere, or run twice, the server would work a tenth or the double.
/// The times on the wire are compared by `tests/bench/timing.py`.
#[test]
fn every_refusal_costs_the_server_the_same() {
    let installation = installed("");
    let accounts = STATES.map(|state| Account::set_up(&installation, state));
    let server = installation.start();
    let mut costs = vec![0; REFUSALS.len()];
    for _ in 0..ROUNDS {
        for (cost, (state, kind)) in costs.iter_mut().zip(REFUSALS) {
            let account = accounts.iter().find(|account| account.state == state).unwrap();
            *cost += cost_of(&installation, &server, &account.name, account.secret(kind));
        }
    }
    let mut sorted = costs.clone();
    sorted.sort_unstable();
    let middle = sorted[sorted.len() / 2];
    for (cost, refusal) in costs.iter().zip(REFUSALS) {
        let same = middle * 2 / 3..=middle * 3 / 2;
        assert!(same.contains(cost), "{refusal:?}: {cost}, not {middle}; all: {costs:?}");
    }
}

fn cost_of(installation: &Installation, server: &Server, user: &str, secret: &str) -> u64 {
    let mut clients: Vec<Client> = (0..AT_ONCE).map(|_| server.client(installation)).collect();
    for client in &mut clients {
        client.expect("EHLO client.example", 250);
    }
    let before = server.processor_time();
    for client in &mut clients {
        client.say_auth_plain(user, secret).unwrap();
    }
    for client in &mut clients {
        assert_eq!(client.reply().unwrap().lines, [REFUSED]);
    }
    server.processor_time() - before
}

/// A certificate, and whose it is.
struct Shown {
    pair: Pair,
    fingerprint: String,
}

/// Every certificate at every account; nobody is asked for a password.
#[test]
fn every_certificate_at_every_account() {
    let installation = installed("");
    let made = |owner: &str, until: i32| {
        let pair = Pair::of_a_client(until);
        let fingerprint = installation.add_certificate(owner, &pair);
        Shown { pair, fingerprint }
    };
    let another = made("another@example.org", 2120);
    let accounts = STATES.map(|state| {
        let account = Account::set_up(&installation, state);
        let own = (state != State::Unknown).then(|| made(&account.name, 2120));
        (account, own)
    });
    let server = installation.start();
    let told = |shown: &Shown, name: &str| {
        let mut client = server.client_showing(&shown.pair, &installation);
        knock(&mut client, External, name, "")
    };
    for (account, own) in &accounts {
        let mut expected = BTreeMap::new();
        let mut add = |reason: &str, shown: &Shown| {
            let trace = [reason, &shown.fingerprint, "EXTERNAL"].map(str::to_owned);
            *expected.entry(trace).or_default() += 1;
        };
        assert_eq!(told(&another, &account.name), REFUSED);
        add("certificate-of-another", &another);
        if let Some(own) = own {
            let reason = if account.state == State::Disabled { "disabled" } else { "ok" };
            assert_eq!(told(own, &account.name), reply(reason, true), "{}", account.name);
            add(reason, own);
        }
        let found = || by(&trail(&installation, &account.name), "EXTERNAL");
        until("the trail has it all", || {
            (found().values().sum::<u64>() >= expected.values().sum()).then_some(())
        });
        assert_eq!(found(), expected, "{}", account.name);
    }
}

fn by(trail: &BTreeMap<Trace, u64>, mechanism: &str) -> BTreeMap<Trace, u64> {
    trail
        .iter()
        .filter(|(trace, _)| trace[2] == mechanism)
        .map(|(trace, count)| (trace.clone(), *count))
        .collect()
}
