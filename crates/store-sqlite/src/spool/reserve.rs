//! Space kept for the work on mail that is already here: delivering it needs to write, too.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FallocateFlags, fallocate};

/// Enough for a checkpoint of a WAL at its largest, which then has space again. Less on a small file system.
const OCTETS: u64 = 10 * 1024 * 1024;
const SHARE: u64 = 8;

/// A file of no content, given up when the disk is full. Until it can be had again, nothing more is accepted.
#[derive(Debug)]
pub(super) struct Reserve {
    path: PathBuf,
    released: bool,
}

impl Reserve {
    /// A reserve in this directory, which has yet to be [taken](Reserve::take).
    pub(super) fn new(directory: &Path) -> Self {
        Self { path: directory.join("reserve"), released: false }
    }

    /// Whether it was given up, so that what is free is for deliveries alone.
    pub(super) fn is_released(&self) -> bool {
        self.released
    }

    /// Takes the space, if it is there.
    pub(super) async fn take(&mut self) {
        let path = self.path.clone();
        let taken = tokio::task::spawn_blocking(move || {
            allocate(&path).inspect_err(|_| drop(fs::remove_file(&path)))
        });
        self.released = matches!(taken.await, Ok(Err(error)) if error.kind() == io::ErrorKind::StorageFull);
    }

    /// Gives the space up.
    pub(super) async fn release(&mut self) {
        self.released = true;
        let path = self.path.clone();
        drop(tokio::task::spawn_blocking(move || fs::remove_file(path)).await);
    }
}

/// A file system that cannot do this has no reserve, and that is no error.
fn allocate(path: &Path) -> io::Result<()> {
    let file = OpenOptions::new().create(true).write(true).truncate(false).mode(0o600).open(path)?;
    let system = rustix::fs::fstatvfs(&file)?;
    let octets = OCTETS.min(system.f_blocks.saturating_mul(system.f_frsize) / SHARE);
    match fallocate(&file, FallocateFlags::empty(), 0, octets) {
        Err(rustix::io::Errno::OPNOTSUPP) => Ok(()),
        allocated => Ok(allocated?),
    }
}
