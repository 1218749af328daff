//! Whether the store and its master key are kept from others, and from each other: the server doesn't start otherwise.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use config::Storage;
use stores::Store;

/// How many files are named; the command to run mends all of them.
const NAMED: usize = 3;

/// The store is its owner's alone, if it is there.
///
/// # Errors
/// When others have rights on the directory or a file of the store.
pub(crate) fn store_is_private(directory: &Path) -> anyhow::Result<()> {
    let shown = directory.display();
    let exposed = Store::exposed(directory).with_context(|| format!("cannot read the store {shown}"))?;
    if exposed.is_empty() {
        return Ok(());
    }
    let named = exposed.iter().take(NAMED);
    let named: Vec<String> =
        named.map(|file| format!("{} has mode {:03o}", file.path.display(), file.mode)).collect();
    let more = match exposed.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(", and so on for {more} more"),
    };
    bail!("others have rights on the store: {}{more}; `chmod -R go= {shown}`", named.join(", "))
}

/// A copy of the store does not have the key to it.
///
/// # Errors
/// When the master key lies in the directory of the store.
pub(crate) fn key_is_apart(storage: &Storage) -> anyhow::Result<()> {
    let Storage { directory, master_key_file: key } = storage;
    if !resolved(key).starts_with(resolved(directory)) {
        return Ok(());
    }
    bail!(
        "the master key {} lies in the store, so that a copy of the store has the key to its secrets, and a backup made by \
         `gatepost store backup` lacks it: move it out of {}, and change storage.master_key_file",
        key.display(),
        directory.display()
    )
}

/// The path without symbolic links, as far as it is there.
fn resolved(path: &Path) -> PathBuf {
    if let Ok(path) = path.canonicalize() {
        return path;
    }
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => resolved(parent).join(name),
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn storage(directory: &Path, key: &Path) -> Storage {
        Storage { directory: directory.to_owned(), master_key_file: key.to_owned() }
    }

    #[test]
    fn a_key_in_the_store_is_found_behind_links_and_before_either_is_there() {
        let parent = tempfile::tempdir().unwrap();
        let path = |name: &str| parent.path().join(name);
        let is_apart =
            |directory: &str, key: &str| key_is_apart(&storage(&path(directory), &path(key))).is_ok();
        assert!(!is_apart("store", "store/master.key"));
        assert!(!is_apart("store", "store/deep/master.key"));
        assert!(is_apart("store", "master.key") && is_apart("store", "store-2/master.key"));
        fs::create_dir(path("store")).unwrap();
        fs::set_permissions(path("store"), Permissions::from_mode(0o700)).unwrap();
        symlink(path("store"), path("link")).unwrap();
        assert!(!is_apart("store", "link/master.key") && !is_apart("link", "store/master.key"));
        assert!(is_apart("link", "master.key"));
    }

    #[test]
    fn some_exposed_files_are_named_and_the_rest_is_counted() {
        let parent = tempfile::tempdir().unwrap();
        fs::set_permissions(parent.path(), Permissions::from_mode(0o700)).unwrap();
        for name in ["a", "b", "c", "d"] {
            fs::write(parent.path().join(name), "").unwrap();
            fs::set_permissions(parent.path().join(name), Permissions::from_mode(0o640)).unwrap();
        }
        let told = store_is_private(parent.path()).unwrap_err().to_string();
        assert!(
            told.contains("a has mode 640, ") && told.contains("c has mode 640, and so on for 1 more;"),
            "{told}"
        );
        assert!(told.ends_with(&format!("`chmod -R go= {}`", parent.path().display())), "{told}");
    }
}
