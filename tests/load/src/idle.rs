//! The mode `idle`: many logged-in connections at once, and what each costs the server in memory.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::options::Options;
use crate::process;
use crate::report;
use crate::session::{Plan, Session};
use crate::tally::Tally;

/// Connections that log in at the same time.
const AT_ONCE: usize = 32;
/// The server's memory is read so long after the last log-in.
const SETTLE: Duration = Duration::from_secs(1);

/// Opens the connections, prints the report once all are up, and holds them as long as the options say.
pub(crate) async fn hold(options: &Options, plan: Arc<Plan>) -> anyhow::Result<()> {
    let before = process::memory(&options.server_pid)?;
    let started = Instant::now();
    let (sessions, tally) = open_all(options.concurrency, plan).await?;
    let elapsed = started.elapsed();
    tokio::time::sleep(SETTLE).await;
    let after = process::memory(&options.server_pid)?;
    println!("{}", report::of_idle(options, &tally, sessions.len(), elapsed, before, after));
    if options.hold {
        tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink())).await??;
    }
    Ok(())
}

async fn open_all(count: usize, plan: Arc<Plan>) -> anyhow::Result<(Vec<Session>, Tally)> {
    let at_once = Arc::new(Semaphore::new(AT_ONCE));
    let mut opening = JoinSet::new();
    for _ in 0..count {
        let (plan, at_once) = (Arc::clone(&plan), Arc::clone(&at_once));
        opening.spawn(async move {
            let _permit = at_once.acquire().await;
            let started = Instant::now();
            plan.open().await.map(|session| (session, started.elapsed()))
        });
    }
    let (mut sessions, mut tally) = (Vec::new(), Tally::default());
    while let Some(opened) = opening.join_next().await {
        match opened.context("a worker died")? {
            Ok((session, took)) => {
                sessions.push(session);
                tally.session(took);
            }
            Err(fault) => tally.fault(&fault),
        }
    }
    Ok((sessions, tally))
}
