//! Secrets that nobody else knows are used in every way there is, and then searched for in everything Gatepost
//! leaves behind.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use tests::client::Client;
use tests::server::{Installation, Server, Settings};

use crate::second_factor::Phone;

const USER: &str = "alice@example.org";

/// What must be seen nowhere: its name, and its octets.
struct Canary {
    name: String,
    octets: Vec<u8>,
}

/// Everything that was left behind: where, and what stands there.
type Leavings = BTreeMap<String, Vec<u8>>;

fn random(octets: usize) -> String {
    let mut random = vec![0; octets];
    std::fs::File::open("/dev/urandom").unwrap().read_exact(&mut random).unwrap();
    hex(&random)
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

fn percent(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("%{octet:02x}")).collect()
}

/// A secret in whatever form it may have been written.
fn forms(octets: &[u8]) -> Vec<Vec<u8>> {
    let mut forms = vec![octets.to_vec()];
    for text in [hex(octets), percent(octets)] {
        forms.extend([text.to_uppercase().into_bytes(), text.into_bytes()]);
    }
    // As octets print in `Debug`.
    forms.push(octets.iter().map(u8::to_string).collect::<Vec<_>>().join(", ").into_bytes());
    for before in 0..3 {
        for alphabet in [STANDARD, URL_SAFE] {
            forms.push(inner_base64(octets, before, &alphabet));
        }
    }
    forms
}

/// The digits that are the same whatever stands around the secret, when so many octets do before it.
fn inner_base64(octets: &[u8], before: usize, alphabet: &impl Engine) -> Vec<u8> {
    let whole = octets.len() + before;
    let digits = alphabet.encode([&vec![0; before], octets].concat());
    let (from, to) = ((before * 8).div_ceil(6), whole * 8 / 6);
    digits.as_bytes()[from..to].to_vec()
}

/// Every place in which a canary is seen. Each is read once, however many forms there are: they are found by their
/// first two octets.
fn sightings(canaries: &[Canary], leavings: &Leavings) -> BTreeSet<String> {
    let mut begins: Vec<Vec<(&str, Vec<u8>)>> = vec![Vec::new(); 1 << 16];
    for canary in canaries {
        for form in forms(&canary.octets) {
            begins[first_two(&form)].push((&canary.name, form));
        }
    }
    let mut seen = BTreeSet::new();
    for (place, text) in leavings {
        for at in 0..text.len().saturating_sub(1) {
            let found = begins[first_two(&text[at..])].iter().find(|(_, form)| text[at..].starts_with(form));
            seen.extend(found.map(|(name, _)| format!("{name} in {place}")));
        }
    }
    seen
}

fn first_two(octets: &[u8]) -> usize {
    usize::from(octets[0]) << 8 | usize::from(octets[1])
}

fn files(directory: &Path, leavings: &mut Leavings) {
    for path in entries(directory) {
        match path.is_dir() {
            true => files(&path, leavings),
            // A socket holds nothing.
            false if !path.is_file() => {}
            false => drop(leavings.insert(path.display().to_string(), std::fs::read(&path).unwrap())),
        }
    }
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect()
}

/// Who may write cores and careless files, if the server lets it happen.
fn careless(command: &Command) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", "ulimit -c unlimited; umask 000; exec \"$0\" \"$@\""]);
    shell.arg(command.get_program()).args(command.get_args());
    shell.current_dir(command.get_current_dir().unwrap()).env("RUST_LOG", "trace");
    shell.env_remove("NOTIFY_SOCKET").env_remove("GATEPOST_CONFIG").env("NO_COLOR", "1");
    shell
}

fn start(installation: &Installation) -> Server {
    let mut command = careless(&installation.command(&["serve"]));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    Server::from(command.spawn().unwrap())
}

/// Tries a password in every right and wrong way.
fn try_in_every_way(server: &Server, installation: &Installation, password: &str) {
    let plain = STANDARD.encode(format!("\0{USER}\0{password}"));
    let (user, alone) = (STANDARD.encode(USER), STANDARD.encode(password));
    let ways = [
        vec![format!("AUTH PLAIN {plain}")],
        vec!["AUTH PLAIN".to_owned(), plain.clone()],
        vec!["AUTH LOGIN".to_owned(), user.clone(), alone.clone()],
        vec![format!("AUTH LOGIN {user}"), alone.clone()],
        // For another account, for another's name, with half of it missing.
        vec![format!("AUTH PLAIN {}", STANDARD.encode(format!("\0bob@example.org\0{password}")))],
        vec![format!("AUTH PLAIN {}", STANDARD.encode(format!("bob@example.org\0{USER}\0{password}")))],
        vec![format!("AUTH PLAIN {}", STANDARD.encode(format!("{USER}\0{password}")))],
        // Given up half-way, no base64, too long, of a mechanism that there is not, of none.
        vec!["AUTH LOGIN".to_owned(), user.clone(), "*".to_owned()],
        vec![format!("AUTH PLAIN {plain}!"), format!("AUTH PLAIN ={plain}")],
        vec!["AUTH LOGIN".to_owned(), user.clone(), format!("{alone}!")],
        vec![format!("AUTH PLAIN {plain}{}", "A".repeat(20_000))],
        vec!["AUTH LOGIN".to_owned(), user, alone.repeat(2000)],
        vec![format!("AUTH XOAUTH2 {plain}")],
        vec![format!("AUTH {plain}")],
        // Typed where a command is expected.
        vec![password.to_owned(), alone],
    ];
    std::thread::scope(|scope| {
        for lines in &ways {
            scope.spawn(|| {
                let mut client = server.client(installation);
                client.expect("EHLO client.example", 250);
                say(&mut client, lines);
            });
        }
    });
}

