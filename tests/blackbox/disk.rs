//! No room on the disk, or no leave to use it: 452, and service goes on as soon as there is room again.

use std::path::{Path, PathBuf};
use std::process::Command;

use tests::client::{Client, Reply};
use tests::server::{Installation, Settings};

use crate::letter::letter;

const USER: &str = "alice@example.org";

/// A small file system in memory, gone with the test.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(at: &Path) -> SmallDisk {
        std::fs::create_dir_all(at).unwrap();
        let status = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=48m,mode=700", "gatepost-test"])
            .arg(at)
            .status();
        let mounted = status.is_ok_and(|status| status.success());
        assert!(
            mounted,
            "this test mounts a tmpfs of 48 MiB for the store: run it as root, or with CAP_SYS_ADMIN"
        );
        SmallDisk(at.to_owned())
    }

    /// Leaves so many MiB free.
    fn fill_up(&self, free: usize) -> PathBuf {
        let filler = self.0.join("filler");
        let mut octets = 0;
        while self.free() > free {
            octets += 1 << 20;
            std::fs::write(&filler, vec![0; octets]).unwrap();
        }
        filler
    }

    fn free(&self) -> usize {
        let output =
            Command::new("df").args(["--output=avail", "--block-size=1M"]).arg(&self.0).output().unwrap();
        String::from_utf8(output.stdout).unwrap().split_whitespace().last().unwrap().parse().unwrap()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily, as the server may just be closing its files.
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_is_told_with_452_and_forgotten_when_there_is_room_again() {
    let base = Installation::new(&Settings::default());
    let disk = SmallDisk::mount(&base.path("disk"));
    base.configure(&Settings {
        limits: "message_size = \"1 MiB\"".to_owned(),
        store: Some(base.path("disk").join("store")),
        ..Settings::default()
    });
    base.add_user(USER, "correct horse");
    let server = base.start();
    let mut client = server.logged_in(&base, USER, "correct horse");
    let mut accepted = 0;
    assert_eq!(send(&mut client, "before").code, 250);
    accepted += 1;

    let filler = disk.fill_up(6);
    let refused = loop {
        let reply = send(&mut client, &format!("tight-{accepted}"));
        if reply.code != 250 {
            break reply;
        }
        accepted += 1;
        assert!(accepted < 100, "48 MiB hold no hundred of these");
    };
    assert!(refused.lines[0].starts_with("452 4.3.1 "), "{refused:?}");

    std::fs::remove_file(filler).unwrap();
    client.expect("RSET", 250);
    let reply = send(&mut client, "after");
    assert_eq!(reply.code, 250, "{reply:?}\n{}", server.log());
    assert_eq!(base.queue().len(), accepted + 1, "what got its 250 is queued, and nothing else");
    assert!(server.terminate().success());
}

#[test]
fn a_server_that_is_started_on_a_full_disk_serves_and_says_452() {
    let base = Installation::new(&Settings::default());
    let disk = SmallDisk::mount(&base.path("disk"));
    base.configure(&Settings { store: Some(base.path("disk").join("store")), ..Settings::default() });
    base.add_user(USER, "correct horse");
    let server = base.start();
    assert_eq!(send(&mut server.logged_in(&base, USER, "correct horse"), "before").code, 250);
    assert!(server.terminate().success());

    let filler = disk.0.join("filler");
    assert!(std::fs::write(&filler, vec![0; 48 << 20]).is_err(), "it does not fit, and leaves no room");
    let server = base.start();
    let mut client = server.logged_in(&base, USER, "correct horse");
    let refused = send(&mut client, "into-the-reserve");
    assert!(refused.lines[0].starts_with("452 4.3.1 "), "{refused:?}");
    std::fs::remove_file(filler).unwrap();
    assert_eq!(send(&mut client, "after").code, 250, "{}", server.log());
    assert_eq!(base.queue().len(), 2);
}

/// setrlimit(2): whoever goes on writing is killed by SIGXFSZ, unless that is caught.
#[test]
fn a_limit_on_the_size_of_files_is_a_full_disk_and_no_end() {
    let base = Installation::new(&Settings::default());
    base.add_user(USER, "correct horse");
    let server = base.start();
    let mut client = server.logged_in(&base, USER, "correct horse");
    limit_file_size(server.id(), "65536:");
    let refused = send(&mut client, "over-the-limit");
    assert!(refused.lines[0].starts_with("452 4.3.1 "), "{refused:?}");
    limit_file_size(server.id(), "unlimited:");
    assert_eq!(send(&mut client, "lifted").code, 250, "{}", server.log());
    assert!(server.terminate().success());
}

/// The soft limit alone, so that it can be lifted again.
fn limit_file_size(process: u32, limit: &str) {
    let (pid, limit) = (process.to_string(), format!("--fsize={limit}"));
    let status = Command::new("prlimit").args(["--pid", &pid, &limit]).status().expect("prlimit");
    assert!(status.success(), "prlimit {limit}: {status}");
}

fn send(client: &mut Client, name: &str) -> Reply {
    client
        .send(
            USER,
            &["bob@example.net"],
            &letter(name, &"forty octets of text on every line, so..\r\n".repeat(15_000)),
        )
        .unwrap()
}
