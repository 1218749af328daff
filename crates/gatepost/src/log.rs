//! What the server tells while it runs: events on stderr, as text for people or JSON for programs.

use config::{Format, Log};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};
use tracing_subscriber::{Layer, fmt};

use self::fields::Fields;
use crate::output;

mod fields;

/// From here on, events go to stderr. `RUST_LOG` goes before the level of the configuration.
///
/// # Errors
/// When events go somewhere already.
pub(crate) fn start(log: Log) -> Result<(), TryInitError> {
    let events = tracing_subscriber::registry().with(match log.format {
        Format::Text => {
            let layer = fmt::layer().fmt_fields(Fields).with_ansi(output::colour(&std::io::stderr()));
            filtered(log, layer.with_writer(std::io::stderr))
        }
        Format::Json => filtered(log, fmt::layer().json().flatten_event(true).with_writer(std::io::stderr)),
    });
    events.try_init()
}

/// A plain level costs less for each event than the language of `RUST_LOG`, so that is used only if it is spoken.
fn filtered<S, L>(log: Log, layer: L) -> Box<dyn Layer<S> + Send + Sync>
where
    S: tracing::Subscriber + for<'a> LookupSpan<'a>,
    L: Layer<S> + Send + Sync,
{
    match EnvFilter::try_from_default_env() {
        Ok(filter) => layer.with_filter(filter).boxed(),
        Err(_) => layer.with_filter(level(log)).boxed(),
    }
}

fn level(log: Log) -> LevelFilter {
    match log.level {
        config::Level::Error => LevelFilter::ERROR,
        config::Level::Warn => LevelFilter::WARN,
        config::Level::Info => LevelFilter::INFO,
        config::Level::Debug => LevelFilter::DEBUG,
        config::Level::Trace => LevelFilter::TRACE,
    }
}
