//! The authenticator: what logins are judged with, and what is remembered between them.

use std::sync::Arc;

use arc_swap::ArcSwap;
use jiff::Timestamp;
use store::{Account, AppPassword};
use stores::Accounts;

use super::backend::Backend;
use super::counters::Counters;
use super::outcome::User;
use super::refusal_time::RefusalTime;
use super::ticket::Tickets;
use crate::app_password::AppPasswordKey;
use crate::challenge_key::ScramAtLogin;
use crate::guard::network_slots::NetworkSlots;
use crate::keys::blind_digest::BlindDigests;
use crate::keys::keyring::Keyring;
use crate::password_hash::hasher::{HashError, Hasher};
use crate::password_hash::recent_checks::RecentChecks;
use crate::policy::Policy;
use crate::revision_cache::RevisionCache;
use crate::session_rights::{SessionRights, SessionRightsCache};

/// Judges claims by what the store and the other backends know.
pub struct Authenticator {
    pub(super) store: Accounts,
    pub(super) keyring: Arc<Keyring>,
    pub(super) digests: AppPasswordKey,
    pub(super) blind_digests: BlindDigests,
    pub(super) hasher: Arc<Hasher>,
    pub(super) policy: ArcSwap<Policy>,
    /// The backends, which are asked in this order.
    pub(super) backends: ArcSwap<Vec<Backend>>,
    pub(super) recent_checks: RecentChecks,
    /// App passwords and their accounts, by the digest of the app password.
    pub(super) app_passwords: RevisionCache<[u8; 32], Arc<(AppPassword, Account)>>,
    session_rights: SessionRightsCache,
    pub(super) scram: ScramAtLogin,
    pub(super) network_slots: NetworkSlots,
    /// Sign-ins that wait for their codes.
    pub(super) tickets: Tickets,
    pub(super) refusal_time: RefusalTime,
    pub(super) counters: Counters,
    /// Reads the clock.
    pub(super) now: fn() -> Timestamp,
}

impl std::fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authenticator").field("hasher", &self.hasher).finish_non_exhaustive()
    }
}

impl Authenticator {
    /// An authenticator that asks `backends` in their order. `now` reads the clock.
    pub fn new(
        store: Accounts,
        keyring: Arc<Keyring>,
        hasher: Arc<Hasher>,
        policy: Policy,
        backends: Vec<Backend>,
        now: fn() -> Timestamp,
    ) -> Self {
        Self {
            store,
            digests: keyring.app_passwords(),
            blind_digests: keyring.blind_digests(),
            keyring,
            hasher,
            policy: ArcSwap::from_pointee(policy),
            backends: ArcSwap::from_pointee(backends),
            recent_checks: RecentChecks::new(),
            app_passwords: RevisionCache::new(),
            session_rights: SessionRightsCache::new(),
            scram: ScramAtLogin::default(),
            network_slots: NetworkSlots::default(),
            tickets: Tickets::default(),
            refusal_time: RefusalTime::default(),
            counters: Counters::default(),
            now,
        }
    }

    /// Judges attempts by this policy and these backends from now on. The keys that providers have published stay known, so that one
    /// that does not answer right now is not missed.
    ///
    /// # Errors
    /// When Argon2 does not know such a cost; then everything stays as it was.
    pub fn replace(&self, policy: Policy, backends: Vec<Backend>) -> Result<(), HashError> {
        self.hasher.replace(policy.argon2)?;
        let before = self.backends.load();
        // Each kind of backend is there once at most.
        let providers = backends.iter().filter_map(Backend::providers);
        for (new, old) in providers.zip(before.iter().filter_map(Backend::providers)) {
            new.inherit(old);
        }
        self.policy.store(Arc::new(policy));
        self.backends.store(Arc::new(backends));
        Ok(())
    }

    /// What was counted of logins since the server began.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// What hashes account passwords.
    pub fn hasher(&self) -> &Hasher {
        &self.hasher
    }

    /// Keeps refusals longer than the check of the slowest hash in the store, for as long as it runs.
    pub async fn keep_refusals_alike(&self) {
        self.refusal_time.keep_measured(&self.store, &self.hasher).await;
    }

    /// What the user may do now; `None` if what was proved at the login holds no longer: the credential was revoked or
    /// has expired, or the account was disabled, renamed, removed or given another password.
    ///
    /// # Errors
    /// When the store can't tell.
    pub async fn session_rights(&self, user: &User) -> Result<Option<Arc<SessionRights>>, store::Error> {
        self.session_rights.of(user, &self.store, (self.now)()).await
    }
}
