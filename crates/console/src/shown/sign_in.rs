//! A login, as the audit trail tells of it, in words.

use desk::view;

use crate::shown::place::{credential, purpose};
use crate::shown::time::Time;
use crate::visit::Visit;

/// A login, or an attempt at one.
#[derive(Debug)]
pub(crate) struct SignInShown {
    /// Where it was for: mail, or these pages.
    pub(crate) what: &'static str,
    pub(crate) is_success: bool,
    /// By which credential: its label, as far as it is known. Strangers' text.
    pub(crate) by: String,
    pub(crate) at: Time,
    pub(crate) from: String,
    /// How often, if more than once.
    pub(crate) times: Option<String>,
}

impl SignInShown {
    /// This entry of the trail of an account.
    pub(crate) fn told(shown: &view::SignIn, visit: &Visit) -> Self {
        let (entry, t) = (&shown.entry, visit.texts);
        let by = match &entry.credential {
            Some(name) => credential(name, shown.label.as_deref(), t),
            None => t.not_known_by_what().to_owned(),
        };
        Self {
            what: purpose(entry.scope.as_deref().unwrap_or_default(), t),
            is_success: entry.result == "success",
            by,
            at: Time::of(entry.time, visit.now, t),
            from: entry.ip.map(|ip| ip.to_string()).unwrap_or_default(),
            times: (entry.count > 1).then(|| t.times(entry.count)),
        }
    }
}
