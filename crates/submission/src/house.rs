//! What all connections of a server share.

use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use types::SessionFacts;

use crate::admission::Admission;
use crate::terms::Terms;

/// Something that is true of some clients.
pub(crate) type Predicate = Arc<dyn Fn(&SessionFacts) -> bool + Send + Sync>;

/// What all connections share.
pub(crate) struct House<A, M> {
    pub(crate) auth: A,
    pub(crate) mail: M,
    pub(crate) login_is_optional: Predicate,
    pub(crate) terms: Arc<ArcSwap<Terms>>,
    pub(crate) admission: Arc<Admission>,
    pub(crate) stop: CancellationToken,
    pub(crate) tasks: TaskTracker,
}
