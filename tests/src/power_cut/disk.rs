//! A disk as POSIX has it: what is written to a file is there for good once the file is synced, and its name once its directory is.
//! Of all else anything may be there after a power cut, or nothing.

use std::collections::BTreeMap;
use std::fs::{DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::trace::{Event, Time, What};

/// What lies below one directory, which is there from the beginning.
#[derive(Debug)]
pub struct Disk {
    root: PathBuf,
    files: Vec<File>,
    /// As processes see them.
    names: BTreeMap<PathBuf, Node>,
    /// As they are for good.
    synced_names: BTreeMap<PathBuf, Node>,
    unsynced_names: Vec<(Time, PathBuf, Option<Node>)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Node {
    Directory,
    /// By its number in `files`.
    File(usize),
}

#[derive(Debug, Default)]
struct File {
    length: u64,
    synced: Vec<u8>,
    unsynced: Vec<(Time, Change)>,
}

#[derive(Debug, Clone)]
enum Change {
    Write { offset: u64, octets: Vec<u8> },
    Truncate(u64),
}

impl Disk {
    pub fn new(root: &Path) -> Disk {
        Disk {
            root: root.to_owned(),
            files: Vec::new(),
            names: BTreeMap::new(),
            synced_names: BTreeMap::new(),
            unsynced_names: Vec::new(),
        }
    }

    /// Does what a process did. What was done elsewhere is nothing.
    pub fn apply(&mut self, event: &Event) {
        match &event.what {
            What::Made(path) => drop(self.made(path, event.at)),
            What::MadeDirectory(path) => self.name(path, event.at, Some(Node::Directory)),
            What::Wrote { path, offset, octets } => {
                let Some(file) = self.made(path, event.at) else { return };
                let offset = offset.unwrap_or(file.length);
                file.length = file.length.max(offset + octets.len() as u64);
                file.unsynced.push((event.at, Change::Write { offset, octets: octets.clone() }));
            }
            What::Truncated { path, length } => {
                let Some(file) = self.made(path, event.at) else { return };
                file.length = *length;
                file.unsynced.push((event.at, Change::Truncate(*length)));
            }
            What::Renamed { from, to } => {
                if let Some(node) = self.names.get(from).copied() {
                    self.name(from, event.at, None);
                    self.name(to, event.at, Some(node));
                }
            }
            What::Removed(path) => self.name(path, event.at, None),
            What::Synced { path, begun } => self.sync(path, *begun),
            What::Said(_) => {}
        }
    }

    fn name(&mut self, path: &Path, at: Time, node: Option<Node>) {
        if !path.starts_with(&self.root) {
            return;
        }
        match node {
            Some(node) => self.names.insert(path.to_owned(), node),
            None => self.names.remove(path),
        };
        self.unsynced_names.push((at, path.to_owned(), node));
    }

    /// The file of this name, made if there is none.
    fn made(&mut self, path: &Path, at: Time) -> Option<&mut File> {
        if !path.starts_with(&self.root) {
            return None;
        }
        let number = match self.names.get(path) {
            Some(Node::File(number)) => *number,
            Some(Node::Directory) => return None,
            None => {
                self.files.push(File::default());
                self.name(path, at, Some(Node::File(self.files.len() - 1)));
                self.files.len() - 1
            }
        };
        self.files.get_mut(number)
    }

    fn sync(&mut self, path: &Path, begun: Time) {
        if let Some(Node::File(number)) = self.names.get(path) {
            let file = &mut self.files[*number];
            let (covered, later) = file.unsynced.drain(..).partition(|(at, _)| *at <= begun);
            file.unsynced = later;
            covered.iter().for_each(|(_, change)| change.apply(&mut file.synced));
            return;
        }
        let is_covered = |(at, name, _): &(Time, PathBuf, _)| *at <= begun && name.parent() == Some(path);
        let (covered, later): (Vec<_>, Vec<_>) = self.unsynced_names.drain(..).partition(is_covered);
        self.unsynced_names = later;
        covered.into_iter().for_each(|(_, name, node)| rename(&mut self.synced_names, name, node));
    }

    /// Writes what the power leaves into the directory `to`; of what was not synced, that for which `keep` says so. What is mapped
    /// into memory alone (`-shm`) is not there.
    pub fn write(&self, to: &Path, keep: impl Fn(Time) -> bool) {
        let mut names = self.synced_names.clone();
        for (at, name, node) in &self.unsynced_names {
            if keep(*at) {
                rename(&mut names, name.clone(), *node);
            }
        }
        // In the order of names, so that a directory comes before what is in it; without it, its entries are lost.
        for (name, node) in &names {
            let path = to.join(name.strip_prefix(&self.root).unwrap());
            let is_there = path.parent().is_some_and(Path::is_dir);
            match node {
                _ if !is_there || name.to_string_lossy().ends_with("-shm") => {}
                Node::Directory => DirBuilder::new().mode(0o700).create(&path).unwrap(),
                Node::File(number) => {
                    let mut file =
                        OpenOptions::new().create_new(true).write(true).mode(0o600).open(&path).unwrap();
                    file.write_all(&self.files[*number].left(&keep)).unwrap();
                }
            }
        }
    }
}

fn rename(names: &mut BTreeMap<PathBuf, Node>, name: PathBuf, node: Option<Node>) {
    match node {
        Some(node) => drop(names.insert(name, node)),
        None => drop(names.remove(&name)),
    }
}

impl File {
    fn left(&self, keep: impl Fn(Time) -> bool) -> Vec<u8> {
        let mut left = self.synced.clone();
        let kept = self.unsynced.iter().filter(|(at, _)| keep(*at));
        kept.for_each(|(_, change)| change.apply(&mut left));
        left
    }
}

impl Change {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Change::Truncate(length) => content.resize(usize::try_from(*length).unwrap(), 0),
            Change::Write { offset, octets } => {
                let offset = usize::try_from(*offset).unwrap();
                let end = offset + octets.len();
                content.resize(content.len().max(end), 0);
                content[offset..end].copy_from_slice(octets);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disk(events: Vec<What>) -> Disk {
        let mut disk = Disk::new(Path::new("/d"));
        for (at, what) in (1..).zip(events) {
            disk.apply(&Event { at, what });
        }
        disk
    }

    fn wrote(octets: &[u8]) -> What {
        What::Wrote { path: "/d/file".into(), offset: None, octets: octets.to_vec() }
    }

    fn synced(path: &str, begun: Time) -> What {
        What::Synced { path: path.into(), begun }
    }

    /// What a power cut leaves of `/d/file`.
    fn left(disk: &Disk, keep: impl Fn(Time) -> bool) -> Option<Vec<u8>> {
        let directory = tempfile::tempdir().unwrap();
        disk.write(directory.path(), keep);
        std::fs::read(directory.path().join("file")).ok()
    }

    #[test]
    fn octets_and_names_are_there_once_each_is_synced() {
        let both = vec![wrote(b"one"), synced("/d/file", 2), synced("/d", 3), wrote(b"two")];
        assert_eq!(left(&disk(both.clone()), |_| false).unwrap(), b"one");
        assert_eq!(left(&disk(both), |_| true).unwrap(), b"onetwo");
        assert_eq!(left(&disk(vec![wrote(b"one"), synced("/d", 2)]), |_| false).unwrap(), b"");
        assert_eq!(left(&disk(vec![wrote(b"one"), synced("/d/file", 2)]), |_| false), None);
    }

    #[test]
    fn what_came_after_a_sync_had_begun_is_not_covered() {
        let events = vec![wrote(b"one"), wrote(b"two"), synced("/d/file", 1), synced("/d", 4)];
        assert_eq!(left(&disk(events), |_| false).unwrap(), b"one");
    }

    #[test]
    fn a_name_that_is_removed_comes_back_until_its_directory_is_synced() {
        let mut events =
            vec![wrote(b"one"), synced("/d/file", 2), synced("/d", 3), What::Removed("/d/file".into())];
        assert!(left(&disk(events.clone()), |_| false).is_some());
        events.push(synced("/d", 5));
        assert_eq!(left(&disk(events), |_| false), None);
    }

    #[test]
    fn what_is_in_a_directory_without_a_name_is_lost() {
        let path = PathBuf::from("/d/sub/file");
        let events = vec![
            What::MadeDirectory("/d/sub".into()),
            What::Wrote { path, offset: None, octets: b"one".to_vec() },
            synced("/d/sub/file", 3),
            synced("/d/sub", 4),
        ];
        let directory = tempfile::tempdir().unwrap();
        disk(events).write(directory.path(), |_| false);
        assert!(!directory.path().join("sub").exists());
    }
}
