//! The parts of the server that pages look at, and that count what they do.

use std::fmt;
use std::sync::Arc;

use acceptance::Acceptance;
use delivery::Carrier;
use jiff::Timestamp;
use stores::Spool;
use submission::Handle;
use submission::tls::Identity;

use crate::recent_stats::RecentStats;

/// The parts of the server that count what they do.
pub struct Watched {
    /// The front door.
    pub(crate) door: Handle,
    /// Its certificate, if it has one.
    pub(crate) identity: Option<Identity>,
    /// What accepts messages.
    pub(crate) acceptance: Arc<Acceptance>,
    /// What carries them away.
    pub(crate) carrier: Arc<Carrier<Spool>>,
    /// Where they wait.
    pub(crate) spool: Spool,
    /// When the server was started.
    pub(crate) started_at: Timestamp,
    /// Its version.
    pub(crate) version: &'static str,
    pub(crate) stats: RecentStats,
}

impl Watched {
    /// These parts of a server of this version, which was started then.
    #[must_use]
    pub fn new(
        (door, identity): (Handle, Option<Identity>),
        acceptance: Arc<Acceptance>,
        (carrier, spool): (Arc<Carrier<Spool>>, Spool),
        started_at: Timestamp,
        version: &'static str,
    ) -> Self {
        let stats = RecentStats::default();
        Self { door, identity, acceptance, carrier, spool, started_at, version, stats }
    }
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watched").field("version", &self.version).finish_non_exhaustive()
    }
}
