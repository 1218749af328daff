//! Listeners that could not be had, and what to do about it.

use std::io::ErrorKind;

use submission::BindError;

/// Why the listeners of the configuration could not be had, and what to do.
pub(crate) fn told(error: BindError) -> anyhow::Error {
    let advice = advice(&error);
    anyhow::anyhow!("{:#}; {advice}", anyhow::Error::from(error))
}

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
