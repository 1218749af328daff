//! What of the queue is looked for, as it was typed and as it is meant.

use jiff::{SignedDuration, Timestamp};
use store::{QueueFilter, RecipientFilter, RecipientState};
use types::{AddressError, Domain, Mailbox, ReversePath};
use url::form_urlencoded;

use crate::console::Console;
use crate::fields::Fields;
use crate::list::Query;
use crate::problem::Problem;

/// The fields of a filter.
const FIELDS: [&str; 7] =
    ["account", "sender", "recipient_domain", "state", "older_than", "credential", "reply_contains"];

/// A filter as it was typed: those of its fields that are not empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Typed(Vec<(&'static str, String)>);

impl Typed {
    pub(super) fn of_query(query: &Query) -> Self {
        Self(FIELDS.iter().filter_map(|name| Some((*name, query.get(name)?.to_owned()))).collect())
    }

    pub(super) fn of_fields(fields: &Fields) -> Self {
        let of = |name: &&'static str| (*name, fields.text(name).to_owned());
        Self(FIELDS.iter().map(of).filter(|(_, value)| !value.is_empty()).collect())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str())
    }

    /// What is typed into a field; nothing, if it isn't there.
    pub(super) fn text(&self, name: &str) -> String {
        self.get(name).unwrap_or_default().to_owned()
    }

    /// Its fields, for another form.
    pub(super) fn fields(&self) -> impl Iterator<Item = (String, String)> {
        self.0.iter().map(|(name, value)| ((*name).to_owned(), value.clone()))
    }

    /// The link to what is found by it.
    pub(super) fn link(&self, path: &str) -> String {
        if self.0.is_empty() {
            return path.to_owned();
        }
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.0).finish();
        format!("{path}?{query}")
    }

    /// What is meant; `None` if some of it can't be: it would look as if nothing were there.
    pub(super) async fn meaning(
        &self,
        console: &Console,
        now: Timestamp,
    ) -> Result<Option<QueueFilter>, Problem> {
        let domain = self.get("recipient_domain").map(Domain::parse).transpose();
        let sender = self.get("sender").map(sender).transpose();
        let state = self.get("state").map(str::parse::<RecipientState>).transpose();
        let age = self.get("older_than").map(|age| age.parse::<SignedDuration>()).transpose();
        let (Ok(domain), Ok(sender), Ok(state), Ok(age)) = (domain, sender, state, age) else {
            return Ok(None);
        };
        let account = match self.get("account") {
            Some(address) => Some(console.desk().queued_by(address.to_owned()).await?),
            None => None,
        };
        let reply_contains = self.get("reply_contains").map(str::to_owned);
        Ok(Some(QueueFilter {
            account,
            sender,
            credential: self.get("credential").map(str::to_owned),
            accepted_before: age.and_then(|age| now.checked_sub(age).ok()),
            recipient: RecipientFilter { domain, state, reply_contains },
            ..QueueFilter::default()
        }))
    }
}

/// `<>` is mail that has no sender.
fn sender(text: &str) -> Result<ReversePath, AddressError> {
    match text {
        "<>" => Ok(ReversePath::Null),
        text => Mailbox::parse(text).map(ReversePath::Mailbox),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_leads_back_to_what_it_finds() {
        let typed = Typed(vec![("account", "a&b@example.org".to_owned()), ("state", "held".to_owned())]);
        assert_eq!(typed.link("/admin/queue"), "/admin/queue?account=a%26b%40example.org&state=held");
        assert_eq!((typed.text("account").as_str(), typed.text("sender").as_str()), ("a&b@example.org", ""));
        assert_eq!(Typed(Vec::new()).link("/admin/queue"), "/admin/queue");
    }
}
