//! What processes cost, from /proc: CPU time and memory of some processes and all their descendants.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use anyhow::Context;

/// /proc counts CPU time in ticks of 10 ms on every Linux (`USER_HZ`, proc(5)).
const TICK: Duration = Duration::from_millis(10);

/// Memory of processes, in KiB.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Memory {
    /// Resident pages; those that processes share are counted in each.
    pub(crate) resident: u64,
    /// Resident pages, shared ones divided among those who share them.
    pub(crate) proportional: u64,
}

/// CPU time, user and system, that these processes and their descendants have used, those that have ended included.
///
/// # Errors
/// When one of `roots` does not run.
pub(crate) fn cpu(roots: &[u32]) -> anyhow::Result<Duration> {
    let ticks: u64 = tree(roots)?.iter().map(|process| process.ticks).sum();
    Ok(TICK.saturating_mul(u32::try_from(ticks).unwrap_or(u32::MAX)))
}

/// Memory that these processes and their descendants occupy.
///
/// # Errors
/// When one of `roots` does not run.
pub(crate) fn memory(roots: &[u32]) -> anyhow::Result<Memory> {
    let mut memory = Memory::default();
    for process in tree(roots)? {
        // A process may end while it is looked at; then it occupies nothing.
        let rollup = fs::read_to_string(format!("/proc/{}/smaps_rollup", process.pid)).unwrap_or_default();
        memory.resident += kib(&rollup, "Rss:");
        memory.proportional += kib(&rollup, "Pss:");
    }
    Ok(memory)
}

fn kib(rollup: &str, field: &str) -> u64 {
    let line = rollup.lines().find_map(|line| line.strip_prefix(field));
    line.and_then(|rest| rest.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Process {
    pid: u32,
    parent: u32,
    /// Own ticks, and those of children that ended and were waited for.
    ticks: u64,
}

fn tree(roots: &[u32]) -> anyhow::Result<Vec<Process>> {
    if roots.is_empty() {
        return Ok(Vec::new());
    }
    let all = running()?;
    for root in roots {
        anyhow::ensure!(all.iter().any(|process| process.pid == *root), "there is no process {root}");
    }
    let mut members: BTreeSet<u32> = roots.iter().copied().collect();
    loop {
        let known = members.len();
        members.extend(
            all.iter().filter(|process| members.contains(&process.parent)).map(|p| p.pid).collect::<Vec<_>>(),
        );
        if members.len() == known {
            return Ok(all.into_iter().filter(|process| members.contains(&process.pid)).collect());
        }
    }
}

fn running() -> anyhow::Result<Vec<Process>> {
    let entries = fs::read_dir("/proc").context("cannot read /proc")?;
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    Ok(pids.filter_map(|pid| stat(pid, &fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)).collect())
}

/// Reads /proc/PID/stat; the name in parentheses may hold anything, so the fields count from its end.
fn stat(pid: u32, line: &str) -> Option<Process> {
    let fields: Vec<&str> = line.rsplit_once(") ")?.1.split(' ').collect();
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    // utime, stime, cutime, cstime
    let ticks = number(11)? + number(12)? + number(13)? + number(14)?;
    Some(Process { pid, parent: u32::try_from(number(1)?).ok()?, ticks })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_spaces_and_parentheses_is_skipped() {
        let line = "7 (a) b) S 3 7 7 0 -1 4194560 1 2 3 4 10 20 30 40 20 0 1 0 99";
        assert_eq!(stat(7, line), Some(Process { pid: 7, parent: 3, ticks: 100 }));
    }

    #[test]
    fn this_process_has_memory_and_an_unknown_one_is_an_error() {
        assert!(memory(&[std::process::id()]).unwrap().resident > 0);
        assert!(cpu(&[u32::MAX]).is_err());
    }
}
