//! What all connections of a server share.

use std::sync::Arc;

use arc_swap::ArcSwap;
use esmtp::Rejection;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use types::{SessionFacts, UtcTime};

use crate::admission::Admission;
use crate::counters::Counters;
use crate::own_connections::OwnConnections;
use crate::session_end::SessionEnd;
use crate::terms::Terms;

/// Something that is true of some clients.
pub(crate) type Predicate = Arc<dyn Fn(&SessionFacts) -> bool + Send + Sync>;

/// Tells the time of day.
pub(crate) type Clock = Arc<dyn Fn() -> UtcTime + Send + Sync>;

/// What the embedder does when a session begins.
pub(crate) type OnOpen = Arc<dyn Fn(&SessionFacts) -> Result<(), Rejection> + Send + Sync>;

/// What the embedder does when a connection has ended.
pub(crate) type OnEnd = Arc<dyn Fn(&SessionFacts, &SessionEnd<'_>) + Send + Sync>;

/// What all connections share.
pub(crate) struct House<A, M> {
    pub(crate) auth: A,
    pub(crate) mail: M,
    pub(crate) login_is_optional: Predicate,
    pub(crate) clock: Option<Clock>,
    pub(crate) on_open: OnOpen,
    pub(crate) on_end: OnEnd,
    pub(crate) terms: Arc<ArcSwap<Terms>>,
    pub(crate) admission: Arc<Admission>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) own: OwnConnections,
    pub(crate) stop: CancellationToken,
    pub(crate) tasks: TaskTracker,
}
