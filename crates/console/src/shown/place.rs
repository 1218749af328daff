//! An unfamiliar sign-in, as its account's owner is asked about it.

use desk::view;
use store::AuditEvent;

use super::strangers::plain;
use super::time::Time;
use crate::texts::Texts;
use crate::visit::Visit;

/// Where somebody signed in from, and by what.
#[derive(Debug)]
pub(crate) struct PlaceShown {
    pub(crate) id: String,
    /// What the owner calls the credential. Strangers' text.
    pub(crate) by: String,
    /// What for: mail, or these pages.
    pub(crate) what: &'static str,
    pub(crate) from: String,
    pub(crate) first: Time,
    pub(crate) last: Time,
}

impl PlaceShown {
    pub(crate) fn of(place: &view::Place, visit: &Visit) -> Self {
        let t = visit.texts;
        Self {
            id: place.id.clone(),
            by: credential(&place.credential, place.label.as_deref(), t),
            what: purpose(&place.scope, t),
            from: place.ip.to_string(),
            first: Time::of(place.first_time, visit.now, t),
            last: Time::of(place.time, visit.now, t),
        }
    }
}

/// What for somebody logs in, by its name in the trail.
pub(crate) fn purpose(scope: &str, t: Texts) -> &'static str {
    if scope == "master" { t.on_these_pages() } else { t.for_mail() }
}

/// What its owner calls a credential, by its name in the trail.
pub(crate) fn credential(name: &str, label: Option<&str>, t: Texts) -> String {
    match label {
        Some(label) => plain(label),
        None if name == AuditEvent::PASSWORD => t.the_account_password().to_owned(),
        None => plain(name),
    }
}
