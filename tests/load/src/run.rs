//! The modes `send` and `login`: sessions one after the other on so many connections at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;

use crate::fault::Fault;
use crate::options::{Mode, Options};
use crate::process;
use crate::report;
use crate::session::Plan;
use crate::tally::Tally;

/// A worker whose session failed waits this long, so that a dead server is not hammered.
const AFTER_FAULT: Duration = Duration::from_millis(10);

/// Runs the whole load and prints the report.
pub(crate) async fn run(options: &Options, plan: Arc<Plan>) -> anyhow::Result<()> {
    let work = Arc::new(Work::new(options));
    let before = process::cpu(&options.server_pid)?;
    let own_before = process::cpu(&[std::process::id()])?;
    let started = Instant::now();
    let workers: Vec<_> = (0..options.concurrency)
        .map(|_| tokio::spawn(worker(Arc::clone(&work), Arc::clone(&plan))))
        .collect();
    let mut tally = Tally::default();
    for worker in workers {
        tally.merge(worker.await.context("a worker died")?);
    }
    let elapsed = started.elapsed();
    let server = process::cpu(&options.server_pid)?.saturating_sub(before);
    let own = process::cpu(&[std::process::id()])?.saturating_sub(own_before);
    println!("{}", report::of_run(options, tally, elapsed, server, own));
    Ok(())
}

/// What is left to do, shared by the workers.
#[derive(Debug)]
struct Work {
    mode: Mode,
    per_connection: u64,
    messages: u64,
    taken: AtomicU64,
    end: Option<Instant>,
}

impl Work {
    fn new(options: &Options) -> Self {
        Self {
            mode: options.mode,
            per_connection: if options.mode == Mode::Login { 1 } else { options.per_connection.max(1) },
            messages: if options.seconds.is_some() { u64::MAX } else { options.messages },
            taken: AtomicU64::new(0),
            end: options.seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds)),
        }
    }

    /// The first number and the count of the next session's messages; `None` when all is done.
    fn next(&self) -> Option<(u64, u64)> {
        if self.end.is_some_and(|end| Instant::now() >= end) {
            return None;
        }
        let first = self.taken.fetch_add(self.per_connection, Ordering::Relaxed);
        let count = self.messages.saturating_sub(first).min(self.per_connection);
        (count > 0).then_some((first, count))
    }
}

async fn worker(work: Arc<Work>, plan: Arc<Plan>) -> Tally {
    let mut tally = Tally::default();
    while let Some((first, count)) = work.next() {
        let messages = if work.mode == Mode::Login { 0 } else { count };
        if let Err(fault) = session(&plan, first, messages, &mut tally).await {
            tally.fault(&fault);
            tokio::time::sleep(AFTER_FAULT).await;
        }
    }
    tally
}

async fn session(plan: &Plan, first: u64, count: u64, tally: &mut Tally) -> Result<(), Fault> {
    let started = Instant::now();
    let mut session = plan.open().await?;
    session.send(plan, first, count, tally).await?;
    let client = session.quit().await?;
    tally.session(started.elapsed());
    client.drain().await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work(mode: Mode, messages: u64, per_connection: u64) -> Work {
        Work { mode, per_connection, messages, taken: AtomicU64::new(0), end: None }
    }

    #[test]
    fn the_messages_are_shared_out_to_the_last() {
        let work = work(Mode::Send, 250, 100);
        assert_eq!(work.next(), Some((0, 100)));
        assert_eq!(work.next(), Some((100, 100)));
        assert_eq!(work.next(), Some((200, 50)));
        assert_eq!(work.next(), None);
    }
}
