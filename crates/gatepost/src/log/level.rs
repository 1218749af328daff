//! The least that is told, which a reload can change.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tracing::level_filters::LevelFilter;
use tracing::subscriber::Interest;
use tracing::{Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// `None` where `RUST_LOG` says what is told. A process has one log, and looks here once for each place that logs.
static LEVEL: Mutex<Option<LevelFilter>> = Mutex::new(None);

/// Lets through what is at least of the present level.
pub(super) struct Level;

/// Begins with this level.
pub(super) fn starting_with(level: config::Level) -> Level {
    *present() = Some(filter(level));
    Level
}

/// Goes on with this level. `false`: `RUST_LOG` goes before it.
pub(crate) fn change_level(level: config::Level) -> bool {
    let is_in_use = present().as_mut().map(|present| *present = filter(level)).is_some();
    tracing::callsite::rebuild_interest_cache();
    is_in_use
}

impl Level {
    fn lets_through(metadata: &Metadata<'_>) -> bool {
        present()
            .is_none_or(|level| *metadata.level() <= level && concerns_operators(level, metadata.target()))
    }
}

impl<S: Subscriber> Layer<S> for Level {
    /// Never or always, so that nobody asks again for each event.
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if Level::lets_through(metadata) { Interest::always() } else { Interest::never() }
    }

    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        Level::lets_through(metadata)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        *present()
    }
}

/// What the library for the DNS finds wrong with an answer is somebody else's doing, and comes with the whole answer. What it means for
/// us, we tell ourselves.
fn concerns_operators(level: LevelFilter, target: &str) -> bool {
    level >= LevelFilter::DEBUG || !target.starts_with("hickory")
}

fn present() -> MutexGuard<'static, Option<LevelFilter>> {
    // Nothing done under this lock can be left half done.
    LEVEL.lock().unwrap_or_else(PoisonError::into_inner)
}

fn filter(level: config::Level) -> LevelFilter {
    match level {
        config::Level::Error => LevelFilter::ERROR,
        config::Level::Warn => LevelFilter::WARN,
        config::Level::Info => LevelFilter::INFO,
        config::Level::Debug => LevelFilter::DEBUG,
        config::Level::Trace => LevelFilter::TRACE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_have_in_their_dns_fills_no_log() {
        assert!(!concerns_operators(LevelFilter::INFO, "hickory_net::dnssec"));
        assert!(concerns_operators(LevelFilter::DEBUG, "hickory_net::dnssec"));
        assert!(concerns_operators(LevelFilter::INFO, "dns::proof"));
    }
}
