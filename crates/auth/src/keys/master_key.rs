//! The master keys: 32 random octets each, in a file that is not part of the store.
//!
//! Every line of the file is `ID KEY`: a number and the key in base64, below comments. The greatest number is the
//! newest key. Which of them seals, the store says; all open what they have sealed. See docs/decisions/0007-keys.md.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use store::MasterKeyId;
use zeroize::Zeroizing;

use crate::keys::key::{Key, Purpose};
use crate::keys::key_file::{self, KeyFileError, KeyFileLock};

const PREAMBLE: &str = "\
# The master keys of Gatepost. Keep a copy in a safe place: without them no login works.
# Whoever reads them can open the secrets of a stolen store.
";

/// The keys of a key file, each with its number. Neither printed nor stored anywhere but in that file.
pub struct MasterKeys {
    file: PathBuf,
    /// The oldest first.
    older: Vec<(u32, Key)>,
    newest: (u32, Key),
}

impl MasterKeys {
    /// Reads the keys from their file, which nobody but its owner may read. The file is on stable storage when this returns: what is sealed
    /// under its keys must not outlive them.
    ///
    /// # Errors
    /// When the file is missing, a link, readable by others, or no key file, or it can't be synced.
    pub fn load(file: &Path) -> Result<Self, KeyFileError> {
        let keys = Self::peek(file)?;
        key_file::sync(file)?;
        Ok(keys)
    }

    /// Reads the keys from their file, which need not be on stable storage yet.
    pub(crate) fn peek(file: &Path) -> Result<Self, KeyFileError> {
        parse(file, &key_file::read(file)?)
    }

    /// Makes a file with one new key, mode 0600, on stable storage when this returns.
    ///
    /// # Errors
    /// When the file exists or can't be written.
    pub fn generate(file: &Path) -> Result<Self, KeyFileError> {
        let key = Key::random();
        let text = Zeroizing::new([PREAMBLE, &line(1, &key)].concat());
        key_file::make(file, &text)?;
        Ok(Self { file: file.to_owned(), older: Vec::new(), newest: (1, key) })
    }

    /// Adds a new key to the file, behind those that are there. It opens from now on, and seals once it is activated.
    ///
    /// # Errors
    /// When the file is none, or it can't be replaced.
    pub fn add(lock: &KeyFileLock) -> Result<Self, KeyFileError> {
        let file = lock.file();
        let text = key_file::read(file)?;
        let mut keys = parse(file, &text)?;
        let id = keys.newest().checked_add(1).ok_or_else(|| KeyFileError::NumbersUsedUp(file.to_owned()))?;
        let key = Key::random();
        let end = if text.ends_with('\n') { "" } else { "\n" };
        let text = Zeroizing::new([text.as_str(), end, &line(id, &key)].concat());
        key_file::replace(lock, &text, id)?;
        keys.older.push(std::mem::replace(&mut keys.newest, (id, key)));
        Ok(keys)
    }

    /// Where they are from.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The number of the newest key.
    #[must_use]
    pub fn newest(&self) -> u32 {
        self.newest.0
    }

    /// Which key is the newest.
    #[must_use]
    pub fn newest_id(&self) -> MasterKeyId {
        id_of(&self.newest)
    }

    /// Whether this very key is among them, and not another of its number.
    #[must_use]
    pub fn have(&self, id: MasterKeyId) -> bool {
        self.all().any(|key| id_of(key) == id)
    }

    /// The numbers of all keys, the oldest first.
    pub fn numbers(&self) -> impl Iterator<Item = u32> {
        self.all().map(|(number, _)| *number)
    }

    /// The newest key, with its number.
    pub(crate) fn newest_key(&self) -> (u32, &Key) {
        (self.newest.0, &self.newest.1)
    }

    /// The key with this number.
    pub(crate) fn key(&self, id: u32) -> Option<&Key> {
        self.all().find(|(known, _)| *known == id).map(|(_, key)| key)
    }

