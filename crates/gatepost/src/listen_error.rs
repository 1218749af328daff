//! Listeners that could not be had, and what to do about it.

use std::error::Error;
use std::fmt;
use std::io::ErrorKind;
use std::net::SocketAddr;

use submission::BindError;

/// The listeners of the configuration that could not be had, with what to do.
#[derive(Debug)]
pub(crate) struct ListenError(BindError);

/// As an error of a start or a reload.
pub(crate) fn told(error: BindError) -> anyhow::Error {
    ListenError(error).into()
}

impl ListenError {
    /// The address that another program has, if that is what is wrong.
    pub(crate) fn taken(&self) -> Option<SocketAddr> {
        match &self.0 {
            BindError::Listen { address, source } if source.kind() == ErrorKind::AddrInUse => Some(*address),
            _ => None,
        }
    }

    /// The address of the listener that could not be had, if it is one.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        match &self.0 {
            BindError::Listen { address, .. } | BindError::NoIdentity(address) => Some(*address),
            _ => None,
        }
    }
}

impl fmt::Display for ListenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ListenError(error) = self;
        write!(f, "{error}")?;
        let mut cause = error.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        write!(f, "; {}", advice(error))
    }
}

impl Error for ListenError {}

/// What to do about a listener that cannot be had.
pub(crate) fn advice(error: &BindError) -> &'static str {
    let BindError::Listen { source, .. } = error else { return "look at [tls]" };
    match source.kind() {
        ErrorKind::AddrInUse => "stop what listens there, or change the address in [[listen]]",
        ErrorKind::PermissionDenied => {
            "ports below 1024 need CAP_NET_BIND_SERVICE, as config/gatepost.service has it"
        }
        ErrorKind::AddrNotAvailable => "write an address of this machine in [[listen]]",
        _ => "change the address in [[listen]]",
    }
}
