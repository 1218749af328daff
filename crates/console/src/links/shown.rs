//! Links that were just made, so that the session that made one can look at it again as long as it waits.
//!
//! They are kept in memory alone: after a restart a link is good as before, and not shown any more.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use types::WebSessionId;
use zeroize::Zeroizing;

/// Links that are kept at most; beyond it the oldest is forgotten.
const LINKS: usize = 10_000;

/// A link that may be shown again.
struct Shown {
    session: WebSessionId,
    id: String,
    link: Zeroizing<String>,
    until: Timestamp,
}

/// The links that may be shown again.
#[derive(Default)]
pub(crate) struct ShownLinks(Mutex<VecDeque<Shown>>);

impl ShownLinks {
    /// Keeps the link with this identifier until then, for the session that has made it.
    pub(crate) fn keep(&self, session: WebSessionId, id: &str, link: Zeroizing<String>, until: Timestamp) {
        let mut links = self.links();
        if links.len() >= LINKS {
            links.pop_front();
        }
        links.push_back(Shown { session, id: id.to_owned(), link, until });
    }

    /// The link with this identifier, if this session has made it and it has not ended.
    pub(crate) fn of(&self, session: WebSessionId, id: &str, now: Timestamp) -> Option<Zeroizing<String>> {
        let mut links = self.links();
        links.retain(|shown| now < shown.until);
        let found = links.iter().find(|shown| shown.session == session && shown.id == id);
        found.map(|shown| shown.link.clone())
    }

    fn links(&self) -> MutexGuard<'_, VecDeque<Shown>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_shown_to_the_session_that_made_it_until_it_ends() {
        let links = ShownLinks::default();
        let [one, other] = [1, 2].map(|id| WebSessionId::from_bytes([id; 16]));
        let at = |second| Timestamp::from_second(second).unwrap();
        links.keep(one, "a", Zeroizing::new("https://x".to_owned()), at(100));
        assert_eq!(links.of(one, "a", at(99)).as_deref().map(String::as_str), Some("https://x"));
        assert!(links.of(other, "a", at(99)).is_none() && links.of(one, "b", at(99)).is_none());
        assert!(links.of(one, "a", at(100)).is_none() && links.of(one, "a", at(99)).is_none());
    }
}
