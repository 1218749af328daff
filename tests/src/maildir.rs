//! What lies in a Maildir.

use std::path::Path;

use crate::server::until;

/// The messages in `new/`, in no order.
pub fn messages(maildir: &Path) -> Vec<Vec<u8>> {
    let Ok(entries) = std::fs::read_dir(maildir.join("new")) else { return Vec::new() };
    entries.map(|entry| std::fs::read(entry.unwrap().path()).unwrap()).collect()
}

/// Waits until `number` messages are there.
pub fn until_there(maildir: &Path, number: usize) -> Vec<Vec<u8>> {
    until(&format!("{number} messages are in {}", maildir.display()), || {
        let found = messages(maildir);
        (found.len() >= number).then_some(found)
    })
}
