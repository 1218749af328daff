//! A login, as the audit trail tells of it, in words.

use desk::view;

use crate::shown::place::{credential, purpose};
use crate::shown::strangers::plain;
use crate::shown::time::Time;
use crate::texts::Texts;
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
    /// This entry of one's own trail.
    pub(crate) fn told(shown: &view::SignIn, visit: &Visit) -> Self {
        let by = match &shown.entry.credential {
            Some(name) => credential(name, shown.label.as_deref(), visit.texts),
            None => visit.texts.not_known_by_what().to_owned(),
        };
        Self { by, ..Self::of(&shown.entry, &[], visit) }
    }

    /// This entry, whose credential may be one of these.
    pub(crate) fn of(entry: &view::AuditEntry, app_passwords: &[view::AppPassword], visit: &Visit) -> Self {
        let t = visit.texts;
        Self {
            what: purpose(entry.scope.as_deref().unwrap_or_default(), t),
            is_success: entry.result == "success",
            by: plain(&by(entry, app_passwords, t)),
            at: Time::of(entry.time, visit.now, t),
            from: entry.ip.map(|ip| ip.to_string()).unwrap_or_default(),
            times: (entry.count > 1).then(|| t.times(entry.count)),
        }
    }
}

fn by(entry: &view::AuditEntry, app_passwords: &[view::AppPassword], t: Texts) -> String {
    match entry.credential.as_deref() {
        None => t.not_known_by_what().to_owned(),
        Some("password") => t.the_account_password().to_owned(),
        Some(id) => app_passwords.iter().find(|one| one.id == id).map_or(id, |one| &one.label).to_owned(),
    }
}
