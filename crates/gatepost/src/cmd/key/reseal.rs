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
use store::{Accounts as _, Action, Audit as _, AuditEvent, Resealed, SealedPlace, SealedSecrets as _};
use stores::Accounts;

use crate::output::Format;
use crate::{actor, sealed};

/// What was done, as `--json` shows it.
#[derive(Serialize)]
struct View {
    key: u32,
    resealed: u64,
}

/// Secrets that do not open, and why.
type Unopened = BTreeMap<SealedPlace, SealError>;

/// Activates the newest master key, and says how many secrets were sealed anew. `action` enters the audit trail.
///
/// # Errors
/// When the store fails, or a secret does not open; all the others are sealed anew then.
pub(super) async fn under_newest(
    keyring: &Keyring,
    store: &Accounts,
    action: Action,
    format: Format,
) -> anyhow::Result<()> {
    let before = keyring.sealer(store).await?.number();
    let sealer = keyring.activate_newest(store).await?;
    let (others, unopened) = reseal_all(&sealer, store).await?;
    audit(store, action, &unopened).await?;
    let resealed = others + u64::from(before != sealer.number());
    format.print(&View { key: sealer.number(), resealed }, told)?;
    if !unopened.is_empty() {
        bail!(
            "{}; they are as they were, and `gatepost audit list --action secret-open` names the accounts",
            sealed::told(unopened.values().copied())
        );
    }
    Ok(())
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

async fn audit(store: &Accounts, action: Action, unopened: &Unopened) -> anyhow::Result<()> {
    let act = actor::act();
    for (place, error) in unopened {
        let account = match place {
            SealedPlace::RootKey | SealedPlace::DkimKey { .. } => None,
            SealedPlace::TotpSeed { account, .. } | SealedPlace::ChallengeKey { account, .. } => {
                store.by_id(*account).await?
            }
        };
        let account = account.map(|account| account.address.normal());
        let credential = match place {
            SealedPlace::DkimKey { key, .. } => Some(key.to_string()),
            SealedPlace::RootKey | SealedPlace::TotpSeed { .. } | SealedPlace::ChallengeKey { .. } => None,
        };
        let event = AuditEvent::failure(Action::SecretOpen, error.code(), &act);
        store.record(&AuditEvent { account, credential, ..event }).await?;
    }
    let done = match unopened.values().next() {
        None => AuditEvent::success(action, &act),
        Some(error) => AuditEvent::failure(action, error.code(), &act),
    };
    Ok(store.record(&done).await?)
}