    /// The first key there was.
    pub(crate) fn oldest(&self) -> &Key {
        self.all().next().map_or(&self.newest.1, |(_, key)| key)
    }

    /// These keys, and of the others those whose numbers are missing here.
    pub(crate) fn and(mut self, others: &MasterKeys) -> MasterKeys {
        let missing: Vec<_> =
            others.all().filter(|(number, _)| self.key(*number).is_none()).cloned().collect();
        self.older.extend(missing);
        self.older.sort_by_key(|(number, _)| *number);
        if let Some(newer) = self.older.pop_if(|(number, _)| *number > self.newest.0) {
            self.older.push(std::mem::replace(&mut self.newest, newer));
            self.older.sort_by_key(|(number, _)| *number);
        }
        self
    }

    /// The numbers of those keys that are not among the others: not at all, or as another key.
    pub(crate) fn missing_in(&self, others: &MasterKeys) -> Vec<u32> {
        let is_there = |number, key: &Key| {
            others.key(number).is_some_and(|theirs| theirs.declassify() == key.declassify())
        };
        self.all().filter(|(number, key)| !is_there(*number, key)).map(|(number, _)| *number).collect()
    }

    fn all(&self) -> impl Iterator<Item = &(u32, Key)> {
        self.older.iter().chain([&self.newest])
    }
}

impl std::fmt::Debug for MasterKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKeys(…)")
    }
}

fn id_of((number, key): &(u32, Key)) -> MasterKeyId {
    let digest = key.derive(Purpose::MasterKeyDigest).first_chunk().copied().unwrap_or_default();
    MasterKeyId { number: *number, digest }
}

fn line(id: u32, key: &Key) -> Zeroizing<String> {
    // Joined, not formatted: a text that grows leaves parts of itself behind.
    Zeroizing::new([&id.to_string(), " ", &*Zeroizing::new(BASE64.encode(key.declassify())), "\n"].concat())
}

fn parse(file: &Path, text: &str) -> Result<MasterKeys, KeyFileError> {
    let mut keys: Vec<(u32, Key)> = Vec::new();
    for (number, line) in (1..).zip(text.lines().map(str::trim)) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (id, key) = one(line).ok_or_else(|| KeyFileError::Malformed(file.to_owned(), number))?;
        if keys.iter().any(|(known, _)| *known == id) {
            return Err(KeyFileError::Repeated(file.to_owned(), number, id));
        }
        keys.push((id, key));
    }
    keys.sort_by_key(|(id, _)| *id);
    let newest = keys.pop().ok_or_else(|| KeyFileError::Empty(file.to_owned()))?;
    Ok(MasterKeys { file: file.to_owned(), older: keys, newest })
}

fn one(line: &str) -> Option<(u32, Key)> {
    let (id, key) = line.split_once(' ')?;
    // Room for a little more than a key, which is then refused for its length.
    let mut octets = Zeroizing::new([0; 48]);
    let length = BASE64.decode_slice(key.trim(), octets.as_mut_slice()).ok()?;
    Some((id.parse().ok()?, Key::from_octets(octets.get(..length)?)?))
}

