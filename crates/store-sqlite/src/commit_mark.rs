//! Where the last commit is, noted outside of the database.
//!
//! When SQLite finds a damaged frame in a WAL, it takes it for the end: the commits behind are gone, and nobody is told.
//! So the place of the last commit is noted in a file of its own once that commit is durable, by an ordinary write
//! without a sync. What is noted may then be too old, after a power cut, but is never ahead of what was durable: if it is
//! ahead of what is found, something was lost. Only before a WAL is emptied or removed is the note synced.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::mem::ManuallyDrop;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use crate::wal::{self, LastCommit, Salts, Wal};

/// How often the place is noted where not every commit does.
const EVERY: Duration = Duration::from_millis(500);

/// How often a WAL may have been begun anew since the place was noted, at most.
const LATER: u32 = 10_000;

/// The place of a commit: a frame of the WAL, and the page in it, which a checkpoint moves into the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark {
    salts: Salts,
    frames: u32,
    page_size: u32,
    page: u32,
    /// The CRC-32 of the page.
    crc: u32,
}

/// Notes the place of the last commit.
#[derive(Debug)]
pub(crate) struct Marker {
    /// Never closed: SQLite has POSIX locks on the same file, and a process loses those when it closes any descriptor
    /// of it.
    index: ManuallyDrop<File>,
    wal: File,
    mark: File,
    noted: Mutex<Option<LastCommit>>,
}

impl Marker {
    /// For a database that has a connection. `None` where there is no WAL, or no room for the mark: a commit is worth no less
    /// without it.
    pub(crate) fn open(database: &Path) -> Option<Arc<Self>> {
        let opened = Self::files(database).inspect_err(|error| {
            tracing::warn!(
                event = "store.no-mark",
                database = %database.display(),
                %error,
                "the place of the last commit cannot be noted: a damaged WAL would not be noticed"
            );
        });
        opened.ok().map(Arc::new)
    }

    fn files(database: &Path) -> io::Result<Self> {
        let index = ManuallyDrop::new(File::open(beside(database, "-shm"))?);
        let wal = File::open(beside(database, "-wal"))?;
        let mut options = OpenOptions::new();
        let mark = options.write(true).create(true).truncate(false).mode(0o600).open(path_of(database))?;
        Ok(Self { index, wal, mark, noted: Mutex::default() })
    }

    /// Notes again and again in the background, until nobody holds the marker any more.
    pub(crate) fn start(self: &Arc<Self>) {
        tokio::spawn(note_again_and_again(Arc::downgrade(self)));
    }

    /// Notes the last commit, whoever made it. A place that cannot be noted leaves the one before, which holds as well.
    pub(crate) fn note(&self) {
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(last) = self.last_commit() else { return };
        if *noted != Some(last) && self.write(&last).is_some() {
            *noted = Some(last);
        }
    }

    /// Notes the last commit for good, before a checkpoint that empties the WAL or a close that may remove it: what was
    /// noted earlier could then be found nowhere, once later commits have changed the same page.
    pub(crate) fn settle(&self) {
        self.note();
        drop(self.mark.sync_data());
    }

    fn last_commit(&self) -> Option<LastCommit> {
        let mut headers = [0; 2 * wal::INDEX_HEADER];
        self.index.read_exact_at(&mut headers, 0).ok()?;
        LastCommit::of_index(&headers).filter(|last| last.frames > 0)
    }

    fn write(&self, last: &LastCommit) -> Option<()> {
        let mut frame = vec![0; last.frame_size()];
        self.wal.read_exact_at(&mut frame, last.offset()).ok()?;
        let (page, content) = wal::page_in(&frame, &last.salts)?;
        let page_size = u32::try_from(last.page_size).ok()?;
        let crc = crc32fast::hash(content);
        let mark = Mark { salts: last.salts, frames: last.frames, page_size, page, crc };
        self.mark.write_all_at(mark.to_text().as_bytes(), 0).ok()
    }
}

async fn note_again_and_again(marker: Weak<Marker>) {
    loop {
        tokio::time::sleep(EVERY).await;
        match marker.upgrade() {
            Some(marker) => marker.note(),
            None => return,
        }
    }
}

