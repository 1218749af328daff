//! The page: every metric, in the order in which a message meets what is counted.

use std::collections::BTreeMap;
use std::time::UNIX_EPOCH;

use auth::Authenticator;
use desk::Trouble;
use desk::health::{Known, Light, LightName, LightState};
use desk::view::Status;
use jiff::Timestamp;
use store::{Spool as _, SpoolError, Stats};

use super::exposition::{Exposition, Labels, Unit};
use super::process;
use crate::console::Console;
use crate::http_counters::HttpCounters;
use crate::watched::Watched;

/// What can't be read, so that there is no page.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unread {
    #[error(transparent)]
    Queue(#[from] SpoolError),
    #[error(transparent)]
    Sessions(#[from] Trouble),
}

/// The metrics as they are now.
///
/// # Errors
/// When the queue or the sessions can't be read.
pub(super) async fn of(console: &Console) -> Result<String, Unread> {
    let (watched, desk) = (&console.watched, console.desk());
    let stats = watched.stats.counted(watched.spool.stats()).await?;
    let sessions = watched.sessions.counted(desk.count_sessions()).await?;
    let known = watched.health.known();
    let mut page = Exposition::default();
    server(&mut page, watched, &known.status);
    lights(&mut page, &known);
    door(&mut page, &watched.door);
    logins(&mut page, &console.judge);
    accepted(&mut page, &watched.acceptance);
    store(&mut page, watched, &known.status);
    queue(&mut page, &stats, (console.now)());
    delivered(&mut page, watched.carrier.counters(), &watched.carrier.waiting());
    webhooks(&mut page, console).await;
    requests(&mut page, &console.http, sessions);
    process::write(&mut page, known.status.started_at);
    Ok(page.into_text())
}

fn server(page: &mut Exposition, watched: &Watched, status: &Status) {
    page.gauge(
        "gatepost_build_info",
        "Always 1; the label says which version runs.",
        [(vec![("version", &*status.version)], 1)],
    );
    page.gauge(
        "gatepost_start_time_seconds",
        "When the server was started, in seconds since 1970.",
        [(vec![], status.started_at.as_second())],
    );
    let facts = watched.identity.as_ref().and_then(|identity| identity.facts().ok());
    let until = facts.and_then(|facts| facts.not_after.duration_since(UNIX_EPOCH).ok());
    page.gauge(
        "gatepost_certificate_not_after_seconds",
        "When the certificate expires, in seconds since 1970.",
        until.map(|until| (vec![], until.as_secs())),
    );
}

/// A light that was not looked at yet is unknown; that of backups is missing where nobody looks at them.
fn lights(page: &mut Exposition, known: &Known) {
    let state = |name| known.lights.iter().find(|light| light.name == name).map(Light::state);
    let always = LightName::ALWAYS_THERE.map(|name| (name, state(name).unwrap_or(LightState::Unknown)));
    let backups = state(LightName::Backups).map(|state| (LightName::Backups, state));
    let lights = always.into_iter().chain(backups);
    page.gauge(
        "gatepost_light",
        "How a light is: 0 unknown, 1 broken, 2 to be looked at, 3 good.",
        lights.map(|(name, state)| (vec![("light", name.name())], state.number())),
    );
}

fn door(page: &mut Exposition, door: &submission::Handle) {
    let counters = door.counters();
    page.gauge("gatepost_connections", "Connections for mail that are open.", [(vec![], door.connections())]);
    let taken: Vec<_> = counters
        .connections
        .totals()
        .into_iter()
        .map(|((address, tls), total)| (address.to_string(), tls, total))
        .collect();
    page.counter(
        "gatepost_connections_total",
        "Connections for mail that were taken, by listener.",
        taken.iter().map(|(address, tls, total)| (vec![("listener", &**address), ("tls", *tls)], total)),
    );
    page.counter(
        "gatepost_connections_refused_total",
        "Connections that there was no place for.",
        [(vec![], counters.refused.total())],
    );
    page.counter(
        "gatepost_sessions_total",
        "Connections for mail that have ended, by the reason that the log has.",
        by("end", counters.sessions.totals()),
    );
    page.histogram(
        "gatepost_session_seconds",
        "How long these lasted.",
        Unit::Time,
        [(vec![], counters.session_time.histogram())],
    );
}

fn logins(page: &mut Exposition, judge: &Authenticator) {
    let counters = judge.counters();
    let logins = counters.logins.totals().into_iter();
    page.counter(
        "gatepost_logins_total",
        "Attempts to log in, by mechanism and result.",
        logins
            .map(|((mechanism, result), total)| (vec![("mechanism", mechanism), ("result", result)], total)),
    );
    page.counter(
        "gatepost_login_refusals_total",
        "Attempts that were refused, by the reason that log and audit trail have.",
        by("reason", counters.refusals.totals()),
    );
    page.histogram(
        "gatepost_login_seconds",
        "How long logins took that were accepted, by kind of credential.",
        Unit::Time,
        counters.times.iter().map(|(kind, times)| (vec![("kind", *kind)], times.histogram())),
    );
    let hasher = judge.hasher();
    page.counter("gatepost_password_hashes_total", "Runs of Argon2.", [(vec![], hasher.argon2_runs())]);
    page.gauge(
        "gatepost_password_hash_waiting",
        "Passwords that are being hashed or wait for it.",
        [(vec![], hasher.in_hand())],
    );
    page.histogram(
        "gatepost_password_hash_seconds",
        "How long each had a processor.",
        Unit::Time,
        [(vec![], hasher.times().histogram())],
    );
}

fn accepted(page: &mut Exposition, acceptance: &acceptance::Acceptance) {
    let counters = acceptance.counters();
    page.counter(
        "gatepost_messages_accepted_total",
        "Messages that are on disk and got their 250.",
        [(vec![], counters.accepted.total())],
    );
    page.counter(
        "gatepost_messages_accepted_bytes_total",
        "Their octets, as they came.",
        [(vec![], counters.accepted_octets.total())],
    );
    page.counter(
        "gatepost_messages_duplicate_total",
        "Messages that were handed in before, got their 250 and are not sent twice.",
        [(vec![], counters.duplicates.total())],
    );
    page.counter(
        "gatepost_messages_refused_total",
        "Senders, recipients and messages that were refused after the login, by reason.",
        by("reason", counters.refused.totals()),
    );
    page.counter(
        "gatepost_sending_limited_total",
        "How often an account had sent as much as it may, by what the limit is of.",
        by("limit", counters.limited.totals()),
    );
}

fn store(page: &mut Exposition, watched: &Watched, status: &Status) {
    let counters = watched.spool.counters();
    page.histogram(
        "gatepost_commit_seconds",
        "How long commits to the queue took, with their sync.",
        Unit::Time,
        [(vec![], counters.commit_time.histogram())],
    );
    page.histogram(
        "gatepost_commit_changes",
        "How many changes were committed together.",
        Unit::Number,
        [(vec![], counters.committed_together.histogram())],
    );
    page.counter(
        "gatepost_store_errors_total",
        "How often the queue could not be written.",
        [(vec![("store", "queue")], counters.errors.total())],
    );
    page.gauge(
        "gatepost_disk_free_bytes",
        "What is free where the store lies, in octets, a minute ago at most; missing if the system does not say.",
        status.store.disk_free.map(|free| (vec![], free)),
    );
    page.counter(
        "gatepost_ledger_dropped_total",
        "Notes of what was sent that could not be written as fast as they came.",
        [(vec![], watched.ledger.dropped())],
    );
}

fn queue(page: &mut Exposition, stats: &Stats, now: Timestamp) {
    page.gauge("gatepost_queue_messages", "Messages in the queue.", [(vec![], stats.entries)]);
    page.gauge("gatepost_queue_bytes", "Their octets.", [(vec![], stats.octets)]);
    let states = [
        ("queued", stats.queued),
        ("deferred", stats.deferred),
        ("held", stats.held),
        ("failed", stats.failed),
    ];
    page.gauge("gatepost_queue_recipients", "Their recipients, by state.", by("state", states));
    let oldest = stats.oldest.map_or(0, |oldest| now.duration_since(oldest).as_secs().max(0));
    page.gauge(
        "gatepost_queue_oldest_seconds",
        "The age of the oldest; 0 if there is none.",
        [(vec![], oldest)],
    );
}

fn delivered(page: &mut Exposition, counters: &delivery::Counters, waiting: &BTreeMap<String, usize>) {
    page.gauge(
        "gatepost_lane_waiting",
        "Deliveries that wait in memory for their turn, by the way that they take.",
        waiting.iter().map(|(lane, number)| (vec![("lane", &**lane)], number)),
    );
    page.counter(
        "gatepost_recipients_total",
        "What became of recipients, by the event that the log has.",
        by("fate", counters.recipients.totals()),
    );
    page.histogram(
        "gatepost_delivery_seconds",
        "How long recipients had waited who got their mail, from its 250.",
        Unit::Time,
        [(vec![], counters.waited.histogram())],
    );
    page.counter(
        "gatepost_attempts_total",
        "Attempts to deliver, by whether whoever was asked has answered.",
        by("outcome", counters.attempts.totals()),
    );
}

async fn webhooks(page: &mut Exposition, console: &Console) {
    page.counter(
        "gatepost_webhook_deliveries_total",
        "Attempts to tell webhooks of what happened, by what came of them.",
        by("result", console.watched.webhooks.attempts().totals()),
    );
    // Where the store does not answer, the rest of the page is worth more than this.
    let waiting = console.desk().waiting_webhook_deliveries().await.ok();
    page.gauge(
        "gatepost_webhook_waiting",
        "What webhooks are still to be told of.",
        waiting.map(|waiting| (vec![], waiting)),
    );
}

fn requests(page: &mut Exposition, counters: &HttpCounters, sessions: u64) {
    let requests = counters.requests.totals().into_iter();
    page.counter(
        "gatepost_http_requests_total",
        "Requests that were answered, by what they were for, method and class of status.",
        requests.map(|((part, method, class), total)| {
            (vec![("part", part), ("method", method), ("class", class)], total)
        }),
    );
    page.histogram(
        "gatepost_http_request_seconds",
        "How long answers took.",
        Unit::Time,
        counters.times.iter().map(|(part, times)| (vec![("part", *part)], times.histogram())),
    );
    page.gauge("gatepost_web_sessions", "Browser sessions that have not ended.", [(vec![], sessions)]);
}

/// A series for each name.
fn by(
    label: &'static str,
    totals: impl IntoIterator<Item = (&'static str, u64)>,
) -> impl Iterator<Item = (Labels<'static>, u64)> {
    totals.into_iter().map(move |(name, total)| (vec![(label, name)], total))
}
