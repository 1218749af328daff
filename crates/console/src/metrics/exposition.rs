//! The text format of Prometheus, version 0.0.4: what is counted, written so that monitoring can read it.

use std::fmt::{Display, Write as _};

use types::Histogram;

/// The names and values that tell the series of one metric apart.
pub(super) type Labels<'a> = Vec<(&'static str, &'a str)>;

/// What a value does over time.
#[derive(Clone, Copy)]
enum Kind {
    /// It only grows, until the server starts anew.
    Counter,
    /// It goes up and down.
    Gauge,
    /// It is counted in buckets.
    Histogram,
}

/// What the quantities of a histogram are.
#[derive(Clone, Copy)]
pub(super) enum Unit {
    /// Microseconds, which are shown as seconds.
    Time,
    /// Numbers of things.
    Number,
}

/// A page of metrics that grows.
#[derive(Default)]
pub(super) struct Exposition(String);

impl Exposition {
    /// What only grows.
    pub(super) fn counter<'a, V: Display>(
        &mut self,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = (Labels<'a>, V)>,
    ) {
        self.metric(name, help, Kind::Counter, samples);
    }

    /// What goes up and down.
    pub(super) fn gauge<'a, V: Display>(
        &mut self,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = (Labels<'a>, V)>,
    ) {
        self.metric(name, help, Kind::Gauge, samples);
    }

    /// What is counted in buckets.
    pub(super) fn histogram<'a>(
        &mut self,
        name: &str,
        help: &str,
        unit: Unit,
        histograms: impl IntoIterator<Item = (Labels<'a>, Histogram)>,
    ) {
        self.head(name, help, Kind::Histogram);
        for (labels, Histogram { up_to, count, sum, .. }) in histograms {
            for (bound, below) in up_to {
                self.bucket(name, &labels, &unit.shown(bound), below);
            }
            self.bucket(name, &labels, "+Inf", count);
            self.sample(&format!("{name}_sum"), &labels, unit.shown(sum));
            self.sample(&format!("{name}_count"), &labels, count);
        }
    }

    /// The page.
    pub(super) fn into_text(self) -> String {
        self.0
    }

    fn metric<'a, V: Display>(
        &mut self,
        name: &str,
        help: &str,
        kind: Kind,
        samples: impl IntoIterator<Item = (Labels<'a>, V)>,
    ) {
        self.head(name, help, kind);
        for (labels, value) in samples {
            self.sample(name, &labels, value);
        }
    }

    fn head(&mut self, name: &str, help: &str, kind: Kind) {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        self.line(format_args!("# HELP {name} {help}"));
        self.line(format_args!("# TYPE {name} {kind}"));
    }

    fn bucket(&mut self, name: &str, labels: &[(&'static str, &str)], bound: &str, count: u64) {
        let labels = [labels, &[("le", bound)]].concat();
        self.sample(&format!("{name}_bucket"), &labels, count);
    }

    fn sample(&mut self, name: &str, labels: &[(&'static str, &str)], value: impl Display) {
        let labels: Vec<_> =
            labels.iter().map(|(label, value)| format!("{label}=\"{}\"", escaped(value))).collect();
        match labels.is_empty() {
            true => self.line(format_args!("{name} {value}")),
            false => self.line(format_args!("{name}{{{}}} {value}", labels.join(","))),
        }
    }

    fn line(&mut self, line: impl Display) {
        // To write to a string does not fail.
        let _ = writeln!(self.0, "{line}");
    }
}

impl Unit {
    fn shown(self, quantity: u64) -> String {
        match self {
            Unit::Time => {
                let (seconds, micros) = (quantity / 1_000_000, quantity % 1_000_000);
                format!("{seconds}.{micros:06}").trim_end_matches('0').trim_end_matches('.').to_owned()
            }
            Unit::Number => quantity.to_string(),
        }
    }
}

/// The value of a label, with what would end it escaped.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use types::Buckets;

    use super::*;

    #[test]
    fn a_metric_has_its_help_its_kind_and_a_line_for_each_series() {
        let mut page = Exposition::default();
        page.counter(
            "gatepost_logins_total",
            "Logins.",
            [(vec![("mechanism", "PLAIN"), ("result", "a\"\\\n")], 3)],
        );
        page.gauge("gatepost_connections", "Connections.", [(vec![], 7)]);
        assert_eq!(
            page.into_text(),
            "# HELP gatepost_logins_total Logins.\n\
             # TYPE gatepost_logins_total counter\n\
             gatepost_logins_total{mechanism=\"PLAIN\",result=\"a\\\"\\\\\\n\"} 3\n\
             # HELP gatepost_connections Connections.\n\
             # TYPE gatepost_connections gauge\n\
             gatepost_connections 7\n"
        );
    }

    #[test]
    fn a_histogram_of_times_is_in_seconds() {
        let (mut page, times) = (Exposition::default(), Buckets::of_time());
        times.add_time(Duration::from_micros(2_500));
        times.add_time(Duration::from_secs(90));
        page.histogram("x_seconds", "Times.", Unit::Time, [(vec![("kind", "password")], times.histogram())]);
        let text = page.into_text();
        for line in [
            "x_seconds_bucket{kind=\"password\",le=\"0.001\"} 0",
            "x_seconds_bucket{kind=\"password\",le=\"0.005\"} 1",
            "x_seconds_bucket{kind=\"password\",le=\"60\"} 1",
            "x_seconds_bucket{kind=\"password\",le=\"+Inf\"} 2",
            "x_seconds_sum{kind=\"password\"} 90.0025",
            "x_seconds_count{kind=\"password\"} 2",
        ] {
            assert!(text.lines().any(|there| there == line), "{line} in {text}");
        }
    }
}
