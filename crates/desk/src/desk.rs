//! The desk: what all use cases work with.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use auth::{Hasher, Keyring, MasterKeys, Policy};
use delivery::Routes;
use jiff::{SignedDuration, Timestamp};
use store::CommonLimits;
use tokio::sync::OnceCell;
use types::Endpoint;

use crate::{ClientSettings, Trouble};

/// What the configuration says, as far as use cases ask for it.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The server's name, by which authenticator apps know it.
    pub hostname: String,
    /// The file of the master keys.
    pub master_key_file: PathBuf,
    /// How logins are judged, and what it costs to hash a password.
    pub policy: Policy,
    /// How many app passwords an account may have.
    pub app_passwords_per_account: u32,
    /// How much accounts may send that have no limits of their own.
    pub sending: CommonLimits,
    /// Whether CRAM-MD5 is offered anywhere.
    pub cram_md5: bool,
    /// The longest that an account can choose for its messages to be taken back.
    pub undo_max: Duration,
    /// How long a browser session lasts without use.
    pub session_idle: SignedDuration,
    /// How long a browser session lasts in all.
    pub session_max: SignedDuration,
    /// How long an API token may last.
    pub token_max: SignedDuration,
    /// Whether an administrator without a second factor is none.
    pub admin_needs_second_factor: bool,
    /// Where the pages are, as browsers have it, if there are any. Links are made of it.
    pub base_url: Option<Endpoint>,
    /// How long a link is good that gives a device an app password.
    pub device_link: SignedDuration,
    /// How long the audit trail is kept.
    pub audit_keep: SignedDuration,
    /// What mail programs are set up with.
    pub clients: ClientSettings,
    /// Which way mail takes.
    pub routes: Routes,
}

/// Every use case, on one store. Key file and hasher are opened when they are first needed: most use cases need neither.
pub struct Desk {
    pub(crate) accounts: stores::Accounts,
    pub(crate) spool: stores::Spool,
    pub(crate) ledger: stores::Ledger,
    pub(crate) settings: Settings,
    pub(crate) now: fn() -> Timestamp,
    keyring: OnceCell<Arc<Keyring>>,
    hasher: OnceCell<Hasher>,
}

impl Desk {
    /// A desk on this store; `now` reads the clock.
    #[must_use]
    pub fn new(
        accounts: stores::Accounts,
        spool: stores::Spool,
        ledger: stores::Ledger,
        settings: Settings,
        now: fn() -> Timestamp,
    ) -> Self {
        Self { accounts, spool, ledger, settings, now, keyring: OnceCell::new(), hasher: OnceCell::new() }
    }

    /// This desk with the keyring that a server has open: the key file is not read.
    #[must_use]
    pub fn with_keyring(self, keyring: Arc<Keyring>) -> Self {
        Self { keyring: OnceCell::new_with(Some(keyring)), ..self }
    }

    /// What mail programs are set up with.
    #[must_use]
    pub fn client_settings(&self) -> &ClientSettings {
        &self.settings.clients
    }

    /// The keyring of the store.
    pub(crate) async fn keyring(&self) -> Result<&Keyring, Trouble> {
        let open = async || -> Result<Arc<Keyring>, Trouble> {
            let masters = MasterKeys::load(&self.settings.master_key_file)?;
            Ok(Arc::new(Keyring::open(masters, &self.accounts).await?))
        };
        Ok(self.keyring.get_or_try_init(open).await?)
    }

    /// What hashes passwords. It waits for its turn, however long logins have the cores.
    pub(crate) async fn hasher(&self) -> Result<&Hasher, Trouble> {
        let open =
            async || -> Result<Hasher, Trouble> { Ok(Hasher::new(self.settings.policy.argon2)?.patient()) };
        self.hasher.get_or_try_init(open).await
    }
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk").field("settings", &self.settings).finish_non_exhaustive()
    }
}
