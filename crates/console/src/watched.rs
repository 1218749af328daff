//! The parts of the server that pages look at, and that count what they do.

use std::fmt;
use std::sync::Arc;

use acceptance::Acceptance;
use delivery::{Carrier, WebhookPoster};
use desk::Health;
use dns::Resolver;
use store::{Stats, Traffic};
use stores::{Ledger, Spool};
use submission::Handle;
use submission::tls::Identity;

use crate::recent::Recent;

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
    /// What tells webhooks.
    pub(crate) webhooks: Arc<WebhookPoster>,
    /// Who is asked about names.
    pub(crate) resolver: Resolver,
    /// Where it is kept what was sent.
    pub(crate) ledger: Ledger,
    /// How the server is.
    pub(crate) health: Health,
    /// The queue in figures: counting goes through all that waits.
    pub(crate) stats: Recent<Stats>,
    /// What was handed in within a day: that goes through all of it.
    pub(crate) traffic: Recent<Arc<Traffic>>,
    /// How many browser sessions there are.
    pub(crate) sessions: Recent<u64>,
}

impl Watched {
    /// These parts of a server.
    #[must_use]
    pub fn new(
        (door, identity): (Handle, Option<Identity>),
        acceptance: Arc<Acceptance>,
        (carrier, spool, resolver): (Arc<Carrier<Spool>>, Spool, Resolver),
        webhooks: Arc<WebhookPoster>,
        ledger: Ledger,
        health: Health,
    ) -> Self {
        let (stats, traffic, sessions) = (Recent::default(), Recent::default(), Recent::default());
        Self {
            door,
            identity,
            acceptance,
            carrier,
            spool,
            webhooks,
            resolver,
            ledger,
            health,
            stats,
            traffic,
            sessions,
        }
    }
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watched").finish_non_exhaustive()
    }
}
