//! Signals: what the system asks of a running server.

use anyhow::Context as _;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// What the signals ask for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    Reload,
    Stop,
}

pub(crate) struct Signals {
    hang_up: Signal,
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    pub(crate) fn listen() -> anyhow::Result<Signals> {
        Ok(Signals {
            hang_up: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    pub(crate) async fn next(&mut self) -> Wish {
        tokio::select! {
            _ = self.hang_up.recv() => Wish::Reload,
            _ = self.terminate.recv() => Wish::Stop,
            _ = self.interrupt.recv() => Wish::Stop,
        }
    }
}

/// A file that may grow no more is a full disk, which is told to the client, and no reason to be killed: what a system
/// does with SIGXFSZ unless it is caught (setrlimit(2)). Once caught it stays so, and the write fails.
pub(crate) fn survive_file_size_limit() -> anyhow::Result<()> {
    let number = rustix::process::Signal::XFSZ.as_raw();
    signal(SignalKind::from_raw(number)).map(drop).context("cannot catch SIGXFSZ")
}
