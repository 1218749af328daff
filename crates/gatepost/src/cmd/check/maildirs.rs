//! Whether mail can be written into the Maildirs of `[delivery]`.

use std::io;
use std::path::Path;

use anyhow::Context as _;
use config::{Delivery, Via};
use rustix::fs::{Access, access};

use super::report::Report;

pub(super) fn examine(delivery: &Delivery, report: &mut Report) {
    for (keys, way) in delivery.ways() {
        if let Via::Maildir(path) = &way.via {
            report.keep("maildir", keys.via, maildir(path));
        }
    }
}

/// A Maildir is made by the first delivery, where it may be.
fn maildir(path: &Path) -> anyhow::Result<()> {
    if !is_directory(path)? {
        return writable(existing_ancestor(path))
            .with_context(|| format!("the Maildir {} cannot be made", path.display()));
    }
    for part in [path.to_owned(), path.join("tmp"), path.join("new")] {
        if is_directory(&part)? {
            writable(&part)?;
        }
    }
    Ok(())
}

/// `false` if nothing is there.
fn is_directory(path: &Path) -> anyhow::Result<bool> {
    match std::fs::metadata(path) {
        Ok(found) if found.is_dir() => Ok(true),
        Ok(_) => anyhow::bail!("the Maildir {} is not a directory; name another in via", path.display()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error).with_context(|| format!("cannot read the Maildir {}", path.display())),
    }
}

fn existing_ancestor(path: &Path) -> &Path {
    path.ancestors().find(|ancestor| ancestor.exists()).unwrap_or(path)
}

fn writable(directory: &Path) -> anyhow::Result<()> {
    access(directory, Access::WRITE_OK | Access::EXEC_OK).map_err(io::Error::from).with_context(|| {
        format!(
            "mail cannot be written into {}: it has to belong to the user of the server",
            directory.display()
        )
    })
}
