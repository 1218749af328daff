//! What this process takes of the machine, under the names that every program has for it.

use std::fs;
use std::time::Duration;

use jiff::Timestamp;
use rustix::process::Resource;
use rustix::time::ClockId;

use super::exposition::Exposition;

/// What the system says of this process. What it does not say is left out.
pub(super) fn write(page: &mut Exposition, started_at: Timestamp) {
    let cpu = Duration::try_from(rustix::time::clock_gettime(ClockId::ProcessCPUTime)).unwrap_or_default();
    page.counter(
        "process_cpu_seconds_total",
        "Processor time that the process has had, in seconds.",
        [(vec![], cpu.as_secs_f64())],
    );
    page.gauge(
        "process_start_time_seconds",
        "When the process was started, in seconds since 1970.",
        [(vec![], started_at.as_second())],
    );
    page.gauge(
        "process_resident_memory_bytes",
        "Memory that the process has in use.",
        memory(RESIDENT).map(|octets| (vec![], octets)),
    );
    page.gauge(
        "process_virtual_memory_bytes",
        "Memory that the process has reserved.",
        memory(VIRTUAL).map(|octets| (vec![], octets)),
    );
    page.gauge(
        "process_max_fds",
        "Files and sockets that the process may have open; missing without a limit.",
        rustix::process::getrlimit(Resource::Nofile).current.map(|number| (vec![], number)),
    );
    page.gauge(
        "process_open_fds",
        "Files and sockets that the process has open.",
        descriptors().map(|number| (vec![], number)),
    );
}

/// The places of numbers in proc_pid_statm(5), which are in pages.
const VIRTUAL: usize = 0;
const RESIDENT: usize = 1;

fn memory(place: usize) -> Option<u64> {
    let statm = fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split_ascii_whitespace().nth(place)?.parse().ok()?;
    Some(pages.saturating_mul(u64::try_from(rustix::param::page_size()).ok()?))
}

fn descriptors() -> Option<usize> {
    Some(fs::read_dir("/proc/self/fd").ok()?.count())
}
