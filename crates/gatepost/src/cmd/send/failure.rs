//! What keeps mail from being sent, by kind, so that a script can tell them apart, and with what to do about it.

use std::error::Error;
use std::fmt;

use serde::Serialize;

/// Where it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// Arguments, files or the profile: nobody was asked yet.
    Configuration,
    /// The host can't be reached, or does not speak SMTP as it should.
    Connection,
    /// TLS can't be had.
    Tls,
    /// The certificate is not one that the host proves its name with.
    Verification,
    /// The host does not accept the login.
    Login,
    /// The host does not take mail of this sender.
    Sender,
    /// Somebody pressed Ctrl-C.
    Interrupted,
    /// All of the above went well, and not every recipient has the message.
    Recipients,
}

/// A failure, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Failure {
    pub(crate) kind: Kind,
    /// What is wrong.
    pub(crate) text: String,
    /// What to do; empty if `text` says it.
    pub(crate) advice: String,
}

impl Failure {
    pub(crate) fn new(kind: Kind, text: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { kind, text: text.into(), advice: advice.into() }
    }

    /// Whatever was not told as a failure was found before anybody was asked.
    pub(crate) fn of(error: &anyhow::Error) -> Self {
        let told = || Self::new(Kind::Configuration, crate::error_line::of(error), "");
        error.downcast_ref().cloned().unwrap_or_else(told)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.advice.as_str() {
            "" => f.write_str(&self.text),
            advice => write!(f, "{}; {advice}", self.text),
        }
    }
}

impl Error for Failure {}
