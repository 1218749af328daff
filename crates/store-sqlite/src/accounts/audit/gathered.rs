//! Events that wait to be written, in memory.

use std::collections::HashMap;

use store::{AuditEntry, AuditEvent, AuditResult};

use super::trail::{FAILURES, SUCCESSES};

/// How many different entries may wait. Behind a success there is a right password, so an attack comes nowhere near
/// this.
const MOST: usize = 20_000;

/// Entries that wait to be written. There are never more failures, or successes of one account, among them than could be written, nor more
/// of all than memory can hold with ease: what comes beyond that loses what tells it apart.
#[derive(Debug, Default)]
pub(in crate::accounts) struct Gathered {
    entries: HashMap<AuditEvent, AuditEntry>,
    failures: u32,
    successes: HashMap<Option<String>, u32>,
}

impl Gathered {
    pub(in crate::accounts) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(in crate::accounts) fn add(&mut self, entry: AuditEntry) {
        let key = entry.event.alike();
        if let Some(present) = self.entries.get_mut(&key) {
            return present.merge(entry);
        }
        if self.is_full(&entry.event) {
            return self.add_blurred(entry.blurred());
        }
        match entry.event.result {
            AuditResult::Failure => self.failures += 1,
            AuditResult::Success => *self.successes.entry(entry.event.account.clone()).or_default() += 1,
        }
        self.entries.insert(key, entry);
    }

    /// Takes back what could not be written.
    pub(in crate::accounts) fn add_all(&mut self, others: Gathered) {
        for entry in others.entries.into_values() {
            self.add(entry);
        }
    }

    /// Oldest first, so that this is their order in the trail.
    pub(in crate::accounts) fn entries(&self) -> Vec<AuditEntry> {
        let mut entries: Vec<_> = self.entries.values().cloned().collect();
        entries.sort_by_key(|entry| entry.event.at);
        entries
    }

    fn is_full(&self, event: &AuditEvent) -> bool {
        match event.result {
            AuditResult::Success => {
                let of_account = self.successes.get(&event.account).copied().unwrap_or_default();
                of_account >= SUCCESSES || self.entries.len() >= MOST
            }
            AuditResult::Failure => self.failures >= FAILURES,
        }
    }

    /// There are only so many of these.
    fn add_blurred(&mut self, entry: AuditEntry) {
        match self.entries.get_mut(&entry.event.alike()) {
            Some(present) => present.merge(entry),
            None => drop(self.entries.insert(entry.event.alike(), entry)),
        }
    }
}
