//! What a server holds in memory: no process of its own user reads it, and what it needs no more is not left there.

use std::fs::{File, Permissions, set_permissions};
use std::os::unix::fs::{FileExt as _, MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Output};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tests::server::{Installation, Server, Settings, run};

const USER: &str = "alice@example.org";
/// A user of the system whom nobody needs to have made.
const OWNER: u32 = 54_321;

fn is_root() -> bool {
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}

/// What the user of the server gets of the memory of a process of theirs.
fn read_by_the_same_user(process: u32) -> Output {
    let mut command = Command::new("head");
    command.args(["-c", "1", &format!("/proc/{process}/maps")]);
    if is_root() {
        command.uid(OWNER).gid(OWNER);
    }
    run(&mut command, "")
}

/// The server of a user who is not root.
fn started(installation: &Installation) -> Server {
    if !is_root() {
        return installation.start();
    }
    let give = |path: &Path| chown(path, Some(OWNER), Some(OWNER)).unwrap();
    for name in [".", "master.key", "privkey.pem", "store"] {
        give(&installation.path(name));
    }
    for file in std::fs::read_dir(installation.path("store")).unwrap() {
        give(&file.unwrap().path());
    }
    set_permissions(installation.path("."), Permissions::from_mode(0o755)).unwrap();
    installation.start_as(OWNER)
}

#[test]
fn no_other_process_of_its_user_reads_the_memory_of_a_server() {
    let installation = Installation::new(&Settings::default());
    installation.add_user(USER, "correct horse");
    let server = started(&installation);
    let refused = read_by_the_same_user(server.id());
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && said.contains("Permission denied"), "{said}");
    // Of a process that has not forbidden it, it is read.
    let mut other = Command::new("sleep");
    if is_root() {
        other.uid(OWNER).gid(OWNER);
    }
    let mut other = other.arg("60").spawn().unwrap();
    let read = tests::server::until("the other process runs", || {
        Some(read_by_the_same_user(other.id())).filter(|read| read.status.success())
    });
    other.kill().unwrap();
    other.wait().unwrap();
    assert_eq!(read.stdout.len(), 1);
}

/// How often this stands in the memory that a process can write to. Only root may look.
fn sightings(process: u32, octets: &[u8]) -> usize {
    let maps = std::fs::read_to_string(format!("/proc/{process}/maps")).unwrap();
    let memory = File::open(format!("/proc/{process}/mem")).unwrap();
    let writable =
        maps.lines().filter(|line| line.split(' ').nth(1).is_some_and(|modes| modes.starts_with("rw")));
    let region = |line: &str| {
        let (begin, end) = line.split(' ').next().unwrap().split_once('-').unwrap();
        let address = |text| u64::from_str_radix(text, 16).unwrap();
        let (begin, end) = (address(begin), address(end));
        let mut octets = vec![0; usize::try_from(end - begin).unwrap()];
        // A region may be gone by now.
        memory.read_exact_at(&mut octets, begin).map(|()| octets).unwrap_or_default()
    };
    let found = writable.map(region).map(|region| memchr::memmem::find_iter(&region, octets).count());
    found.sum()
}

/// Keys have to be there, but not the text of their file, nor what a client sent to prove itself.
#[test]
fn the_text_of_the_key_file_and_passwords_that_were_judged_are_not_left_in_memory() {
    if !is_root() {
        return;
    }
    let installation = Installation::new(&Settings::default());
    installation.add_user(USER, "correct horse battery staple");
    let server = installation.start();
    for password in ["correct horse battery staple", "wrong horse battery staple"] {
        server.knock(&installation, USER, password);
    }
    let file = std::fs::read_to_string(installation.path("master.key")).unwrap();
    let text = file.lines().find_map(|line| line.split_once(' ').filter(|(id, _)| *id != "#")).unwrap().1;
    let key = STANDARD.decode(text).unwrap();
    let (half, _) = key.split_at(16);
    assert!(sightings(server.id(), half) > 0, "the key is not found, so this test finds nothing");
    for gone in [text, "correct horse battery staple", "wrong horse battery staple"] {
        assert_eq!(sightings(server.id(), gone.as_bytes()), 0, "{gone:?}");
    }
}