/// Says line after line, until the server has heard enough.
fn say(client: &mut Client, lines: &[String]) {
    for line in lines {
        if client.ask(line).is_err() {
            return;
        }
    }
}

fn in_clear(server: &Server, installation: &Installation, password: &str) {
    let mut client = Client::connect(server.starttls(), &installation.authority.client());
    client.reply().unwrap();
    client.expect("EHLO client.example", 250);
    let lines = ["AUTH LOGIN".to_owned(), STANDARD.encode(USER), STANDARD.encode(password)];
    say(&mut client, &lines);
}

/// What commands say that are not there to show a secret once.
fn asked(installation: &Installation, leavings: &mut Leavings) {
    for arguments in [
        &["check"][..],
        &["key", "rotate"],
        &["user", "list"],
        &["user", "show", USER],
        &["user", "add", USER, "--password-stdin", "--allow-weak"],
        &["app-password", "list", USER, "--json"],
        &["certificate", "list", USER, "--json"],
        &["totp", "status", USER],
        &["totp", "enroll", USER],
        &["audit", "list", "--json"],
        &["queue", "list"],
    ] {
        let output = careless(&installation.command(arguments)).stdin(Stdio::null()).output().unwrap();
        leavings.insert(format!("{arguments:?}"), [output.stdout, output.stderr].concat());
    }
}

fn process(server: &Server, leavings: &mut Leavings) {
    for name in ["environ", "cmdline"] {
        let path = format!("/proc/{}/{name}", server.id());
        leavings.insert(path.clone(), std::fs::read(path).unwrap());
    }
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", server.id())).unwrap();
    let cores = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(cores.split_whitespace().filter(|word| *word == "0").count(), 2, "{cores}");
}

fn master_keys(installation: &Installation) -> Vec<Canary> {
    let text = std::fs::read_to_string(installation.path("master.key")).unwrap();
    let lines = text.lines().filter_map(|line| line.split_once(' ')).filter(|(id, _)| *id != "#");
    lines
        .map(|(id, key)| Canary { name: format!("master key {id}"), octets: STANDARD.decode(key).unwrap() })
        .collect()
}

/// The seed and the recovery codes of a second factor that is on.
fn second_factor(installation: &Installation) -> Vec<Canary> {
    let phone = Phone::enrolled(installation, USER);
    let confirmed = installation.json(&["totp", "confirm", USER, &phone.code()]);
    let codes = confirmed["recovery_codes"].as_array().unwrap();
    assert_eq!(codes.len(), 10);
    let codes = codes.iter().flat_map(|code| spellings("a recovery code", code.as_str().unwrap()));
    let seed = Canary { name: "the seed".to_owned(), octets: base32(&phone.seed) };
    codes.chain(spellings("the seed in base32", &phone.seed)).chain([seed]).collect()
}

