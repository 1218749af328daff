//! No core files: what this process holds in memory stays there.

use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit};

/// From here on, a crash leaves no core file, and no other process of this user can read our memory (prctl(2),
/// PR_SET_DUMPABLE). Either alone keeps cores away; systemd's filters may forbid the limit, and its unit sets it
/// itself.
///
/// # Errors
/// When neither could be had.
pub(crate) fn forbid() -> anyhow::Result<()> {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    let limited = getrlimit(Resource::Core) == none || setrlimit(Resource::Core, none).is_ok();
    match set_dumpable_behavior(DumpableBehavior::NotDumpable) {
        Err(error) if !limited => Err(anyhow::Error::from(error).context("cannot forbid core files")),
        Ok(()) | Err(_) => Ok(()),
    }
}
