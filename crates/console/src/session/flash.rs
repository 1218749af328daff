//! The line at the top of the next page: what has just been done. It is said once.
//!
//! It is kept in memory: after a restart it is not said, and what was done is done all the same.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use types::WebSessionId;

/// Lines that wait at most; beyond it all are forgotten.
const LINES: usize = 10_000;

/// The lines that wait to be said, one for each session at most.
#[derive(Debug, Default)]
pub(crate) struct Flashes(Mutex<HashMap<WebSessionId, String>>);

impl Flashes {
    /// Has this said on the next page of the session.
    pub(crate) fn say(&self, session: WebSessionId, line: String) {
        let mut lines = self.lines();
        if lines.len() >= LINES {
            lines.clear();
        }
        lines.insert(session, line);
    }

    /// What is to be said, once.
    pub(crate) fn take(&self, session: WebSessionId) -> Option<String> {
        self.lines().remove(&session)
    }

    fn lines(&self) -> MutexGuard<'_, HashMap<WebSessionId, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_said_once_and_in_its_session_alone() {
        let (flashes, [one, other]) =
            (Flashes::default(), [1, 2].map(|id| WebSessionId::from_bytes([id; 16])));
        flashes.say(one, "Done.".to_owned());
        assert_eq!(flashes.take(other), None);
        assert_eq!(flashes.take(one).as_deref(), Some("Done."));
        assert_eq!(flashes.take(one), None);
    }
}
