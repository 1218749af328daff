//! What the log was told of lately, so that it is not told of each message that waits for the same.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The time between two lines on the same subject.
const BETWEEN: Duration = Duration::from_secs(60);

/// The subjects that the log was told of in the last minute.
#[derive(Debug, Default)]
pub(crate) struct ToldLately {
    since: Mutex<HashMap<String, Instant>>,
}

impl ToldLately {
    /// Whether the log is to be told of this subject. It counts as told then.
    pub(crate) fn is_due(&self, subject: &str) -> bool {
        let mut since = self.since.lock().unwrap_or_else(PoisonError::into_inner);
        since.retain(|_, told| told.elapsed() < BETWEEN);
        let is_due = !since.contains_key(subject);
        if is_due {
            since.insert(subject.to_owned(), Instant::now());
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_subject_is_due_once_a_minute() {
        let told = ToldLately::default();
        assert!(told.is_due("a") && told.is_due("b"));
        tokio::time::advance(BETWEEN - Duration::from_millis(1)).await;
        assert!(!told.is_due("a") && !told.is_due("b"));
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(told.is_due("a") && !told.is_due("a"));
        assert_eq!(told.since.lock().unwrap().len(), 1);
    }
}