#[cfg(test)]
pub(crate) mod tests {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown, symlink};

    use super::*;

    /// Keys with these numbers; the octets of each are its number.
    pub(crate) fn numbered(ids: &[u32]) -> MasterKeys {
        let keys: Vec<_> = ids.iter().map(|id| (*id, id.to_le_bytes()[0])).collect();
        of_octets(&keys)
    }

    /// Keys with these numbers, each of one octet 32 times.
    pub(crate) fn of_octets(keys: &[(u32, u8)]) -> MasterKeys {
        let keys = keys.iter().map(|(id, octet)| (*id, Key::from_octets(&[*octet; 32]).unwrap()));
        let mut older: Vec<_> = keys.collect();
        let newest = older.pop().unwrap();
        MasterKeys { file: PathBuf::from("master.key"), older, newest }
    }

    fn file() -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("master.key");
        (directory, path)
    }

    fn add(path: &Path) -> Result<MasterKeys, KeyFileError> {
        MasterKeys::add(&KeyFileLock::take(path)?)
    }

    fn octets(keys: &MasterKeys) -> Vec<(u32, Vec<u8>)> {
        keys.all().map(|(id, key)| (*id, key.declassify().to_vec())).collect()
    }

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn keys_read_back_as_they_were_made() {
        let (_directory, path) = file();
        let made = MasterKeys::generate(&path).unwrap();
        assert_eq!(octets(&MasterKeys::load(&path).unwrap()), octets(&made));
        let added = add(&path).unwrap();
        assert_eq!((made.newest(), added.newest()), (1, 2));
        assert_eq!(octets(&added)[0], octets(&made)[0]);
        assert_ne!(octets(&added)[0].1, octets(&added)[1].1);
        assert_eq!(octets(&MasterKeys::load(&path).unwrap()), octets(&added));
        assert_eq!(mode(&path), 0o600);
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn a_key_is_added_behind_whatever_the_file_says() {
        let (_directory, path) = file();
        let (three, one) = (BASE64.encode([3; 32]), BASE64.encode([1; 32]));
        make(&path, &format!("# mine\n3 {three}\n\n1 {one}"));
        let keys = add(&path).unwrap();
        assert_eq!(keys.all().map(|(id, _)| *id).collect::<Vec<_>>(), [1, 3, 4]);
        assert_eq!(keys.oldest().declassify(), [1; 32]);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with(&format!("# mine\n3 {three}\n\n1 {one}\n4 ")), "{text}");
    }

    fn make(path: &Path, text: &str) {
        std::fs::write(path, text).unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }

    #[test]
    fn a_file_half_written_by_a_crash_is_in_nobodys_way() {
        let (directory, path) = file();
        MasterKeys::generate(&path).unwrap();
        std::fs::write(directory.path().join("master.key.new"), "half").unwrap();
        assert_eq!(add(&path).unwrap().newest(), 2);
    }

    #[test]
    fn a_key_added_keeps_the_owner_of_the_file() {
        let (_directory, path) = file();
        MasterKeys::generate(&path).unwrap();
        let given = std::fs::File::open(&path).unwrap();
        if fchown(&given, Some(65534), Some(65534)).is_err() {
            return; // Only root can give files away, and only for root it matters.
        }
        add(&path).unwrap();
        let found = std::fs::metadata(&path).unwrap();
        assert_eq!((found.uid(), found.gid(), found.mode() & 0o777), (65534, 65534, 0o600));
    }

    #[test]
    fn only_one_at_a_time_adds_a_key() {
        let (_directory, path) = file();
        MasterKeys::generate(&path).unwrap();
        let lock = KeyFileLock::take(&path).unwrap();
        assert!(matches!(KeyFileLock::take(&path), Err(KeyFileError::Locked(_))));
        drop(lock);
        add(&path).unwrap();
    }

    #[test]
    fn keys_of_one_number_are_told_apart_and_the_same_key_is_known_again() {
        let keys = of_octets(&[(1, 1), (2, 7)]);
        assert_eq!(keys.newest_id(), of_octets(&[(2, 7)]).newest_id());
        for other in [&[(2, 8)][..], &[(3, 7)]] {
            assert_ne!(keys.newest_id(), of_octets(other).newest_id(), "{other:?}");
        }
        assert_eq!(keys.numbers().collect::<Vec<_>>(), [1, 2]);
        assert!(keys.have(of_octets(&[(1, 1)]).newest_id()) && !keys.have(of_octets(&[(1, 7)]).newest_id()));
    }

    #[test]
    fn the_keys_of_a_file_come_before_those_that_were_known() {
        for (file, known, all) in [
            (&[(1, 1)][..], &[(1, 1)][..], &[(1, 1)][..]),
            (&[(2, 2), (3, 3)], &[(1, 1), (2, 2)], &[(1, 1), (2, 2), (3, 3)]),
            (&[(1, 1)], &[(2, 2), (3, 3)], &[(1, 1), (2, 2), (3, 3)]),
            (&[(2, 2)], &[(1, 1), (3, 3)], &[(1, 1), (2, 2), (3, 3)]),
            (&[(1, 1), (2, 9)], &[(1, 1), (2, 2)], &[(1, 1), (2, 9)]),
        ] {
            assert_eq!(octets(&of_octets(file).and(&of_octets(known))), octets(&of_octets(all)), "{file:?}");
        }
    }

    #[test]
    fn a_key_is_missing_where_its_number_has_another() {
        let keys = of_octets(&[(1, 1), (2, 2)]);
        for (others, missing) in [
            (&[(1, 1), (2, 2), (3, 3)][..], &[][..]),
            (&[(2, 2)], &[1]),
            (&[(1, 1), (2, 9)], &[2]),
            (&[(3, 3)], &[1, 2]),
        ] {
            assert_eq!(keys.missing_in(&of_octets(others)), missing, "{others:?}");
        }
    }

    #[test]
    fn no_greater_number_is_left() {
        let (_directory, path) = file();
        make(&path, &format!("{} {}", u32::MAX, BASE64.encode([1; 32])));
        assert!(matches!(add(&path), Err(KeyFileError::NumbersUsedUp(_))));
    }

    #[test]
    fn a_key_is_never_overwritten() {
        let (_directory, path) = file();
        MasterKeys::generate(&path).unwrap();
        let before = std::fs::read(&path).unwrap();
        assert!(matches!(MasterKeys::generate(&path), Err(KeyFileError::Exists(_))));
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }

    #[test]
    fn a_key_that_others_may_read_is_refused() {
        for mode in [0o640, 0o604, 0o660, 0o644] {
            let (_directory, path) = file();
            MasterKeys::generate(&path).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            for error in [MasterKeys::load(&path).unwrap_err(), add(&path).unwrap_err()] {
                assert!(error.to_string().contains(&format!("{mode:o}")), "{error}");
            }
        }
    }

    #[test]
    fn what_is_no_file_is_refused() {
        let (directory, path) = file();
        MasterKeys::generate(&path).unwrap();
        let link = directory.path().join("link");
        symlink(&path, &link).unwrap();
        assert!(matches!(MasterKeys::load(&link), Err(KeyFileError::SymbolicLink(_))));
        assert!(matches!(add(&link), Err(KeyFileError::SymbolicLink(_))));
        assert!(matches!(MasterKeys::load(directory.path()), Err(KeyFileError::NoFile(_))));
    }

    #[test]
    fn a_missing_or_empty_file_tells_how_to_make_one() {
        let (_directory, path) = file();
        assert!(MasterKeys::load(&path).unwrap_err().to_string().contains("gatepost key generate"));
        make(&path, "# nothing\n");
        assert!(MasterKeys::load(&path).unwrap_err().to_string().contains("gatepost key generate"));
    }

    #[test]
    fn an_error_names_the_line() {
        let key = BASE64.encode([7; 32]);
        for (text, line) in [
            (key.clone(), 1),
            (format!("x {key}"), 1),
            (format!("-1 {key}"), 1),
            (format!("4294967296 {key}"), 1),
            (format!("# one\n\n1 {key}x"), 3),
            (format!("1 {key}\n2 {}", BASE64.encode([7; 31])), 2),
            (format!("2 {key}\n1 {}", BASE64.encode([7; 33])), 2),
            (format!("1 {key}\n# again\n1 {key}"), 3),
        ] {
            let error = parse(Path::new("k"), &text).unwrap_err().to_string();
            assert!(error.starts_with(&format!("k, line {line}: ")), "{text:?}: {error}");
            assert!(!error.contains(&key), "{error}");
        }
    }

    #[test]
    fn debug_shows_nothing_of_the_keys() {
        assert_eq!(format!("{:?}", numbered(&[1, 2])), "MasterKeys(…)");
    }
}
