//! `gatepost status`: how the running server is.

use std::path::Path;

use anyhow::Context as _;
use config::Config;
use desk::health::LightState;
use desk::view::{Light, Stats, Status};

use crate::output::{self, Cell, Format, Look};
use crate::{open, status_socket};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    format: Format,
}

/// Asks the server that has the store which the configuration names, and prints what it says.
///
/// # Errors
/// When no server runs, or it says that something is broken.
pub(crate) async fn run(file: &Path, args: &Args) -> anyhow::Result<()> {
    let config = Config::load(file)?;
    let directory = &config.storage.directory;
    open::as_owner(directory)?;
    let shown = directory.display();
    let said = status_socket::ask(directory)
        .await
        .with_context(|| format!("the server of {shown} can't be asked"))?;
    let said = said.with_context(|| format!("no server runs on the store {shown}"))?;
    let status: Status = serde_json::from_slice(&said)
        .with_context(|| format!("the server of {shown} is of another version"))?;
    args.format.print(&status, text)?;
    verdict(&status)
}

fn verdict(status: &Status) -> anyhow::Result<()> {
    let broken = status.lights.iter().filter(|light| light.state == LightState::Broken);
    let broken: Vec<&str> = broken.map(|light| light.name.as_str()).collect();
    match broken.is_empty() {
        true => Ok(()),
        false => anyhow::bail!("broken: {}", broken.join(", ")),
    }
}

fn text(status: &Status) -> String {
    let lights = output::table(["LIGHT", "STATE", "SINCE", "WHAT"], status.lights.iter().map(row));
    let to_do =
        status.lights.iter().filter_map(|light| Some(format!("{}: {}", light.name, light.to_do.as_ref()?)));
    let to_do: Vec<String> = to_do.map(|line| output::harmless(&line)).collect();
    let parts = [output::fields(facts(status)), lights, to_do.join("\n")];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n")
}

fn facts(status: &Status) -> Vec<(&'static str, String)> {
    let listeners: Vec<String> =
        status.listeners.iter().map(|one| format!("{}/{}", one.address, one.protocol)).collect();
    let certificate = status.certificate.as_ref();
    let destinations = status.destinations.iter().map(|one| one.destination.as_str());
    let (logins, store) = (status.logins, &status.store);
    let disk = store.disk_free.zip(store.disk_total);
    let mut facts = vec![
        ("version", status.version.clone()),
        ("started", output::time(status.started_at)),
        ("listeners", output::list_or(&listeners, "none")),
        (
            "certificate",
            certificate.map_or("none".to_owned(), |one| format!("until {}", output::time(one.not_after))),
        ),
    ];
    facts.extend(queue(status.queue.as_ref()));
    facts.extend([
        ("not answering", output::list_or(&destinations.collect::<Vec<_>>(), "none")),
        (
            "logins, last hour",
            format!("{} accepted, {} refused", logins.accepted_last_hour, logins.refused_last_hour),
        ),
        ("store", if store.writable { "takes writes" } else { "takes no writes" }.to_owned()),
        (
            "disk",
            disk.map_or("-".to_owned(), |(free, total)| {
                format!("{} of {} free", megabytes(free), megabytes(total))
            }),
        ),
    ]);
    facts
}

fn queue(queue: Option<&Stats>) -> Vec<(&'static str, String)> {
    let Some(queue) = queue else { return vec![("queue", "can't be read".to_owned())] };
    let Stats { entries, octets, queued, deferred, held, failed, oldest_accepted_at } = queue;
    vec![
        ("queue", format!("{entries} messages, {}", megabytes(*octets))),
        ("recipients", format!("{queued} queued, {deferred} deferred, {held} held, {failed} failed")),
        ("oldest message", output::time_or(*oldest_accepted_at, "none")),
    ]
}

fn megabytes(octets: u64) -> String {
    format!("{}.{} MB", octets / 1_000_000, octets % 1_000_000 / 100_000)
}

fn row(light: &Light) -> [Cell; 4] {
    let look = match light.state {
        LightState::Good => Look::Good,
        LightState::Unknown => Look::Plain,
        LightState::Look => Look::Doubtful,
        LightState::Broken => Look::Bad,
    };
    let plain = |text: String| Cell::new(Look::Plain, text);
    [
        plain(light.name.clone()),
        Cell::new(look, light.state.name()),
        plain(output::time(light.since)),
        plain(light.text.clone()),
    ]
}
