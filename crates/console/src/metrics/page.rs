//! The page: every metric, in the order in which a message meets what is counted.

use std::time::UNIX_EPOCH;

use auth::Authenticator;
use jiff::Timestamp;
use store::{SpoolCounters, SpoolError, Stats};

use super::exposition::{Exposition, Labels, Unit};
use super::process;
use crate::console::Console;
use crate::watched::Watched;

/// The metrics as they are now.
///
/// # Errors
/// When the queue can't be read.
pub(super) async fn of(console: &Console) -> Result<String, SpoolError> {
    let watched = &console.watched;
    let stats = watched.stats.of(&watched.spool).await?;
    let mut page = Exposition::default();
    server(&mut page, watched);
    door(&mut page, &watched.door);
    logins(&mut page, &console.judge);
    accepted(&mut page, &watched.acceptance);
    commits(&mut page, watched.spool.counters());
    queue(&mut page, &stats, (console.now)());
    delivered(&mut page, watched.carrier.counters());
    process::write(&mut page, watched.started_at);
    Ok(page.into_text())
}

fn server(page: &mut Exposition, watched: &Watched) {
    page.gauge(
        "gatepost_build_info",
        "Always 1; the label says which version runs.",
        [(vec![("version", watched.version)], 1)],
    );
    page.gauge(
        "gatepost_start_time_seconds",
        "When the server was started, in seconds since 1970.",
        [(vec![], watched.started_at.as_second())],
    );
    let facts = watched.identity.as_ref().and_then(|identity| identity.facts().ok());
    let until = facts.and_then(|facts| facts.not_after.duration_since(UNIX_EPOCH).ok());
    page.gauge(
        "gatepost_certificate_not_after_seconds",
        "When the certificate expires, in seconds since 1970.",
        until.map(|until| (vec![], until.as_secs())),
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

fn commits(page: &mut Exposition, counters: &SpoolCounters) {
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

fn delivered(page: &mut Exposition, counters: &delivery::Counters) {
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

/// A series for each name.
fn by(
    label: &'static str,
    totals: impl IntoIterator<Item = (&'static str, u64)>,
) -> impl Iterator<Item = (Labels<'static>, u64)> {
    totals.into_iter().map(move |(name, total)| (vec![(label, name)], total))
}
