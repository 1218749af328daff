//! What the power would have left: everything that processes do to files is recorded ([`trace`]) and done again to a model of a disk
//! ([`disk`]) that keeps what was synced, and of the rest as much as a test wants.

pub mod trace;
pub mod disk;
