//! Reading a stored message, and seeing to it that it is what was committed.

use std::fs::File;
use std::io::{self, Read};

use bytes::Bytes;
use sqlx::Row;
use store::{Body, Corrupt, SpoolError};
use types::QueueId;

use super::database::Database;
use crate::failure;
use crate::row::Columns;

/// How many octets of a file are read at once.
const PIECE: usize = 128 * 1024;

/// A reader of a stored message.
#[derive(Debug)]
pub struct FileBody {
    source: Source,
}

#[derive(Debug)]
enum Source {
    Memory(Bytes),
    File(Reading),
    Ended,
}

/// A file being read, and what it should turn out to be.
#[derive(Debug)]
struct Reading {
    file: File,
    id: QueueId,
    left: u64,
    crc: crc32fast::Hasher,
    expected_crc: u32,
}

/// Opens the message `id`.
pub(super) async fn open(database: &Database, id: QueueId) -> Result<FileBody, SpoolError> {
    let stored = "SELECT size, content_crc, in_file, content FROM entries LEFT JOIN contents USING (number) WHERE id = $1";
    let row = database
        .read(async |readers| sqlx::query(stored).bind(id.as_bytes().to_vec()).fetch_optional(readers).await)
        .await?
        .ok_or_else(|| Corrupt::on("entries", id.to_string(), "id"))?;
    let columns = Columns::of(&row, "entries", id);
    let expected_crc = columns.take("content_crc")?;
    if columns.take("in_file")? {
        let left = columns.read("size", |size: i64| u64::try_from(size).ok())?;
        return open_file(database, id, left, expected_crc).await;
    }
    let content: Vec<u8> = row.try_get("content").map_err(|_| columns.corrupt("content"))?;
    match crc32fast::hash(&content) == expected_crc {
        true => Ok(FileBody::in_memory(content.into())),
        false => Err(columns.corrupt("content").into()),
    }
}

async fn open_file(
    database: &Database,
    id: QueueId,
    left: u64,
    expected_crc: u32,
) -> Result<FileBody, SpoolError> {
    let path = database.directory().message(id);
    let file = tokio::task::spawn_blocking(move || File::open(path)).await.map_err(io::Error::from).flatten();
    let file = file.map_err(|error| missing(id, error))?;
    let reading = Reading { file, id, left, crc: crc32fast::Hasher::new(), expected_crc };
    Ok(FileBody { source: Source::File(reading) })
}

/// A row without its file is damaged; anything else may pass.
fn missing(id: QueueId, error: io::Error) -> SpoolError {
    match error.kind() {
        io::ErrorKind::NotFound => damaged(id).into(),
        _ => failure::of_file(error),
    }
}

fn damaged(id: QueueId) -> Corrupt {
    Corrupt::on("spool", id.to_string(), "file")
}

impl FileBody {
    pub(super) fn in_memory(content: Bytes) -> Self {
        Self { source: Source::Memory(content) }
    }
}

impl Body for FileBody {
    async fn next_chunk(&mut self) -> Result<Option<Bytes>, SpoolError> {
        match std::mem::replace(&mut self.source, Source::Ended) {
            Source::Ended => Ok(None),
            Source::Memory(content) => Ok(Some(content).filter(|content| !content.is_empty())),
            Source::File(reading) if reading.left == 0 => reading.end().await.map(|()| None),
            Source::File(reading) => {
                let (reading, piece) = reading.next().await?;
                self.source = Source::File(reading);
                Ok(Some(piece))
            }
        }
    }
}

impl Reading {
    async fn next(mut self) -> Result<(Self, Bytes), SpoolError> {
        blocking(move || {
            let wanted = usize::try_from(self.left).unwrap_or(PIECE).min(PIECE);
            let mut piece = vec![0; wanted];
            if let Err(error) = self.file.read_exact(&mut piece) {
                return Err(self.ended_early(error));
            }
            self.crc.update(&piece);
            self.left -= wanted as u64;
            Ok((self, piece.into()))
        })
        .await
    }

    /// The file must end here, and be what it was.
    async fn end(mut self) -> Result<(), SpoolError> {
        blocking(move || {
            let behind = self.file.read(&mut [0]).map_err(failure::of_file)?;
            match behind == 0 && self.crc.finalize() == self.expected_crc {
                true => Ok(()),
                false => Err(damaged(self.id).into()),
            }
        })
        .await
    }

    fn ended_early(&self, error: io::Error) -> SpoolError {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => damaged(self.id).into(),
            _ => failure::of_file(error),
        }
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SpoolError> + Send + 'static,
) -> Result<T, SpoolError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(failure::of_file(error.into())))
}
