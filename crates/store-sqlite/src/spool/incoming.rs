//! A message on its way in: in memory while it is small, then in a file.

use std::path::PathBuf;

use bytes::Bytes;
use store::SpoolError;

use super::file::SpoolFile;

/// Messages of up to this many octets live in a row. Above, a file of its own is cheaper than overflow pages that go
/// through the WAL, and the message need not be in memory.
pub(super) const IN_ROW: usize = 64 * 1024;

/// A message being received. Dropped before its commit, it leaves nothing behind.
#[derive(Debug)]
pub struct Incoming {
    path: PathBuf,
    size: u64,
    crc: crc32fast::Hasher,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Memory(Vec<u8>),
    File(SpoolFile),
}

/// A message that is received in full, and whose file, if it has one, is synced.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) size: u64,
    pub(super) crc: u32,
    pub(super) place: Place,
}

#[derive(Debug)]
pub(super) enum Place {
    /// In memory, to go into the row.
    Row(Bytes),
    /// In its file.
    File(SpoolFile),
}

impl Incoming {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, size: 0, crc: crc32fast::Hasher::new(), content: Content::Memory(Vec::new()) }
    }

    pub(super) async fn append(&mut self, chunk: Bytes) -> Result<(), SpoolError> {
        self.crc.update(&chunk);
        self.size += chunk.len() as u64;
        match &mut self.content {
            Content::Memory(octets) if octets.len() + chunk.len() <= IN_ROW => {
                octets.extend_from_slice(&chunk);
                Ok(())
            }
            Content::Memory(octets) => {
                let mut file = SpoolFile::new(std::mem::take(&mut self.path), std::mem::take(octets));
                let appended = file.append(&chunk).await;
                self.content = Content::File(file);
                appended
            }
            Content::File(file) => file.append(&chunk).await,
        }
    }

    /// All octets are there: the file is synced.
    pub(super) async fn finish(self) -> Result<Stored, SpoolError> {
        let place = match self.content {
            Content::Memory(octets) => Place::Row(octets.into()),
            Content::File(mut file) => {
                file.sync().await?;
                Place::File(file)
            }
        };
        Ok(Stored { size: self.size, crc: self.crc.finalize(), place })
    }
}
