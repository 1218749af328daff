//! A link for a device, as pages have it.

use desk::view;

use crate::shown::app_password::listed;
use crate::shown::strangers::plain;
use crate::shown::time::{Time, end_of_wait};
use crate::visit::Visit;

/// A link for a device, as a page has it.
pub(crate) struct DeviceShown {
    pub(crate) id: String,
    pub(crate) label: String,
    /// Whether it waits for the device.
    pub(crate) waits: bool,
    pub(crate) is_used: bool,
    pub(crate) is_withdrawn: bool,
    pub(crate) until: String,
    pub(crate) opened: Option<Time>,
    /// Where the app password may be used from; everywhere, if empty.
    pub(crate) networks: String,
    /// Whom the app password may send as; everybody that the account may, if empty.
    pub(crate) senders: String,
}

impl DeviceShown {
    /// This link at this visit.
    pub(crate) fn of(view: &view::DeviceLink, visit: &Visit) -> Self {
        Self {
            id: view.id.clone(),
            label: plain(&view.label),
            waits: view.state == "waiting",
            is_used: view.state == "used",
            is_withdrawn: view.state == "withdrawn",
            until: end_of_wait(view.expires_at, visit.now, visit.texts),
            opened: view.opened_at.map(|at| Time::of(at, visit.now, visit.texts)),
            networks: listed(&view.networks),
            senders: plain(&listed(&view.senders)),
        }
    }
}
