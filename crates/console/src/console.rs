//! What all pages work with.

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use auth::Authenticator;
use desk::Desk;
use jiff::Timestamp;

use crate::api::rates::Rates;
use crate::http_counters::HttpCounters;
use crate::links::half_accepted::HalfAccepted;
use crate::links::shown::ShownLinks;
use crate::links::unknown::UnknownLinks;
use crate::session::flash::Flashes;
use crate::session::once::Once;
use crate::settings::Settings;
use crate::watched::Watched;

/// What all pages work with: use cases, the judge of sign-ins, and what the configuration says.
pub struct Console {
    desk: ArcSwap<Desk>,
    pub(crate) judge: Arc<Authenticator>,
    pub(crate) watched: Watched,
    pub(crate) settings: Settings,
    pub(crate) now: fn() -> Timestamp,
    pub(crate) flashes: Flashes,
    pub(crate) once: Once,
    pub(crate) api_rates: Rates,
    pub(crate) unknown_links: UnknownLinks,
    pub(crate) shown_links: ShownLinks,
    pub(crate) half_accepted: HalfAccepted,
    pub(crate) http: HttpCounters,
}

impl Console {
    /// Pages on this desk, to which this judge lets people in, and on what these parts of the server do; `now` reads the clock.
    #[must_use]
    pub fn new(
        desk: Desk,
        judge: Arc<Authenticator>,
        watched: Watched,
        settings: Settings,
        now: fn() -> Timestamp,
    ) -> Self {
        Self {
            desk: ArcSwap::from_pointee(desk),
            judge,
            watched,
            api_rates: Rates::of_minute(settings.api_rate),
            settings,
            now,
            flashes: Flashes::default(),
            once: Once::default(),
            unknown_links: UnknownLinks::default(),
            shown_links: ShownLinks::default(),
            half_accepted: HalfAccepted::default(),
            http: HttpCounters::default(),
        }
    }

    /// Has pages ask this desk from now on, which has other settings.
    pub fn replace(&self, desk: Desk) {
        self.desk.store(Arc::new(desk));
    }

    /// The use cases.
    pub(crate) fn desk(&self) -> Arc<Desk> {
        self.desk.load_full()
    }
}

impl fmt::Debug for Console {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Console").field("settings", &self.settings).finish_non_exhaustive()
    }
}
