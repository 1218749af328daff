//! What whoever watches the server may know of mail on its way out: what waits for which way, and whose host does not answer.

use std::collections::BTreeMap;

use store::{Destination, Page, Spool, SpoolError};

use super::Carrier;
use super::troubled::TroubledDestination;

/// Destinations that are asked of the queue at a time.
const PAGE: u32 = 500;

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

    /// The destinations that mail waits for and whose host did not answer at the last attempt, so many at most.
    ///
    /// # Errors
    /// When the queue can't be read.
    pub async fn troubled(&self, at_most: usize) -> Result<Vec<TroubledDestination>, SpoolError> {
        let (mut troubled, mut page) = (BTreeMap::new(), Page::first(PAGE));
        let on_lanes = self.lanes.waiting().into_iter().filter(|(_, number)| *number > 0);
        self.add_troubled(&mut troubled, on_lanes.map(|(destination, _)| destination));
        while troubled.len() < at_most {
            let waiting = self.spool.waiting(page).await?;
            let Some(last) = waiting.last() else { break };
            page = Page { after: Some(last.destination.clone()), limit: PAGE };
            self.add_troubled(&mut troubled, waiting.into_iter().map(|waiting| waiting.destination));
        }
        Ok(troubled.into_values().take(at_most).collect())
    }

    fn add_troubled(
        &self,
        troubled: &mut BTreeMap<String, TroubledDestination>,
        destinations: impl Iterator<Item = Destination>,
    ) {
        for destination in destinations {
            if let Some(failure) = self.lanes.host_state(&destination).failure() {
                let ((tried_at, reply), destination) = (failure.told(), without_user(destination.as_str()));
                troubled.insert(destination.clone(), TroubledDestination { destination, tried_at, reply });
            }
        }
    }

    /// The fixed hosts that only an operator can make usable (credentials, TLS), and what is wrong with each.
    pub fn unusable(&self) -> Vec<(String, String)> {
        let transports = self.ways.load().transports_without(None);
        transports.iter().filter_map(|transport| transport.unusable()).collect()
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
