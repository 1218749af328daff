//! The master key: 32 random octets in a file, from which every other key is derived.
//!
//! The file holds one line, `ID KEY`: a number and 32 octets in base64, below comments. The number is there so
//! that a file can come to hold more than one key.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hkdf::Hkdf;
use rand::Rng as _;
use sha2::Sha256;
use thiserror::Error;
use zeroize::Zeroizing;

/// Far more than a key file holds, so that a wrong path (a device, a mailbox) can't fill the memory.
const FILE_OCTETS: u64 = 16 * 1024;

/// Owner alone reads and writes.
const MODE: u32 = 0o600;

const PREAMBLE: &str = "\
# The master key of Gatepost. Keep a copy in a safe place: without it no app password works.
# Whoever reads it can guess app passwords from a stolen store.
";

/// The key from which the others are derived. Neither printed nor stored anywhere but in its file.
pub struct MasterKey(Zeroizing<[u8; 32]>);

/// What a derived key is for; two purposes never share one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The digest by which an app password is found.
    AppPasswordDigest,
}

impl Purpose {
    /// The `info` of HKDF (RFC 5869 section 3.2). Changing one makes everything derived with it worthless.
    fn info(self) -> &'static [u8] {
        match self {
            Purpose::AppPasswordDigest => b"gatepost app-password digest 1",
        }
    }
}

/// Why a key file was not read or written; says what to do about it.
#[derive(Debug, Error)]
pub enum KeyFileError {
    #[error("there is no master key {file}: make one with `gatepost key generate {file}`", file = .0.display())]
    Missing(PathBuf),
    #[error("cannot read the master key {}", .0.display())]
    Unreadable(PathBuf, #[source] io::Error),
    #[error("others may read the master key {} (mode {:03o}): `chmod 600` it", .0.display(), .1)]
    Exposed(PathBuf, u32),
    #[error("{} is no master key: expected one line, a number and 32 octets in base64", .0.display())]
    Malformed(PathBuf),
    #[error("{} exists already, and a master key is never overwritten; name another file", .0.display())]
    Exists(PathBuf),
    #[error("cannot write the master key {}", .0.display())]
    Unwritable(PathBuf, #[source] io::Error),
}

impl MasterKey {
    /// Reads the key from its file, which nobody but its owner may read.
    ///
    /// # Errors
    /// When the file is missing, readable by others, or no key file.
    pub fn load(path: &Path) -> Result<Self, KeyFileError> {
        let text = read_private(path)?;
        parse(&text).ok_or_else(|| KeyFileError::Malformed(path.to_owned()))
    }

    /// Makes a new key and its file, mode 0600, on stable storage when this returns.
    ///
    /// # Errors
    /// When the file exists or can't be written.
    pub fn generate(path: &Path) -> Result<Self, KeyFileError> {
        let mut key = Zeroizing::new([0; 32]);
        rand::rng().fill_bytes(key.as_mut_slice());
        let line = Zeroizing::new(format!("{PREAMBLE}1 {}\n", *Zeroizing::new(BASE64.encode(*key))));
        write_private(path, line.as_bytes()).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => KeyFileError::Exists(path.to_owned()),
            _ => KeyFileError::Unwritable(path.to_owned(), error),
        })?;
        Ok(Self(key))
    }

    /// The key for one purpose. The same master key and purpose always give the same key.
    #[must_use]
    pub fn derive(&self, purpose: Purpose) -> Zeroizing<[u8; 32]> {
        let mut key = Zeroizing::new([0; 32]);
        // RFC 5869 section 2.3: expanding fails only beyond 255 hash lengths; this is one.
        let expanded =
            Hkdf::<Sha256>::new(None, self.0.as_slice()).expand(purpose.info(), key.as_mut_slice());
        debug_assert!(expanded.is_ok());
        key
    }
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

fn read_private(path: &Path) -> Result<Zeroizing<String>, KeyFileError> {
    let unreadable = |error| KeyFileError::Unreadable(path.to_owned(), error);
    let file = File::open(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => KeyFileError::Missing(path.to_owned()),
        _ => unreadable(error),
    })?;
    // The open file is asked, not the path, which could be another by now.
    let mode = file.metadata().map_err(unreadable)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(KeyFileError::Exposed(path.to_owned(), mode));
    }
    let mut text = Zeroizing::new(String::new());
    file.take(FILE_OCTETS).read_to_string(&mut text).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidData => KeyFileError::Malformed(path.to_owned()),
        _ => unreadable(error),
    })?;
    Ok(text)
}

fn parse(text: &str) -> Option<MasterKey> {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let (id, key) = lines.next()?.split_once(' ')?;
    let _id: u32 = id.parse().ok()?;
    let key = Zeroizing::new(BASE64.decode(key.trim()).ok()?);
    let key = MasterKey(Zeroizing::new(key.as_slice().try_into().ok()?));
    lines.next().is_none().then_some(key)
}

/// Writes a file that was not there before; a file half written does not stay.
fn write_private(path: &Path, octets: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(MODE).open(path)?;
    let written =
        file.write_all(octets).and_then(|()| file.sync_all()).and_then(|()| sync_directory_of(path));
    written.inspect_err(|_| {
        let _ = std::fs::remove_file(path);
    })
}

fn sync_directory_of(path: &Path) -> io::Result<()> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("master.key");
        (directory, path)
    }

    #[test]
    fn a_generated_key_loads_and_derives_the_same_keys() {
        let (_directory, path) = file();
        let made = MasterKey::generate(&path).unwrap();
        let loaded = MasterKey::load(&path).unwrap();
        assert_eq!(made.derive(Purpose::AppPasswordDigest), loaded.derive(Purpose::AppPasswordDigest));
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn the_derived_key_of_a_known_master_key_never_changes() {
        // Else every app password in the field would stop to work.
        let key = parse("1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").unwrap();
        assert_eq!(
            BASE64.encode(*key.derive(Purpose::AppPasswordDigest)),
            "rNhTMXT6ccZgh+/mhbBcz8+fQMBUUtw23hBrgwjOWcU="
        );
    }

    #[test]
    fn a_key_is_never_overwritten() {
        let (_directory, path) = file();
        MasterKey::generate(&path).unwrap();
        let before = std::fs::read(&path).unwrap();
        assert!(matches!(MasterKey::generate(&path), Err(KeyFileError::Exists(_))));
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }

    #[test]
    fn a_key_that_others_may_read_is_refused() {
        for mode in [0o640, 0o604, 0o660, 0o644] {
            let (_directory, path) = file();
            MasterKey::generate(&path).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let error = MasterKey::load(&path).unwrap_err();
            assert!(error.to_string().contains(&format!("{mode:o}")), "{error}");
        }
    }

    #[test]
    fn a_missing_key_tells_how_to_make_one() {
        let (_directory, path) = file();
        assert!(MasterKey::load(&path).unwrap_err().to_string().contains("gatepost key generate"));
    }

    #[test]
    fn anything_but_one_key_is_refused() {
        let key = BASE64.encode([7; 32]);
        for text in [
            String::new(),
            "# nothing".to_owned(),
            key.clone(),
            format!("x {key}"),
            format!("1 {key}x"),
            format!("1 {}", BASE64.encode([7; 31])),
            format!("1 {}", BASE64.encode([7; 33])),
            format!("1 {key}\n2 {key}"),
        ] {
            assert!(parse(&text).is_none(), "{text:?}");
        }
    }

    #[test]
    fn debug_shows_nothing_of_the_key() {
        let key = MasterKey(Zeroizing::new([0x41; 32]));
        assert_eq!(format!("{key:?}"), "MasterKey(…)");
    }
}
