//! An invitation that waits, as pages have it.

use desk::view;

use crate::shown::strangers::plain;
use crate::shown::time::Time;
use crate::visit::Visit;

/// An invitation that waits, without what opens it.
pub(crate) struct InvitationShown {
    pub(crate) made: Time,
    pub(crate) by: String,
    pub(crate) until: Time,
    pub(crate) second_factor_lost: bool,
}

impl InvitationShown {
    /// This invitation at this visit.
    pub(crate) fn of(view: &view::Invitation, visit: &Visit) -> Self {
        let time = |at| Time::of(at, visit.now, visit.texts);
        Self {
            made: time(view.created_at),
            by: plain(&view.created_by),
            until: time(view.expires_at),
            second_factor_lost: view.second_factor_lost,
        }
    }
}
