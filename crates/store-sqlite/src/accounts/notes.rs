//! Last logins, last uses, what was sent and what is audited of logins, gathered in memory and written together a
//! little later.
//!
//! They are for people to read, so losing the last second of them in a crash is no harm; a sync for each login would be. What was sent and
//! not written down stays lent, and so counts against the limits. Of several who note the same the later wins, unless a clock that was
//! ahead has written it.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ipnet::IpNet;
use jiff::Timestamp;
use sqlx::{Sqlite, Transaction};
use store::{AuditEvent, Correspondent, Error, LastUse, NewSignIn, Share, network_of};
use tokio::sync::Notify;
use types::{AccountId, ApiTokenId, CredentialId, Fingerprint, WebSessionId};

use super::audit::gathered::Gathered;
use super::audit::trail;
use super::database::Database;
use super::noted_sign_in;
use super::prune::far_ahead;
use super::sending::noted::Noted;
use crate::failure::unavailable;
use crate::gather;

#[derive(Debug, Default)]
pub(super) struct Notes {
    pending: Mutex<Pending>,
    noted: Notify,
}

/// In the order in which their rows are written, which is the same whoever writes: two that write the same rows in different orders
/// would wait for each other for ever.
#[derive(Debug, Default)]
struct Pending {
    logins: BTreeMap<AccountId, Timestamp>,
    networks: BTreeMap<(AccountId, IpNet), Timestamp>,
    sign_ins: BTreeMap<(AccountId, String, IpNet), NewSignIn>,
    uses: BTreeMap<CredentialId, LastUse>,
    certificate_uses: BTreeMap<Fingerprint, LastUse>,
    sessions_seen: BTreeMap<WebSessionId, Timestamp>,
    token_uses: BTreeMap<ApiTokenId, (Timestamp, IpAddr)>,
    sent: BTreeMap<AccountId, Noted>,
    events: Gathered,
}

impl Notes {
    /// Notes that are written to this database until the last holder lets go of them.
    pub(super) fn start(database: Database) -> Arc<Self> {
        let notes = Arc::new(Self::default());
        gather::start(&notes, |notes| &notes.noted, move |notes| notes.written(database.clone()));
        notes
    }

    async fn written(self: Arc<Self>, database: Database) {
        if let Err(error) = self.flush(&database).await {
            let error: &dyn std::error::Error = &error;
            tracing::warn!(event = "store.failing", error, "last uses of credentials could not be written");
        }
    }

    pub(super) fn login(&self, id: AccountId, at: Timestamp, network: Option<IpNet>) {
        let mut pending = self.pending();
        pending.logins.insert(id, at);
        pending.networks.extend(network.map(|network| ((id, network), at)));
        drop(pending);
        self.noted.notify_one();
    }

    pub(super) fn sign_in(&self, noted: NewSignIn) {
        let place = (noted.account, noted.credential.clone(), network_of(noted.ip));
        self.pending().sign_ins.insert(place, noted);
        self.noted.notify_one();
    }

    pub(super) fn credential_use(&self, id: CredentialId, last_use: LastUse) {
        self.pending().uses.insert(id, last_use);
        self.noted.notify_one();
    }

    pub(super) fn certificate_use(&self, fingerprint: Fingerprint, last_use: LastUse) {
        self.pending().certificate_uses.insert(fingerprint, last_use);
        self.noted.notify_one();
    }

    pub(super) fn session_seen(&self, id: WebSessionId, at: Timestamp) {
        self.pending().sessions_seen.insert(id, at);
        self.noted.notify_one();
    }

    pub(super) fn token_use(&self, id: ApiTokenId, at: Timestamp, ip: IpAddr) {
        self.pending().token_uses.insert(id, (at, ip));
        self.noted.notify_one();
    }

    pub(super) fn sent(&self, id: AccountId, share: &Share, recipients: &[Correspondent], at: Timestamp) {
        self.pending().sent.entry(id).or_default().sent(share, recipients, at);
        self.noted.notify_one();
    }

    pub(super) fn given_back(&self, id: AccountId, share: &Share) {
        self.pending().sent.entry(id).or_default().given_back(share);
        self.noted.notify_one();
    }

    /// Leaves those of the recipients that the account is not noted to have sent to.
    pub(super) fn strangers(&self, id: AccountId, recipients: &mut Vec<Correspondent>) {
        if let Some(noted) = self.pending().sent.get(&id) {
            recipients.retain(|recipient| !noted.has(recipient));
        }
    }

    pub(super) fn event(&self, event: AuditEvent) {
        self.pending().events.add(event.into());
        self.noted.notify_one();
    }

