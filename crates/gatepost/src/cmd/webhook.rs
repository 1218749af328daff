//! `gatepost webhook`: whom the server tells of what happens, by HTTPS.

use std::path::Path;

use desk::{Desk, view};
use store::Page;
use types::WebhookEvent;

use crate::output::{self, Format};
use crate::{actor, argument, open, prompt};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Add a webhook, and print the secret that its deliveries are signed with, once
    Add(Add),
    /// List the webhooks, or the deliveries of one
    List {
        /// List the latest deliveries of this one: its identifier, which may be cut short
        #[arg(value_name = "ID")]
        id: Option<String>,
        #[command(flatten)]
        format: Format,
    },
    /// Have the running server tell a webhook of nothing, to try whether it works; one that was switched off is on again if it takes that
    Test {
        /// Its identifier as `list` shows it, which may be cut short
        id: String,
        #[command(flatten)]
        format: Format,
    },
    /// Remove a webhook, and what it was not told of yet
    Remove {
        /// Its identifier as `list` shows it, which may be cut short
        id: String,
        /// Don't ask
        #[arg(long, short)]
        yes: bool,
    },
}

#[derive(Debug, clap::Args)]
pub(crate) struct Add {
    /// Where events are posted to: https://, the name of a host, and a path
    url: String,
    /// What it is told of; several, if written several times
    #[arg(long, value_name = "EVENT", required = true, value_parser = argument::webhook_events())]
    event: Vec<WebhookEvent>,
    #[command(flatten)]
    format: Format,
}

/// Deliveries that are listed of a webhook.
const LATEST: u32 = 100;

/// Works on the store that the configuration names.
///
/// # Errors
/// When it could not be done.
pub(crate) async fn run(config: &Path, command: Command) -> anyhow::Result<()> {
    let (config, store) = open::store(config).await?;
    let desk = open::desk(&config, &store);
    let done = match command {
        Command::Add(args) => add(&desk, args).await,
        Command::List { id: None, format } => list(&desk, format).await,
        Command::List { id: Some(id), format } => deliveries(&desk, &id, format).await,
        Command::Test { id, format } => test(&desk, &id, format).await,
        Command::Remove { id, yes } => remove(&desk, &id, yes).await,
    };
    store.close().await;
    done
}

async fn add(desk: &Desk, args: Add) -> anyhow::Result<()> {
    let added = desk.add_webhook(&actor::act(), &args.url, &args.event).await?;
    args.format.print(&added, |added| added.secret.to_string())?;
    args.format.remark("this secret is shown once; whoever has it knows which deliveries are from here");
    Ok(())
}

async fn list(desk: &Desk, format: Format) -> anyhow::Result<()> {
    let webhooks = desk.webhooks().await?;
    format.print(&webhooks, |webhooks| {
        let heading = ["ID", "URL", "EVENTS", "ADDED", "FAILING SINCE", "SWITCHED OFF"];
        output::table(heading, webhooks.iter().map(row))
    })
}

fn row(view: &view::Webhook) -> [String; 6] {
    [
        view.id.clone(),
        view.url.clone(),
        view.events.join(", "),
        output::time(view.created_at),
        output::time_or(view.failing_since, "-"),
        output::time_or(view.disabled_at, "-"),
    ]
}

async fn deliveries(desk: &Desk, id: &str, format: Format) -> anyhow::Result<()> {
    let deliveries = desk.webhook_deliveries(id, Page::first(LATEST)).await?.items;
    format.print(&deliveries, |deliveries| {
        let heading = ["ID", "EVENT", "MADE", "STATE", "ATTEMPTS", "NEXT", "STATUS", "ERROR"];
        output::table(heading, deliveries.iter().map(delivery_row))
    })
}

fn delivery_row(view: &view::WebhookDelivery) -> [String; 8] {
    [
        view.id.clone(),
        view.event.to_owned(),
        output::time(view.created_at),
        view.state.to_owned(),
        view.attempts.to_string(),
        output::time_or(view.next_attempt_at, "-"),
        output::or_dash(view.status),
        output::or_dash(view.error.as_deref()),
    ]
}

async fn test(desk: &Desk, id: &str, format: Format) -> anyhow::Result<()> {
    let delivery = desk.test_webhook(&actor::act(), id).await?;
    format.print(&delivery, |delivery| {
        format!("{} waits for the server; `gatepost webhook list {id}` says what came of it", delivery.id)
    })
}

async fn remove(desk: &Desk, id: &str, yes: bool) -> anyhow::Result<()> {
    let webhook = desk.show_webhook(id).await?;
    prompt::confirm(&format!("Remove the webhook {}?", webhook.url), yes)?;
    let removed = desk.remove_webhook(&actor::act(), &webhook.id).await?;
    output::line(&format!("{} ({}) is removed", removed.id, removed.url))
}
