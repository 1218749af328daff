//! The store: whether it opens, whether its sealed secrets do, and what is held in its queue.

use std::path::Path;

use anyhow::Context as _;
use config::Config;
use desk::Desk;
use store::{AccountFilter, AccountState, Page};
use stores::Store;

use super::report::Report;
use crate::finding::Finding;
use crate::{open, sealed, warnings};

/// A store that is not there yet is made by the first start, and must not be made here: `check` may be run by somebody
/// else than the server.
pub(super) async fn examine(config: &Config, keys: bool, report: &mut Report) {
    let directory = &config.storage.directory;
    match report.keep("store", "storage.url", open(directory).await) {
        Some(Some(store)) => {
            look_into(config, &open::desk(config, &store), keys, report).await;
            store.close().await;
        }
        Some(None) => {
            report.note(format!("the store {} will be made by the first start", directory.display()));
        }
        None => {}
    }
}

async fn open(directory: &Path) -> anyhow::Result<Option<Store>> {
    if Store::exists(directory).with_context(|| format!("cannot read the store {}", directory.display()))? {
        open::store_in(directory).await.map(Some)
    } else {
        Ok(None)
    }
}

/// The key file is asked about by itself: `keys` says whether it can be read.
async fn look_into(config: &Config, desk: &Desk, keys: bool, report: &mut Report) {
    if keys {
        report.keep("sealed-secrets", "storage.master_key_file", secrets(desk).await);
    }
    let held = report.keep("store", "storage.url", held(desk).await);
    report.warn(held.flatten());
    let administrators = report.keep("store", "storage.url", without_second_factor(desk).await);
    let web = config.web.as_ref();
    report
        .warn(web.zip(administrators).and_then(|(web, without)| warnings::of_administrators(web, &without)));
}

/// Administrators who may log in and have no second factor.
async fn without_second_factor(desk: &Desk) -> anyhow::Result<Vec<String>> {
    let filter = AccountFilter { state: Some(AccountState::Admin), ..AccountFilter::default() };
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = desk.list_accounts(&filter, Page { after, limit: 500 }).await?;
        found.extend(page.items.into_iter().filter(|one| !one.totp && !one.disabled).map(|one| one.address));
        after = page.last;
        if after.is_none() {
            return Ok(found);
        }
    }
}

/// Whether every sealed secret opens.
async fn secrets(desk: &Desk) -> anyhow::Result<()> {
    let faults = desk.unopened_secrets().await?;
    match faults.is_empty() {
        true => Ok(()),
        false => anyhow::bail!("{}", sealed::told(faults.into_iter())),
    }
}

async fn held(desk: &Desk) -> anyhow::Result<Option<Finding>> {
    let held = desk.queue_stats().await?.held;
    Ok((held > 0).then(|| {
        let recipients = if held == 1 { "1 recipient of a message is" } else { &format!("{held} recipients are") };
        let text = format!(
            "{recipients} held in the queue: `gatepost queue list` shows their messages, `gatepost queue release ID` \
             lets one go"
        );
        Finding::new("queue-held", text)
    }))
}
