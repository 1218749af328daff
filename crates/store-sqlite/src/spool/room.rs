//! Whether a message is likely to fit.

use std::path::Path;

use store::SpoolError;

/// What stays free for the work on mail that is already here: delivering it writes too.
const RESERVE: u64 = 16 * 1024 * 1024;

/// Asks the file system, which answers from memory: no need to leave the thread.
///
/// Room is half as much again as the message, as it may be declared too small and takes space in the WAL, and the smaller
/// of 16 MiB and 5 % of the file system.
pub(super) fn room_for(directory: &Path, octets: u64) -> Result<(), SpoolError> {
    let system = rustix::fs::statvfs(directory).map_err(|error| SpoolError::Failing(Box::new(error)))?;
    let free = system.f_bavail.saturating_mul(system.f_frsize);
    let total = system.f_blocks.saturating_mul(system.f_frsize);
    let wanted = octets.saturating_add(octets / 2).saturating_add(RESERVE.min(total / 20));
    // A file system without inodes to count says that it has none.
    let out_of_inodes = system.f_files > 0 && system.f_favail == 0;
    if free < wanted || out_of_inodes { Err(SpoolError::Full) } else { Ok(()) }
}
