//! Trying a fixed host without a message: for the operator who wants to know whether mail could leave.

use super::connect::Opener;
use super::trouble::Trouble;
use crate::next_host::{NextHost, NextHostError};

/// Why mail could not be handed to a host.
#[derive(Debug, thiserror::Error)]
pub enum TryError {
    /// It can't even be tried.
    #[error(transparent)]
    Setup(#[from] NextHostError),
    /// What went wrong on the way to it, or what it said.
    #[error("{0}")]
    Trouble(String),
}

/// Does what a delivery does before its first message, and then QUIT: connects, verifies the certificate, says EHLO and logs in.
///
/// # Errors
/// Whatever would keep a delivery from beginning.
pub async fn try_host(next_host: &NextHost, hostname: &str) -> Result<(), TryError> {
    let connection = Opener::new(next_host, hostname)?.open().await?;
    connection.quit().await;
    Ok(())
}

impl From<Trouble> for TryError {
    fn from(trouble: Trouble) -> Self {
        TryError::Trouble(trouble.to_string())
    }
}
