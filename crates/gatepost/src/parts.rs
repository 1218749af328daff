//! The parts of a running server that a reload changes, or that others look at.

use std::sync::Arc;

use auth::Keyring;
use config::Listen;
use store_sqlite::SqliteStore;
use submission::Handle;
use submission::tls::Identity;

use crate::accept::Acceptance;
use crate::open::Judge;

/// What can be changed, or looked at, while the server runs.
pub(crate) struct Parts {
    pub(crate) store: SqliteStore,
    pub(crate) keyring: Arc<Keyring>,
    pub(crate) identity: Option<Identity>,
    pub(crate) judge: Arc<Judge>,
    pub(crate) acceptance: Arc<Acceptance>,
    pub(crate) handle: Handle,
    /// In the order of the configuration, with the ports that were found for port 0.
    pub(crate) listeners: Vec<Listen>,
}
