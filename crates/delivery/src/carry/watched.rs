//! What whoever watches the server may know of mail on its way out: what waits for which way, and whose host does not answer.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use store::{Destination, Page, Spool, SpoolError};

use super::Carrier;
use super::troubled::TroubledDestination;

/// So many destinations of the queue are looked through for one: those that begin as it does and come before it are few.
const NEARBY: u32 = 20;

impl<S: Spool> Carrier<S> {
    /// How many deliveries wait in memory for each way that there is, by its text without a user's name: all destinations of `mx` together.
    pub fn waiting(&self) -> BTreeMap<String, usize> {
        let ways = self.ways.load();
        let mut waiting: BTreeMap<String, usize> =
            ways.texts().map(|way| (without_user(way.as_str()), 0)).collect();
        for (destination, number) in self.lanes.waiting() {
            // A lane of a way that is no longer there is about to end.
            let way = ways.text_of(&destination).map(|way| without_user(way.as_str()));
            if let Some(sum) = way.and_then(|way| waiting.get_mut(&way)) {
                *sum += number;
            }
        }
        waiting
    }

    /// The destinations that mail waits for and whose host did not answer at the last attempt, so many at most: fixed hosts first, then those that
    /// were tried last. It costs the queue as much as there are of them, however much waits in it.
    ///
    /// # Errors
    /// When the queue can't be read.
    pub async fn troubled(&self, at_most: usize) -> Result<Vec<TroubledDestination>, SpoolError> {
        let mut failing = self.lanes.failing();
        failing.sort_by_key(|(destination, failure)| {
            (destination.as_str().starts_with("mx:"), Reverse(failure.ended))
        });
        failing.truncate(at_most);
        let mut troubled = BTreeMap::new();
        for (destination, failure) in failing {
            if self.is_waited_for(&destination).await? {
                let ((tried_at, reply), destination) = (failure.told(), without_user(destination.as_str()));
                troubled.insert(destination.clone(), TroubledDestination { destination, tried_at, reply });
            }
        }
        Ok(troubled.into_values().collect())
    }

    /// The fixed hosts that mail waits for and that only an operator can make usable (credentials, TLS), and what is wrong with each.
    ///
    /// # Errors
    /// When the queue can't be read.
    pub async fn unusable(&self) -> Result<Vec<(String, String)>, SpoolError> {
        let mut unusable = self.ways.load().unusable();
        unusable.sort();
        let mut waited_for = Vec::new();
        for (destination, host, why) in unusable {
            if self.is_waited_for(&Destination::from(destination)).await? {
                waited_for.push((host, why));
            }
        }
        Ok(waited_for)
    }

    /// Whether mail for a destination waits, in memory, under way or in the queue.
    async fn is_waited_for(&self, destination: &Destination) -> Result<bool, SpoolError> {
        if self.lanes.is_busy(destination) {
            return Ok(true);
        }
        // The page begins just before it.
        let mut before = destination.as_str().to_owned();
        before.pop();
        let page = Page { after: Some(Destination::from(before)), limit: NEARBY };
        let waiting = self.spool.waiting(page).await?;
        Ok(waiting.iter().any(|waiting| waiting.destination == *destination))
    }
}

/// `smtps://user@host:465` without the name of the user.
fn without_user(destination: &str) -> String {
    match destination.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.rsplit_once('@')?.1))) {
        Some((scheme, host)) => format!("{scheme}://{host}"),
        None => destination.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whose_login_it_is_is_nobodys_business() {
        for (destination, shown) in [
            ("smtps://me@example.org@smtp.example.net:465", "smtps://smtp.example.net:465"),
            ("smtp://smtp.example.net:25", "smtp://smtp.example.net:25"),
            ("mx:example.org", "mx:example.org"),
            ("maildir:/var/mail/me@example.org", "maildir:/var/mail/me@example.org"),
        ] {
            assert_eq!(without_user(destination), shown);
        }
    }
}
