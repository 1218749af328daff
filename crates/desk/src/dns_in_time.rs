//! A question to the DNS that is not waited for longer than people wait for a page.

use std::future::Future;
use std::time::Duration;

use dns::{Answer, DnsError};
use tokio::time::timeout;

/// How long the DNS has for one question, so that a name server that does not answer hides nothing but what it was asked.
const PATIENCE: Duration = Duration::from_secs(6);

/// The records of an answer. What does not exist is nothing found; anything else is not known, nor is what takes too long.
pub(crate) async fn in_time<T>(
    asked: impl Future<Output = Result<Answer<T>, DnsError>>,
) -> Result<Vec<T>, String> {
    match timeout(PATIENCE, asked).await {
        Ok(Ok(answer)) => Ok(answer.records),
        Ok(Err(DnsError::NoSuchName(_) | DnsError::NoSuchRecords { .. })) => Ok(Vec::new()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
    }
}
