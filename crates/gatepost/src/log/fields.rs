//! The fields of an event as text: `event=ready listen="127.0.0.1:587/starttls"`, one event a line.
//!
//! What a client sent can be in any field, so nothing reaches the log that would end the line, fake another field, or be
//! obeyed by a terminal.

use std::fmt::{self, Debug, Write as _};

use tracing::field::{Field, Visit};
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::Writer;

use crate::printable::is_printable;

/// Writes the message first and bare, then each field as `name=value`, the value quoted if need be.
pub(super) struct Fields;

impl<'w> FormatFields<'w> for Fields {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'w>, fields: R) -> fmt::Result {
        let mut line = Line { writer, value: String::new(), empty: true, result: Ok(()) };
        fields.record(&mut line);
        line.result
    }
}

struct Line<'w> {
    writer: Writer<'w>,
    /// Where values are put together; kept from field to field.
    value: String,
    empty: bool,
    result: fmt::Result,
}

impl Visit for Line<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    /// The chain of causes, on the line.
    fn record_error(&mut self, field: &Field, error: &(dyn std::error::Error + 'static)) {
        let mut text = error.to_string();
        for cause in std::iter::successors(error.source(), |error| error.source()).map(ToString::to_string) {
            // Some errors say what their cause says.
            if !text.ends_with(&cause) {
                text.push_str(": ");
                text.push_str(&cause);
            }
        }
        self.record_str(field, &text);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if is_of_the_bridge(field) {
            return;
        }
        self.value.clear();
        self.result =
            self.result.and(write!(self.value, "{value:?}")).and_then(|()| self.write(field.name()));
    }
}

impl Line<'_> {
    fn write(&mut self, name: &str) -> fmt::Result {
        if !std::mem::take(&mut self.empty) {
            self.writer.write_char(' ')?;
        }
        if name == "message" {
            return write!(self.writer, "{}", Escaped(&self.value));
        }
        let quote = if is_plain(&self.value) { "" } else { "\"" };
        write!(self.writer, "{name}={quote}{}{quote}", Escaped(&self.value))
    }
}

/// Events that come from the `log` crate say a second time where they come from, down to the path of a source file.
fn is_of_the_bridge(field: &Field) -> bool {
    field.name().starts_with("log.")
}

fn is_plain(value: &str) -> bool {
    !value.is_empty()
        && !value.contains(|c: char| c == '"' || c == '=' || c.is_whitespace() || c.is_control())
}

/// Backslashes, quotes, and what is not printable, as in a string of the language C.
struct Escaped<'v>(&'v str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '"' | '\\' => write!(f, "\\{c}")?,
                c if is_printable(c) => f.write_char(c)?,
                c => write!(f, "{}", c.escape_default())?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Sink {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(octets)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(event: impl FnOnce()) -> String {
        let sink = Sink::default();
        let to = sink.clone();
        let layer = tracing_subscriber::fmt::layer().without_time().with_target(false).with_ansi(false);
        let layer = layer.fmt_fields(Fields).with_writer(move || to.clone());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), event);
        String::from_utf8(sink.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn plain_values_stand_bare() {
        let line =
            logged(|| tracing::info!(event = "ready", size = 7, who = %"ann@example.org", "it is ready"));
        assert_eq!(line, " INFO it is ready event=ready size=7 who=ann@example.org\n");
    }

    #[test]
    fn where_the_source_of_a_library_was_is_nobodys_business() {
        let line = logged(|| tracing::info!(log.file = "/home/x/a.rs", log.line = 7, "not resuming"));
        assert_eq!(line, " INFO not resuming\n");
    }

    #[test]
    fn what_a_client_says_can_neither_end_the_line_nor_fake_a_field() {
        let line =
            logged(|| tracing::info!(name = %"x y=\"1\"\r\nevent=\u{1b}[31m\u{202e}", empty = "", "hi\n"));
        let expected = r#" INFO hi\n name="x y=\"1\"\r\nevent=\u{1b}[31m\u{202e}" empty="""#;
        assert_eq!(line, format!("{expected}\n"));
    }

    #[test]
    fn an_error_tells_its_causes() {
        let error = anyhow::anyhow!("disk on fire").context("cannot write");
        let error: &(dyn std::error::Error + 'static) = error.as_ref();
        assert_eq!(logged(|| tracing::info!(error)), " INFO error=\"cannot write: disk on fire\"\n");
        let error = anyhow::anyhow!("on fire").context("disk on fire");
        let error: &(dyn std::error::Error + 'static) = error.as_ref();
        assert_eq!(logged(|| tracing::info!(error)), " INFO error=\"disk on fire\"\n", "once is enough");
    }
}
