//! `[log]`: how the server tells what it does.

use serde::Deserialize;

/// How the server tells what it does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Log {
    /// For people or for programs.
    pub format: Format,
    /// The least that is told.
    pub level: Level,
}

/// For people or for programs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// A line of text for each event.
    #[default]
    Text,
    /// A JSON object for each event, one a line.
    Json,
}

/// The least that is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// What an operator must act on.
    Error,
    /// And what an operator should look at.
    Warn,
    /// And each session and each fate of a message.
    #[default]
    Info,
    /// And the steps between.
    Debug,
    /// And the dialogue on the wire, without secrets.
    Trace,
}

impl Level {
    /// The word in the file.
    pub fn name(self) -> &'static str {
        match self {
            Level::Error => "error",
            Level::Warn => "warn",
            Level::Info => "info",
            Level::Debug => "debug",
            Level::Trace => "trace",
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Written {
    format: Format,
    level: Level,
}

impl Written {
    pub(crate) fn mean(self) -> Log {
        Log { format: self.format, level: self.level }
    }
}