    /// Writes what is noted, in one transaction. What could not be written is forgotten, but for the audit trail,
    /// which is tried again.
    pub(super) async fn flush(&self, database: &Database) -> Result<(), Error> {
        let pending = std::mem::take(&mut *self.pending());
        if pending.is_empty() {
            return Ok(());
        }
        let written = pending.write(database).await;
        if written.is_err() {
            self.pending().events.add_all(pending.events);
        }
        written
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pending {
    fn is_empty(&self) -> bool {
        self.logins.is_empty()
            && self.sign_ins.is_empty()
            && self.uses.is_empty()
            && self.certificate_uses.is_empty()
            && self.sessions_seen.is_empty()
            && self.token_uses.is_empty()
            && self.sent.is_empty()
            && self.events.is_empty()
    }

    async fn write(&self, database: &Database) -> Result<(), Error> {
        let mut transaction = database.begin().await?;
        self.enter(&mut transaction).await.map_err(unavailable)?;
        transaction.commit().await.map_err(unavailable)
    }

    async fn enter(&self, transaction: &mut Transaction<'_, Sqlite>) -> Result<(), sqlx::Error> {
        for noted in self.sign_ins.values() {
            noted_sign_in::write(transaction, noted).await?;
        }
        for (id, at) in &self.logins {
            write_time(transaction, LOGGED_IN, id.as_bytes().as_slice(), *at).await?;
        }
        for ((id, network), at) in &self.networks {
            write_network(transaction, *id, *network, *at).await?;
        }
        for (id, last_use) in &self.uses {
            write_use(transaction, APP_PASSWORD_USED, id.as_bytes(), last_use).await?;
        }
        for (fingerprint, last_use) in &self.certificate_uses {
            write_use(transaction, CERTIFICATE_USED, fingerprint.as_octets(), last_use).await?;
        }
        for (id, at) in &self.sessions_seen {
            write_time(transaction, SESSION_SEEN, id.as_bytes().as_slice(), *at).await?;
        }
        for (id, (at, ip)) in &self.token_uses {
            write_token_use(transaction, *id, *at, *ip).await?;
        }
        for (id, noted) in &self.sent {
            noted.write(transaction, *id).await?;
        }
        trail::write(transaction, self.events.entries()).await
    }
}

const LOGGED_IN: &str = "UPDATE accounts SET last_login_at = $1 WHERE id = $2 AND coalesce(last_login_at NOT BETWEEN $1 AND $3, true)";
const SESSION_SEEN: &str =
    "UPDATE web_sessions SET seen_at = $1 WHERE id = $2 AND seen_at NOT BETWEEN $1 AND $3";

/// Writes when something was last so. A later time stays, unless a clock was far ahead.
async fn write_time(
    transaction: &mut Transaction<'_, Sqlite>,
    statement: &'static str,
    id: &[u8],
    at: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query(statement)
        .bind(at.as_millisecond())
        .bind(id.to_vec())
        .bind(far_ahead(at).as_millisecond())
        .execute(&mut **transaction)
        .await
        .map(drop)
}

/// Writes the last use of an API token. A later one stays, unless a clock was far ahead.
async fn write_token_use(
    transaction: &mut Transaction<'_, Sqlite>,
    id: ApiTokenId,
    at: Timestamp,
    ip: IpAddr,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE api_tokens SET last_used_at = $1, last_used_ip = $2 \
         WHERE id = $3 AND coalesce(last_used_at NOT BETWEEN $1 AND $4, true)",
    )
    .bind(at.as_millisecond())
    .bind(ip.to_string())
    .bind(id.as_bytes().to_vec())
    .bind(far_ahead(at).as_millisecond())
    .execute(&mut **transaction)
    .await
    .map(drop)
}

/// The account may have been removed since; then there is nothing to write.
async fn write_network(
    transaction: &mut Transaction<'_, Sqlite>,
    id: AccountId,
    network: IpNet,
    at: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO familiar_networks (account, network, at) SELECT id, $2, $3 FROM accounts WHERE id = $1 \
         ON CONFLICT (account, network) DO UPDATE SET at = excluded.at \
         WHERE familiar_networks.at NOT BETWEEN excluded.at AND $4",
    )
    .bind(id.as_bytes().to_vec())
    .bind(network.to_string())
    .bind(at.as_millisecond())
    .bind(far_ahead(at).as_millisecond())
    .execute(&mut **transaction)
    .await
    .map(drop)
}

const APP_PASSWORD_USED: &str = "UPDATE app_passwords SET last_used_at = $1, last_used_ip = $2, last_mechanism = $3 \
     WHERE id = $4 AND coalesce(last_used_at NOT BETWEEN $1 AND $5, true)";
const CERTIFICATE_USED: &str = "UPDATE certificates SET last_used_at = $1, last_used_ip = $2, last_mechanism = $3 \
     WHERE fingerprint = $4 AND coalesce(last_used_at NOT BETWEEN $1 AND $5, true)";

/// Writes the last use of a credential, unless a later one stands there; `credential` is its key in the table that `update` changes.
async fn write_use(
    transaction: &mut Transaction<'_, Sqlite>,
    update: &'static str,
    credential: &[u8],
    last_use: &LastUse,
) -> Result<(), sqlx::Error> {
    sqlx::query(update)
        .bind(last_use.at.as_millisecond())
        .bind(last_use.ip.to_string())
        .bind(&last_use.mechanism)
        .bind(credential.to_vec())
        .bind(far_ahead(last_use.at).as_millisecond())
        .execute(&mut **transaction)
        .await
        .map(drop)
}