/// Forgets the place once SQLite has put everything into the database, and removed the WAL.
pub(crate) fn forget_if_closed(database: &Path) {
    if fs::metadata(beside(database, "-wal")).is_err() {
        forget(database);
    }
}

/// Forgets the place. If that fails, it still holds.
pub(crate) fn forget(database: &Path) {
    drop(fs::remove_file(path_of(database)));
}

/// Whether a commit whose place was noted is missing from the database, which is not open in this process.
pub(crate) fn is_ahead(database: &Path) -> io::Result<bool> {
    let mut noted = read(database)?;
    while let Some(mark) = noted {
        if mark.is_in_wal(database)? || mark.is_in_database(database)? {
            return Ok(false);
        }
        // Another process may just have moved it on.
        let again = read(database)?;
        if again == noted {
            return Ok(true);
        }
        noted = again;
    }
    Ok(false)
}

fn read(database: &Path) -> io::Result<Option<Mark>> {
    match fs::read_to_string(path_of(database)) {
        Ok(text) => Ok(Mark::parse(&text)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::InvalidData) => Ok(None),
        Err(error) => Err(error),
    }
}

impl Mark {
    /// One line of eight digits for each number, and a checksum: a part of it says nothing.
    fn to_text(self) -> String {
        let [one, two] = [0, 4].map(|at| self.salts.get(at..).and_then(<[u8]>::first_chunk).copied());
        let salts = [one, two].map(|salt| u32::from_be_bytes(salt.unwrap_or_default()));
        let numbers = [salts.as_slice(), &[self.frames, self.page_size, self.page, self.crc]].concat();
        let text: String = numbers.iter().map(|number| format!("{number:08x} ")).collect();
        format!("{text}{:08x}\n", crc32fast::hash(text.as_bytes()))
    }

    fn parse(text: &str) -> Option<Self> {
        let numbers: Vec<u32> =
            text.split_whitespace().filter_map(|number| u32::from_str_radix(number, 16).ok()).collect();
        let [one, two, frames, page_size, page, crc, _] = *numbers.as_slice() else { return None };
        let salts = *[one.to_be_bytes(), two.to_be_bytes()].concat().first_chunk()?;
        let mark = Self { salts, frames, page_size, page, crc };
        (mark.to_text() == text).then_some(mark)
    }

    /// Whether the WAL has the commit, or has been begun anew since, which SQLite does when all is in the database.
    fn is_in_wal(&self, database: &Path) -> io::Result<bool> {
        let file = match File::open(beside(database, "-wal")) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            file => file?,
        };
        let Some(mut wal) = Wal::open(io::BufReader::new(file))? else { return Ok(false) };
        if wal.salts() == self.salts {
            return wal.has(self.frames);
        }
        let [then, now] = [self.salts, wal.salts()].map(generation);
        Ok((1..LATER).contains(&now.wrapping_sub(then)))
    }

    /// Whether the page has reached the database, by a checkpoint.
    fn is_in_database(&self, database: &Path) -> io::Result<bool> {
        let (Ok(page_size), Some(before)) = (usize::try_from(self.page_size), self.page.checked_sub(1))
        else {
            return Ok(false);
        };
        let mut page = vec![0; page_size];
        match File::open(database)?.read_exact_at(&mut page, u64::from(before) * u64::from(self.page_size)) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
            read => read.map(|()| crc32fast::hash(&page) == self.crc),
        }
    }
}

/// The first salt.
fn generation(salts: Salts) -> u32 {
    u32::from_be_bytes(salts.first_chunk().copied().unwrap_or_default())
}

/// `queue.mark` beside `queue.db`.
fn path_of(database: &Path) -> PathBuf {
    database.with_extension("mark")
}

fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_read_whole_or_not_at_all() {
        let mark = Mark {
            salts: [1, 2, 3, 4, 250, 6, 7, 8],
            frames: 70_000,
            page_size: 4096,
            page: 9,
            crc: 0xffff_fffe,
        };
        let text = mark.to_text();
        assert_eq!(Mark::parse(&text), Some(mark));
        for end in 0..text.len() {
            assert_eq!(Mark::parse(text.get(..end).unwrap()), None);
            let mut other = text.clone().into_bytes();
            other[end] ^= 1;
            assert_eq!(Mark::parse(&String::from_utf8(other).unwrap()), None, "{end}");
        }
    }
}
