//! Delivery into a Maildir (qmail's maildir(5)): one file for a message, complete and durable before anybody sees it.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use esmtp::dialogue::{Enhanced, Reply};
use memchr::memchr;
use store::{Body, SpoolError};
use tokio::runtime::Handle;

use crate::parcel::Parcel;

/// A directory with `tmp`, `new` and `cur`.
#[derive(Debug)]
pub(crate) struct Maildir {
    path: Arc<Path>,
    hostname: Arc<str>,
}

/// Why a message is not in the Maildir.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MaildirError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error(transparent)]
    Spool(#[from] SpoolError),
}

/// What is to be written, and where.
struct Letter<B> {
    maildir: Arc<Path>,
    name: String,
    top: String,
    body: B,
}

impl Maildir {
    /// The Maildir at `path`; `hostname` becomes part of the names of its files.
    pub(crate) fn new(path: &Path, hostname: &str) -> Maildir {
        // maildir(5): slashes and colons would be read as something else.
        let hostname = hostname.replace('/', "\\057").replace(':', "\\072");
        Maildir { path: path.into(), hostname: hostname.into() }
    }

    /// Returns once the file is in `new` and would survive the plug.
    pub(crate) async fn deliver<B: Body>(&self, parcel: &Parcel, body: B) -> Result<Reply, MaildirError> {
        let letter = Letter { maildir: self.path.clone(), name: self.name(parcel), top: top(parcel), body };
        let runtime = Handle::current();
        let delivered = tokio::task::spawn_blocking(move || letter.deliver(&runtime)).await;
        delivered.map_err(io::Error::other)??;
        Ok(Reply::ours(250, Enhanced(2, 0, 0), "in the Maildir"))
    }

    /// Always the same for the same parcel: if a crash has kept us from knowing that it was delivered, the second copy takes
    /// the place of the first.
    fn name(&self, parcel: &Parcel) -> String {
        let submission = &parcel.leased.submission;
        let first = parcel.recipients.first().map_or(0, |recipient| recipient.number);
        format!("{}.{}_{first}.{}", submission.accepted_at.as_second(), submission.id, self.hostname)
    }
}

/// The fields that delivery adds on top: Return-Path (RFC 5321 section 4.4), and Delivered-To if the message has one recipient
/// alone. Of several, those who read the file must not learn (RFC 5321 section 7.2), whichever of them it is for.
fn top(parcel: &Parcel) -> String {
    let submission = &parcel.leased.submission;
    let mut top = format!("Return-Path: {}\n", submission.reverse_path);
    if let [only] = submission.recipients.as_slice() {
        let path = only.path.to_string();
        let address = path.trim_start_matches('<').trim_end_matches('>');
        top.push_str(&format!("Delivered-To: {address}\n"));
    }
    top
}

impl<B: Body> Letter<B> {
    /// The order is the promise: octets, fsync, the name, fsync of the directory that has the name.
    fn deliver(mut self, runtime: &Handle) -> Result<(), MaildirError> {
        let unfinished = self.directory("tmp").join(&self.name);
        self.create(&unfinished)
            .and_then(|file| self.write(file, runtime))
            .and_then(|()| Ok(self.publish(&unfinished)?))
            .inspect_err(|_| discard(&unfinished))?;
        Ok(File::open(self.directory("new"))?.sync_all()?)
    }

    fn directory(&self, name: &str) -> PathBuf {
        self.maildir.join(name)
    }

    fn create(&self, path: &Path) -> Result<File, MaildirError> {
        match open_new(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => make(&self.maildir)?,
            // Left behind by a crash; the lease says that nobody else is writing it.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => fs::remove_file(path)?,
            other => return Ok(other?),
        }
        Ok(open_new(path)?)
    }

    /// Gives the file its name in `new`. A Maildir that was half made when the server was killed is made whole.
    fn publish(&self, unfinished: &Path) -> io::Result<()> {
        let there = self.directory("new").join(&self.name);
        match fs::rename(unfinished, &there) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                make(&self.maildir)?;
                fs::rename(unfinished, there)
            }
            done => done,
        }
    }

    fn write(&mut self, file: File, runtime: &Handle) -> Result<(), MaildirError> {
        let mut out = BufWriter::with_capacity(64 * 1024, file);
        out.write_all(self.top.as_bytes())?;
        let mut lines = UnixLines::default();
        while let Some(chunk) = runtime.block_on(self.body.next_chunk())? {
            lines.write(&chunk, &mut out)?;
        }
        lines.finish(&mut out)?;
        let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
        Ok(file.sync_all()?)
    }
}

fn open_new(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Makes the Maildir, for its owner alone.
fn make(maildir: &Path) -> io::Result<()> {
    for directory in ["tmp", "new", "cur"] {
        DirBuilder::new().recursive(true).mode(0o700).create(maildir.join(directory))?;
    }
    File::open(maildir)?.sync_all()?;
    maildir
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .map_or(Ok(()), |parent| File::open(parent)?.sync_all())
}

fn discard(path: &Path) {
    // The next attempt removes it if this one cannot.
    let _ = fs::remove_file(path);
}

/// CRLF to LF, as files have lines; over chunks cut anywhere.
#[derive(Debug, Default)]
struct UnixLines {
    /// The last chunk ended with a CR, which is written unless a LF follows.
    cr: bool,
}

impl UnixLines {
    fn write(&mut self, chunk: &Bytes, out: &mut impl Write) -> io::Result<()> {
        let mut rest: &[u8] = chunk;
        if self.cr && rest.first().is_some_and(|octet| *octet != b'\n') {
            self.finish(out)?;
        }
        while let Some(at) = memchr(b'\r', rest) {
            let (line, tail) = rest.split_at(at);
            out.write_all(line)?;
            rest = tail.get(1..).unwrap_or_default();
            self.cr = rest.is_empty();
            if rest.first().is_some_and(|octet| *octet != b'\n') {
                out.write_all(b"\r")?;
            }
        }
        self.cr &= rest.is_empty();
        out.write_all(rest)
    }

    fn finish(&mut self, out: &mut impl Write) -> io::Result<()> {
        if std::mem::take(&mut self.cr) { out.write_all(b"\r") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_as_files_have_them_however_they_are_cut() {
        let (text, expected) = (b"a\r\n\r\nb\rc\r\r\nd\r\n.\r\n\r", b"a\n\nb\rc\r\nd\n.\n\r");
        for cut in 0..text.len() {
            let (mut lines, mut out) = (UnixLines::default(), Vec::new());
            for chunk in [&text[..cut], &[], &text[cut..]] {
                lines.write(&Bytes::copy_from_slice(chunk), &mut out).unwrap();
            }
            lines.finish(&mut out).unwrap();
            assert_eq!(out.escape_ascii().to_string(), expected.escape_ascii().to_string(), "{cut}");
        }
    }

    #[test]
    fn a_hostname_cannot_leave_the_directory() {
        assert_eq!(&*Maildir::new(Path::new("m"), "a/../b:c").hostname, "a\\057..\\057b\\072c");
    }
}
