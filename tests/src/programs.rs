//! What `tests/run` puts beside the binary: programs of Debian's packages, unpacked and not installed, and those of npm.

use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use crate::server::binary;

/// The tree into which Debian's packages are unpacked.
pub fn unpacked() -> PathBuf {
    there("programs")
}

/// Where the libraries lie that were unpacked with them, as `LD_LIBRARY_PATH` has it, those of `usr/lib/NAME` first.
pub fn libraries(name: &str) -> String {
    let lib = unpacked().join("usr/lib");
    let of_machine = std::fs::read_dir(&lib).unwrap().map(|entry| entry.unwrap().path());
    let of_machine = of_machine.filter(|path| path.to_string_lossy().ends_with("-linux-gnu"));
    let all: Vec<String> =
        std::iter::once(lib.join(name)).chain(of_machine).map(|path| path.display().to_string()).collect();
    all.join(":")
}

/// The `node_modules` of tests/`name`.
pub fn modules(name: &str) -> PathBuf {
    there(name).join("node_modules")
}

fn there(name: &str) -> PathBuf {
    let there = binary().parent().and_then(Path::parent).unwrap().join(name);
    assert!(there.exists(), "{} is missing: tests/run puts it there", there.display());
    there
}

/// A server that ends, with all of its children, when it is told to.
pub struct Service(pub Child);

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended already, and that is fine.
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}
