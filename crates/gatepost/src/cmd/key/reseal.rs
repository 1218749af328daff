//! The newest master key seals, and every secret is sealed anew under it.
//!
//! The root key comes first, which activates the master key; from then on nothing new is sealed under an older one. Each secret is replaced
//! only where it still is what was opened. So this may be broken off at any moment, and run again.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::bail;
use auth::{Keyring, SealError, Sealer};
use desk::SealedBatches;
use serde::Serialize;
use store::{
    Accounts as _, Action, Audit as _, AuditEvent, DkimKey, DkimKeyState, DkimKeys as _, Page, Resealed,
    SealedPlace, SealedSecrets as _,
};
use stores::Accounts;
use types::DkimKeyId;

use crate::output::{self, Format};
use crate::{actor, sealed};

/// What was done, as `--json` shows it.
#[derive(Serialize)]
struct View {
    key: u32,
    resealed: u64,
}

/// Secrets that do not open, and why.
type Unopened = BTreeMap<SealedPlace, SealError>;

/// A secret that does not open, as people know it.
struct Lost {
    account: Option<String>,
    /// The name of a DKIM key.
    credential: Option<String>,
    /// A retired DKIM key, which nothing waits for.
    is_retired: bool,
    error: SealError,
}

/// Activates the newest master key, and says how many secrets were sealed anew. `action` enters the audit trail.
///
/// # Errors
/// When the store fails, or a secret does not open that is in use; all the others are sealed anew then.
pub(super) async fn under_newest(
    keyring: &Keyring,
    store: &Accounts,
    action: Action,
    format: Format,
) -> anyhow::Result<()> {
    let before = keyring.sealer(store).await?.number();
    let sealer = keyring.activate_newest(store).await?;
    let (others, unopened) = reseal_all(&sealer, store).await?;
    let lost = named(store, &unopened).await?;
    audit(store, action, &lost).await?;
    let resealed = others + u64::from(before != sealer.number());
    format.print(&View { key: sealer.number(), resealed }, told)?;
    tell(&lost)
}

fn tell(lost: &[Lost]) -> anyhow::Result<()> {
    for name in lost.iter().filter(|lost| lost.is_retired).filter_map(|lost| lost.credential.as_deref()) {
        output::warn(&format!(
            "the retired DKIM key {name} does not open, and stays as it was: `gatepost dkim retire` with --wipe takes it out of the store"
        ));
    }
    let mut in_use = in_use(lost).peekable();
    if in_use.peek().is_some() {
        bail!(
            "{}; they are as they were, and `gatepost audit list --action secret-open` names the accounts and the DKIM keys",
            sealed::told(in_use)
        );
    }
    Ok(())
}

fn in_use(lost: &[Lost]) -> impl Iterator<Item = SealError> {
    lost.iter().filter(|lost| !lost.is_retired).map(|lost| lost.error)
}

/// Says what may be done now.
pub(super) fn remark(format: Format, file: &Path) {
    format.remark(&format!(
        "copy {} afresh to a safe place; an older key may be removed from it once `gatepost key list` shows 0 secrets for it and no backup needs it",
        file.display()
    ));
}

fn told(view: &View) -> String {
    match view.resealed {
        1 => format!("1 secret is re-sealed under master key {}", view.key),
        number => format!("{number} secrets are re-sealed under master key {}", view.key),
    }
}

/// Goes over the secrets until none is left to be sealed anew: some may have come in behind the first pass.
async fn reseal_all(sealer: &Sealer, store: &Accounts) -> anyhow::Result<(u64, Unopened)> {
    let (mut all, mut unopened) = (0, Unopened::new());
    loop {
        let (found, resealed) = pass(sealer, store, &mut unopened).await?;
        all += resealed;
        if found == 0 {
            return Ok((all, unopened));
        }
    }
}

/// One time over all secrets: how many were found under another key, and how many of them are under this one now.
async fn pass(sealer: &Sealer, store: &Accounts, unopened: &mut Unopened) -> anyhow::Result<(usize, u64)> {
    let (mut found, mut resealed, mut batches) = (0, 0, SealedBatches::of(store));
    while let Some(batch) = batches.next().await? {
        let anew: Vec<Resealed> = batch
            .iter()
            .filter_map(|(place, sealed)| match sealer.reseal(*place, sealed) {
                Ok(anew) => anew,
                Err(error) => {
                    unopened.insert(*place, error);
                    None
                }
            })
            .collect();
        found += anew.len();
        resealed += store.reseal(&anew).await?;
    }
    Ok((found, resealed))
}

async fn named(store: &Accounts, unopened: &Unopened) -> anyhow::Result<Vec<Lost>> {
    let mut lost = Vec::with_capacity(unopened.len());
    for (place, error) in unopened {
        lost.push(match place {
            SealedPlace::RootKey => {
                Lost { account: None, credential: None, is_retired: false, error: *error }
            }
            SealedPlace::TotpSeed { account, .. } | SealedPlace::ChallengeKey { account, .. } => {
                let account = store.by_id(*account).await?.map(|account| account.address.normal());
                Lost { account, credential: None, is_retired: false, error: *error }
            }
            SealedPlace::Webhook { webhook, .. } => {
                let credential = Some(webhook.to_string());
                Lost { account: None, credential, is_retired: false, error: *error }
            }
            SealedPlace::DkimKey { key, .. } => {
                let key = dkim_key(store, *key).await?;
                let is_retired = key.as_ref().is_some_and(|key| key.state() == DkimKeyState::Retired);
                Lost {
                    account: None,
                    credential: key.map(|key| key.name.to_string()),
                    is_retired,
                    error: *error,
                }
            }
        });
    }
    Ok(lost)
}

/// Few do not open, and few there are: so they are looked through for each.
async fn dkim_key(store: &Accounts, id: DkimKeyId) -> anyhow::Result<Option<DkimKey>> {
    let mut page = Page::first(1000);
    loop {
        let keys = store.dkim_keys(None, page.clone()).await?;
        let Some(last) = keys.last() else { return Ok(None) };
        page.after = Some(last.name.clone());
        if let Some(found) = keys.into_iter().find(|key| key.id == id) {
            return Ok(Some(found));
        }
    }
}

async fn audit(store: &Accounts, action: Action, lost: &[Lost]) -> anyhow::Result<()> {
    let act = actor::act();
    for Lost { account, credential, error, .. } in lost {
        let event = AuditEvent::failure(Action::SecretOpen, error.code(), &act);
        let (account, credential) = (account.clone(), credential.clone());
        store.record(&AuditEvent { account, credential, ..event }).await?;
    }
    let done = match in_use(lost).next() {
        None => AuditEvent::success(action, &act),
        Some(error) => AuditEvent::failure(action, error.code(), &act),
    };
    Ok(store.record(&done).await?)
}
