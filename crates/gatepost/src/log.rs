//! What the server tells while it runs: events on stderr, as text for people or JSON for programs.
//!
//! Nobody who logs waits for whoever reads the log: lines go into a queue, and a thread of their own writes them
//! (docs/decisions/0013-the-log-never-stops-the-server.md).

use std::backtrace::{Backtrace, BacktraceStatus};
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt as _;
use std::panic::PanicHookInfo;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use config::{Format, Log};
use tracing::Subscriber;
use tracing_subscriber::filter::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer, fmt};

use self::fields::Fields;
use self::form::Form;
use self::queue::{Intake, Queue};
use self::strangers::Strangers;
use crate::output;

pub(crate) use self::level::change_level;
pub(crate) use self::writer::Running;

mod fields;
mod level;
mod strangers;
mod form;
mod queue;
mod writer;

/// From here on, events go to stderr, panics too, until the [`Running`] log is dropped. `RUST_LOG` goes before the level of
/// the configuration.
///
/// # Errors
/// When events go somewhere already, or there is no thread to be had.
pub(crate) fn start(log: Log) -> anyhow::Result<Running> {
    let stderr = std::io::stderr();
    start_with(log, output::colour(&stderr), stderr)
}

/// As [`start`], but events go to the end of this file, which is made if it isn't there.
///
/// # Errors
/// Also when the file can't be written.
pub(crate) fn start_in(log: Log, file: &Path) -> anyhow::Result<Running> {
    let opened = OpenOptions::new().create(true).append(true).mode(0o600).open(file);
    start_with(log, false, opened.with_context(|| format!("cannot write the log {}", file.display()))?)
}

fn start_with(log: Log, colour: bool, to: impl Write + Send + 'static) -> anyhow::Result<Running> {
    let form = match log.format {
        Format::Text if colour => Form::Coloured,
        Format::Text => Form::Text,
        Format::Json => Form::Json,
    };
    let (queue, strangers) = (Arc::new(Queue::new(form)), Strangers::default());
    tracing_subscriber::registry()
        .with(lines(log.format, colour, Intake(Arc::clone(&queue))))
        .with(filter(log))
        .with(strangers.clone())
        .try_init()?;
    std::panic::set_hook(Box::new(tell_panic));
    Running::start(queue, strangers, to).context("cannot start the thread that writes the log")
}

/// Events as lines. They have no time yet, which the queue adds: two lines are equal if all the rest is.
fn lines<S>(format: Format, colour: bool, to: Intake) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let layer = fmt::layer().with_writer(to);
    match format {
        Format::Text => layer.without_time().fmt_fields(Fields).with_ansi(colour).boxed(),
        Format::Json => layer.json().flatten_event(true).without_time().boxed(),
    }
}

/// A plain level costs less for each event than the language of `RUST_LOG`, so that is used only if it is spoken.
fn filter<S: Subscriber>(log: Log) -> Box<dyn Layer<S> + Send + Sync> {
    EnvFilter::try_from_default_env().map_or_else(|_| level::starting_with(log.level).boxed(), Layer::boxed)
}

/// What Rust itself would write to stderr at once, and would wait for somebody to read.
fn tell_panic(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(tracing::field::display);
    let backtrace = Some(Backtrace::capture()).filter(|taken| taken.status() == BacktraceStatus::Captured);
    tracing::error!(
        event = "panicked",
        place,
        backtrace = backtrace.map(tracing::field::display),
        "the server panicked; please report this: {}",
        panic.payload_as_str().unwrap_or("unknown")
    );
}