/// The octets of a seed in base32 (RFC 4648 section 6).
fn base32(text: &str) -> Vec<u8> {
    let digits = text
        .bytes()
        .filter_map(|digit| b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".iter().position(|one| *one == digit));
    let bits: Vec<usize> = digits.flat_map(|digit| (0..5).rev().map(move |bit| digit >> bit & 1)).collect();
    bits.chunks_exact(8).map(|octet| octet.iter().fold(0, |value, bit| value << 1 | *bit as u8)).collect()
}

/// As it is, without what separates its groups, in capitals, in small letters, in groups.
fn spellings(name: &str, text: &str) -> Vec<Canary> {
    let bare: String = text.chars().filter(char::is_ascii_alphanumeric).collect();
    let groups: Vec<&str> =
        bare.as_bytes().chunks(4).map(|group| std::str::from_utf8(group).unwrap()).collect();
    [text.to_owned(), groups.join(" "), groups.join("-"), bare.to_uppercase(), bare.to_lowercase()]
        .map(|text| Canary { name: name.to_owned(), octets: text.into_bytes() })
        .into()
}

/// What SCRAM makes of a password (RFC 5802 section 3), each octet of it computed by Python from the salt that the
/// server gives out.
fn scram_keys(server: &Server, installation: &Installation, name: &str, password: &str) -> Vec<Canary> {
    let (salt, iterations) = scram_parameters(server, installation);
    assert_eq!(scram_parameters(server, installation).0, salt, "else these are keys of nothing that is kept");
    let script = "import base64, hashlib, hmac, sys\n\
        salted = hashlib.pbkdf2_hmac('sha256', sys.argv[1].encode(), base64.b64decode(sys.argv[2]), int(sys.argv[3]))\n\
        key = lambda name: hmac.new(salted, name, hashlib.sha256).digest()\n\
        client = key(b'Client Key')\n\
        for one in salted, client, hashlib.sha256(client).digest(), key(b'Server Key'): print(one.hex())";
    let mut python = Command::new("python3");
    let output = python.args(["-c", script, password, &salt, &iterations]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let keys = String::from_utf8(output.stdout).unwrap();
    let names = ["SaltedPassword", "ClientKey", "StoredKey", "ServerKey"];
    assert_eq!(keys.lines().count(), names.len());
    let canary =
        |(key, hex): (&str, &str)| Canary { name: format!("the {key} of {name}"), octets: unhex(hex) };
    names.into_iter().zip(keys.lines()).map(canary).collect()
}

/// The salt and the number of iterations that a client of SCRAM is told.
fn scram_parameters(server: &Server, installation: &Installation) -> (String, String) {
    let first = STANDARD.encode(format!("n,,n={USER},r=canary"));
    let mut client = server.client(installation);
    client.expect("EHLO client.example", 250);
    let asked = client.expect(&format!("AUTH SCRAM-SHA-256 {first}"), 334);
    let challenge =
        String::from_utf8(STANDARD.decode(asked.lines[0].trim_start_matches("334 ")).unwrap()).unwrap();
    let field =
        |name: &str| challenge.split(',').find_map(|field| field.strip_prefix(name)).unwrap().to_owned();
    (field("s="), field("i="))
}

fn unhex(text: &str) -> Vec<u8> {
    text.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

#[test]
fn no_secret_is_left_anywhere() {
    let auth = "mechanisms = [\"PLAIN\", \"LOGIN\", \"CRAM-MD5\", \"SCRAM-SHA-256\"]".to_owned();
    let installation = Installation::new(&Settings { auth, ..Settings::default() });
    let (password, wrong) = (random(12), random(12));
    installation.add_user(USER, &password);
    let server = start(&installation);
    let (_, app_password) = installation.app_password(USER, &["--cram-md5"]);
    let mut scram = scram_keys(&server, &installation, "the account password", &password);
    let grouped = spellings("", &app_password)[1].octets.clone();
    for form in [app_password.clone(), String::from_utf8(grouped).unwrap()] {
        scram.extend(scram_keys(&server, &installation, "the app password", &form));
    }
    let mut leavings = Leavings::new();
    for secret in [&password, &wrong, &app_password] {
        try_in_every_way(&server, &installation, secret);
        in_clear(&server, &installation, secret);
    }
    let mut canaries = second_factor(&installation);
    try_in_every_way(&server, &installation, &password);
    asked(&installation, &mut leavings);
    canaries.extend(spellings("the app password", &app_password));
    canaries.extend(spellings("the account password", &password));
    canaries.extend(spellings("the wrong password", &wrong));
    canaries.extend(master_keys(&installation));
    canaries.extend(scram);
    process(&server, &mut leavings);
    files(&installation.path("store"), &mut leavings);
    server.signal("ABRT");
    let log = server.until_ended();
    assert!(log.contains("event=wire"), "the log is not at level trace");
    leavings.insert("the log".to_owned(), log.into_bytes());
    let ended = server.ended();
    assert!(ended.signal() == Some(6) && !ended.core_dumped(), "{ended:?}");
    for path in entries(&installation.path("store")) {
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{} {mode:o}", path.display());
    }
    std::fs::remove_file(installation.path("master.key")).unwrap();
    files(&installation.path("."), &mut leavings);
    assert!(leavings.keys().any(|place| place.ends_with("accounts.db-wal")), "{:?}", leavings.keys());
    assert_eq!(sightings(&canaries, &leavings), BTreeSet::new());
}

#[test]
fn a_canary_is_seen_in_every_form() {
    let secret = b"abcdefghijklmnop";
    let canaries = [Canary { name: "it".to_owned(), octets: secret.to_vec() }];
    for text in [
        "x abcdefghijklmnop y".to_owned(),
        STANDARD.encode("\0alice@example.org\0abcdefghijklmnop"),
        STANDARD.encode("\0alice@example.or\0abcdefghijklmnop and more"),
        STANDARD.encode("\0alice@example.o\0abcdefghijklmnop."),
        URL_SAFE.encode("\0alice@example.org\0abcdefghijklmnop"),
        hex(secret),
        hex(secret).to_uppercase(),
        percent(secret),
        format!("{secret:?}"),
    ] {
        let leavings = Leavings::from([("here".to_owned(), text.clone().into_bytes())]);
        assert!(!sightings(&canaries, &leavings).is_empty(), "{text}");
    }
}
