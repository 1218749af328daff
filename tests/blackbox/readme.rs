//! The README's way from a fresh machine to a running server, line by line, in mounts and a network of its own.

use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use tests::authority::Authority;
use tests::server::{Server, binary, run};

const README: &str = include_str!("../../README.md");

/// What the machine of the README has and this one may lack: certbot with a certificate, systemd, sudo, and in `$1` the binary that
/// was built. Everything that is written goes into memory and is gone with the process.
const MACHINE: &str = r#"
set -eu
ip link set lo up
mount -t tmpfs tmpfs /mnt
mkdir /mnt/etc /mnt/build
cp -a /etc/. /mnt/etc/
mount --bind /mnt/etc /etc
mount -t tmpfs tmpfs /var/lib
mount -t tmpfs tmpfs /usr/local/bin
mkdir -p /mnt/build/target/release
cp "$1" /mnt/build/target/release/gatepost
cp -r config /mnt/build/
mkdir -p /etc/letsencrypt/live/mail.example.org
cp "$2"/fullchain.pem "$2"/privkey.pem /etc/letsencrypt/live/mail.example.org/
cd /mnt/build
cargo() { :; }
certbot() { :; }
systemctl() { :; }
journalctl() { :; }
sudo() { shift 2; setpriv --reuid gatepost --regid gatepost --clear-groups -- "$@"; }
"#;

/// The shell blocks of the steps, in their order.
fn blocks() -> Vec<&'static str> {
    let (_, steps) = README.split_once("## Set it up for your domain").unwrap();
    let (steps, _) = steps.split_once("**7. DNS.**").unwrap();
    steps.split("```sh\n").skip(1).map(|block| block.split_once("```").unwrap().0).collect()
}

#[test]
fn the_page_on_embedding_begins_with_the_example() {
    let example = include_str!("../../crates/submission/examples/fixed_password.rs");
    let code = &example[example.find("\nuse ").unwrap() + 1..];
    assert!(include_str!("../../docs/embedding.md").contains(&format!("```rust,no_run\n{code}```\n")));
}

#[test]
fn the_readme_leads_to_a_running_server() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let pair = Authority::new().sign();
    pair.write(&directory.path().join("fullchain.pem"), &directory.path().join("privkey.pem"));
    let mut script = MACHINE.to_owned();
    for block in blocks() {
        // What is typed where a step asks: the password for the smarthost.
        script += &format!("{{\n{block}}} <<'TYPED'\ns3cret\nTYPED\n");
    }
    // There is no smarthost here to log in at.
    let script = script.replace("check --connect", "check --strict");
    let script = format!(
        "{script}\nsudo -u gatepost gatepost user list --json\nexec setpriv --reuid gatepost --regid gatepost --clear-groups \
        --inh-caps +net_bind_service --ambient-caps +net_bind_service -- gatepost serve\n"
    );
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let mut command = Command::new("unshare");
    command
        .args(["--mount", "--net", "bash", "-c", &script, "bash"])
        .arg(binary())
        .arg(directory.path())
        .current_dir(root);
    command.env_remove("GATEPOST_CONFIG").env_remove("NOTIFY_SOCKET").stdin(Stdio::null());
    let log = directory.path().join("shown");
    let child = command.stdout(std::fs::File::create(&log).unwrap()).stderr(Stdio::piped()).spawn().unwrap();
    let server = Server::from(child);
    server.until_ready();
    let shown = std::fs::read_to_string(&log).unwrap();
    assert!(shown.contains("/etc/gatepost/gatepost.toml: all is well"), "{shown}");
    assert!(shown.contains("alice@example.org"), "{shown}");
    assert!(!server.log().contains("event=setup.warning"), "{}", server.log());
    let mut inside = Command::new("nsenter");
    inside.args([
        "--target",
        &server.id().to_string(),
        "--net",
        "bash",
        "-c",
        "exec 3<>/dev/tcp/127.0.0.1/587; head -n 1 <&3",
    ]);
    let greeted = run(&mut inside, "");
    assert!(String::from_utf8_lossy(&greeted.stdout).starts_with("220 mail.example.org"), "{greeted:?}");
    assert!(server.terminate().success());
}
