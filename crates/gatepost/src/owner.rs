//! What root becomes before it touches a store: its owner. A file that root made there would keep the server from starting.

use std::ffi::CString;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use anyhow::Context as _;
use nix::unistd::{Gid, Uid, User, geteuid, getuid, initgroups, setegid, seteuid, setgid, setgroups, setuid};

/// The owner of a store who isn't the user of this process.
#[derive(Debug)]
pub(crate) struct Owner {
    uid: Uid,
    gid: Gid,
    name: Option<CString>,
}

/// For how long root becomes somebody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Until {
    /// There is no way back.
    TheEnd,
    /// [`as_root`] leads back.
    AsRoot,
}

impl Owner {
    /// Whose the store in this directory is, if it isn't ours. A directory in which there is no store yet is one for root
    /// only: others may have been let in by its mode.
    pub(crate) fn other_than_us(directory: &Path) -> Option<Owner> {
        let me = geteuid();
        let found = |path: &Path| std::fs::metadata(path).ok();
        let store = found(&directory.join("accounts.db"));
        let store = store.or_else(|| found(directory).filter(|_| me.is_root()))?;
        let uid = Uid::from_raw(store.uid());
        (uid != me).then(|| Owner::of(uid, Gid::from_raw(store.gid())))
    }

    /// With the groups that the system knows; without a name, with the group of the file.
    fn of(uid: Uid, gid: Gid) -> Owner {
        match User::from_uid(uid).ok().flatten() {
            Some(user) => Owner { uid, gid: user.gid, name: CString::new(user.name).ok() },
            None => Owner { uid, gid, name: None },
        }
    }

    pub(crate) fn uid(&self) -> u32 {
        self.uid.as_raw()
    }

    /// Becomes the owner, with all threads of the process.
    ///
    /// # Errors
    /// When the system forbids it.
    pub(crate) fn become_it(&self, until: Until) -> anyhow::Result<()> {
        let groups = match &self.name {
            Some(name) => initgroups(name, self.gid),
            None => setgroups(&[self.gid]),
        };
        // The group first: afterwards nobody may.
        let done = groups.and_then(|()| match until {
            Until::TheEnd => setgid(self.gid).and_then(|()| setuid(self.uid)),
            Until::AsRoot => setegid(self.gid).and_then(|()| seteuid(self.uid)),
        });
        done.with_context(|| {
            let uid = self.uid;
            format!("root cannot become the owner of the store; run this as that user: `sudo -u '#{uid}' gatepost …`")
        })
    }
}

/// Does `work` as root, if root has become somebody else for a while.
///
/// # Errors
/// When the system forbids it.
pub(crate) fn as_root<T>(work: impl FnOnce() -> T) -> anyhow::Result<T> {
    let (real, effective) = (getuid(), geteuid());
    if real == effective {
        return Ok(work());
    }
    seteuid(real).context("cannot become root again")?;
    let done = work();
    seteuid(effective).context("cannot become the owner of the store again")?;
    Ok(done)
}
