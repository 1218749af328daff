//! The one line of JSON at the end.

use std::time::Duration;

use serde_json::{Value, json};

use crate::options::{Mode, Options};
use crate::process::Memory;
use crate::tally::{Tally, percentile};

/// The report of `send` and `login`; `server` and `own` are the CPU times used meanwhile.
pub(crate) fn of_run(
    options: &Options,
    tally: Tally,
    elapsed: Duration,
    server: Duration,
    own: Duration,
) -> Value {
    let (sessions, messages) = (tally.sessions.len(), tally.messages.len());
    let units = if options.mode == Mode::Login { sessions } else { messages };
    let each = |cpu: Duration| round(millis(cpu) / as_f64(units.max(1)));
    let measured = !options.server_pid.is_empty();
    json!({
        "mode": name(options.mode),
        "seconds": round(elapsed.as_secs_f64()),
        "connections": sessions,
        "messages": messages,
        "bytes": tally.octets,
        "connections_per_second": round(as_f64(sessions) / elapsed.as_secs_f64()),
        "messages_per_second": round(as_f64(messages) / elapsed.as_secs_f64()),
        "session_ms": spread(tally.sessions),
        "message_ms": spread(tally.messages),
        "errors": tally.faults,
        "server_cpu_ms": measured.then(|| round(millis(server))),
        (if options.mode == Mode::Login { "server_cpu_ms_per_login" } else { "server_cpu_ms_per_message" }):
            measured.then(|| each(server)),
        "client_cpu_ms_each": each(own),
    })
}

/// The report of `idle`: `up` connections are open; memory before the first and after the last.
pub(crate) fn of_idle(
    options: &Options,
    tally: &Tally,
    up: usize,
    elapsed: Duration,
    before: Memory,
    after: Memory,
) -> Value {
    let measured = !options.server_pid.is_empty();
    let each =
        |before: u64, after: u64| measured.then(|| round((after as f64 - before as f64) / as_f64(up.max(1))));
    json!({
        "mode": name(options.mode),
        "seconds": round(elapsed.as_secs_f64()),
        "connections": up,
        "connections_per_second": round(as_f64(up) / elapsed.as_secs_f64()),
        "session_ms": spread(tally.sessions.clone()),
        "errors": tally.faults,
        "server_rss_kib": measured.then(|| json!({ "before": before.resident, "after": after.resident })),
        "server_pss_kib": measured.then(|| json!({ "before": before.proportional, "after": after.proportional })),
        "rss_kib_per_connection": each(before.resident, after.resident),
        "pss_kib_per_connection": each(before.proportional, after.proportional),
    })
}

fn name(mode: Mode) -> &'static str {
    match mode {
        Mode::Send => "send",
        Mode::Login => "login",
        Mode::Idle => "idle",
    }
}

fn spread(mut times: Vec<Duration>) -> Option<Value> {
    times.sort_unstable();
    let at = |percent| round(millis(percentile(&times, percent)));
    (!times.is_empty()).then(|| json!({ "p50": at(50), "p90": at(90), "p99": at(99), "max": at(100) }))
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn as_f64(count: usize) -> f64 {
    count as f64
}

/// Three decimals are more than such measurements hold.
fn round(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}
