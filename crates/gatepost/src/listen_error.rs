//! Listeners that could not be had, and what to do about it.

use std::error::Error;
use std::fmt;
use std::io::ErrorKind;
use std::net::SocketAddr;

use submission::BindError;

const MAIL: &str = "[[listen]]";
const PAGES: &str = "[[web.listen]]";

/// The listeners of the configuration that could not be had, with what to do.
#[derive(Debug)]
pub(crate) struct ListenError {
    error: BindError,
    section: &'static str,
}

/// As an error of a start or a reload.
pub(crate) fn told(error: BindError) -> anyhow::Error {
    ListenError { error, section: MAIL }.into()
}

/// What is told of a listener for pages that could not be opened.
pub(crate) fn told_of_pages(error: BindError) -> anyhow::Error {
    ListenError { error, section: PAGES }.into()
}

impl ListenError {
    /// The address that another program has, if that is what is wrong.
    pub(crate) fn taken(&self) -> Option<SocketAddr> {
        match &self.error {
            BindError::Listen { address, source } if source.kind() == ErrorKind::AddrInUse => Some(*address),
            _ => None,
        }
    }

    /// The address of the listener that could not be had, if it is one.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        match &self.error {
            BindError::Listen { address, .. } | BindError::NoIdentity(address) => Some(*address),
            _ => None,
        }
    }
}

impl fmt::Display for ListenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ListenError { error, section } = self;
        write!(f, "{error}")?;
        let mut cause = error.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        write!(f, "; {}", advice_for(error, section))
    }
}

impl Error for ListenError {}

/// What to do about a listener for mail that cannot be had.
pub(crate) fn advice(error: &BindError) -> String {
    advice_for(error, MAIL)
}

fn advice_for(error: &BindError, section: &str) -> String {
    let BindError::Listen { source, .. } = error else { return "look at [tls]".to_owned() };
    match source.kind() {
        ErrorKind::AddrInUse => format!("stop what listens there, or change the address in {section}"),
        ErrorKind::PermissionDenied => {
            "ports below 1024 need CAP_NET_BIND_SERVICE, as config/gatepost.service has it".to_owned()
        }
        ErrorKind::AddrNotAvailable => format!("write an address of this machine in {section}"),
        _ => format!("change the address in {section}"),
    }
}
