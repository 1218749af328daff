//! Root, who runs commands on a store of somebody else's. Without root there is nothing to test.

use std::fs::{Permissions, read_dir, set_permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::Path;

use tests::server::{Installation, Settings, text};

/// A user of the system whom nobody needs to have made.
const OWNER: u32 = 54_321;
const USER: &str = "alice@example.org";

/// As in the README: the directory is root's, who may write there alone; the store and the key file are the server's.
fn installed() -> Option<Installation> {
    let installation = Installation::new(&Settings::default());
    let root = std::fs::metadata(installation.path(".")).unwrap().uid() == 0;
    installation.add_user(USER, "correct horse");
    let give = |path: &Path| chown(path, Some(OWNER), Some(OWNER));
    if !root || give(&installation.path("master.key")).is_err() {
        return None;
    }
    set_permissions(installation.path("."), Permissions::from_mode(0o755)).unwrap();
    set_permissions(installation.path("privkey.pem"), Permissions::from_mode(0o644)).unwrap();
    each_file(&installation.path("store"), &mut |path| give(path).unwrap());
    Some(installation)
}

fn each_file(path: &Path, act: &mut impl FnMut(&Path)) {
    act(path);
    if path.is_dir() {
        read_dir(path).unwrap().for_each(|file| each_file(&file.unwrap().path(), act));
    }
}

fn assert_all_of_owner(installation: &Installation) {
    each_file(&installation.path("store"), &mut |path| {
        assert_eq!(std::fs::metadata(path).unwrap().uid(), OWNER, "{}", path.display());
    });
}

#[test]
fn what_root_does_to_a_store_is_done_as_its_owner() {
    let Some(installation) = installed() else { return };
    installation.add_user("bob@example.org", "correct horse");
    let (_, password) = installation.app_password(USER, &[]);
    assert_all_of_owner(&installation);
    let server = installation.start_as(OWNER);
    server.logged_in(&installation, USER, &password).expect("QUIT", 221);
    installation.done(&["user", "disable", "bob@example.org"]);
    installation.done(&["queue", "list"]);
    assert_all_of_owner(&installation);
}

#[test]
fn root_rotates_a_key_where_only_root_may_write() {
    let Some(installation) = installed() else { return };
    let (_, password) = installation.app_password(USER, &["--cram-md5"]);
    let key = installation.path("master.key");
    let before = std::fs::read_to_string(&key).unwrap();
    let rotated = installation.json(&["key", "rotate"]);
    assert!(rotated["resealed"].as_u64().unwrap() >= 1, "{rotated}");
    let after = std::fs::read_to_string(&key).unwrap();
    assert!(after.starts_with(&before) && after.lines().count() == before.lines().count() + 1, "{after}");
    let found = std::fs::metadata(&key).unwrap();
    assert_eq!((found.uid(), found.mode() & 0o777), (OWNER, 0o600));
    assert_all_of_owner(&installation);
    let server = installation.start_as(OWNER);
    server.logged_in(&installation, USER, &password).expect("QUIT", 221);
}

#[test]
fn what_root_alone_may_read_is_read_before_root_becomes_the_owner() {
    let Some(installation) = installed() else { return };
    let secret = |name: &str, content: &[u8]| {
        let path = installation.path(name);
        std::fs::write(&path, content).unwrap();
        set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        path.display().to_string()
    };
    let users = secret("users.csv", b"address,password\ncarol@example.org,correct horse staple\n");
    let imported = installation.json(&["user", "import", &users, "--format", "csv"]);
    assert_eq!(imported["accounts"], 1, "{imported}");
    let certificate = secret("client.pem", &std::fs::read(installation.path("ca.pem")).unwrap());
    let added = installation.json(&["certificate", "add", USER, &certificate, "--label", "a test"]);
    assert!(!text(&added, "fingerprint").is_empty());
    assert_all_of_owner(&installation);
}

#[test]
fn root_does_not_serve_a_store_of_somebody_else() {
    let Some(installation) = installed() else { return };
    let output = installation.run(&["serve"], "");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(1) && said.contains("belongs to another user"), "{said}");
}
