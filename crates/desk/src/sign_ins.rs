//! What the audit trail tells the owner of an account: who signed in, by what and where from, and what was changed.

use std::collections::HashMap;
use std::net::IpAddr;

use ipnet::IpNet;
use jiff::Timestamp;
use store::{
    Account, Action, AppPasswords as _, Audit as _, AuditEntry, AuditEvent, AuditFilter, AuditPage,
    AuditPlace, AuditResult, Certificate, Certificates as _, Page, network_of,
};

use crate::{Desk, Listed, Trouble, view};

/// How many certificates are read at a time.
const PAGE: u32 = 500;

/// Which entries of the trail about one account; an empty filter lets all through.
#[derive(Debug, Clone, Default)]
pub struct SignInFilter {
    /// With this result alone.
    pub result: Option<AuditResult>,
    /// By this credential, or about it, as the trail has it.
    pub credential: Option<String>,
    /// Not before this.
    pub since: Option<Timestamp>,
    /// With this action alone.
    pub action: Option<Action>,
}

impl Desk {
    /// A page of the entries of the trail about an account that the filter lets through, newest first: each with what its owner calls the
    /// credential, and whether somebody logged in for the first time from that network.
    ///
    /// # Errors
    /// When the store can't tell.
    pub async fn sign_ins(
        &self,
        account: &Account,
        filter: SignInFilter,
        page: Page<AuditPlace>,
    ) -> Result<Listed<view::SignIn, AuditPlace>, Trouble> {
        let SignInFilter { result, credential, since, action } = filter;
        let begins = self.trail_begins(account).await?;
        let since = Some(since.map_or(begins, |since| since.max(begins)));
        let address = account.address.normal();
        let filter = AuditFilter {
            account: Some(address.clone()),
            action,
            credential,
            result,
            since,
            ..AuditFilter::default()
        };
        let AuditPage { entries, last } = self.accounts.entries(&filter, page).await?;
        let (labels, first) = (self.labels(account).await?, self.first_logins(&address, begins).await?);
        let shown = |entry: AuditEntry| {
            let label =
                entry.event.credential.as_ref().and_then(|credential| labels.get(credential)).cloned();
            let new_network = is_first(&entry, &first);
            view::SignIn { entry: view::AuditEntry::of(entry), label, new_network }
        };
        Ok(Listed { items: entries.into_iter().map(shown).collect(), last })
    }

    /// When the trail of an account begins: what is older there is of another, whose address it was.
    pub(crate) async fn trail_begins(&self, account: &Account) -> Result<Timestamp, Trouble> {
        let renamed = AuditFilter {
            account: Some(account.address.normal()),
            action: Some(Action::UserRename),
            ..AuditFilter::default()
        };
        let last = self.accounts.entries(&renamed, Page::first(1)).await?.entries.into_iter().next();
        let renamed = last.map(|entry| entry.event.at);
        Ok(renamed.map_or(account.created_at, |renamed| renamed.max(account.created_at)))
    }

    /// What the owner of an account calls its credentials, also those that were revoked, by their names in the trail.
    pub(crate) async fn labels(&self, account: &Account) -> Result<HashMap<String, String>, Trouble> {
        let revoked = self.accounts.revoked_labels(account.id).await?;
        let revoked = revoked.into_iter().map(|(id, label)| (id.to_string(), label));
        let app_passwords = self.every_app_password(account).await?;
        let labels = app_passwords.into_iter().map(|one| (one.id.to_string(), one.label));
        let certificates = self.every_certificate(account).await?;
        let of_certificates = certificates.into_iter().map(|one| (one.fingerprint.to_string(), one.label));
        Ok(revoked.chain(labels).chain(of_certificates).collect())
    }

    /// The credentials that there are or were, by their names in the trail, in the order of what their owner calls them; first the account
    /// password.
    ///
    /// # Errors
    /// When the store can't tell.
    pub async fn credentials(&self, account: &Account) -> Result<Vec<(String, Option<String>)>, Trouble> {
        let mut all: Vec<_> = self.labels(account).await?.into_iter().collect();
        all.sort_by(|(one, label), (other, other_label)| (label, one).cmp(&(other_label, other)));
        let password = (AuditEvent::PASSWORD.to_owned(), None);
        let labelled = all.into_iter().map(|(name, label)| (name, Some(label)));
        Ok(std::iter::once(password).chain(labelled).collect())
    }

    async fn every_certificate(&self, account: &Account) -> Result<Vec<Certificate>, Trouble> {
        let (mut all, mut page) = (Vec::new(), Page::first(PAGE));
        loop {
            let some = self.accounts.certificates(account.id, page).await?;
            let Some(last) = some.last() else { return Ok(all) };
            page.after = Some(last.place());
            all.extend(some);
        }
    }

    /// When somebody first logged in from each network, as far as the trail goes back.
    async fn first_logins(
        &self,
        account: &str,
        since: Timestamp,
    ) -> Result<HashMap<IpNet, Timestamp>, Trouble> {
        Ok(by_network(self.accounts.first_logins(account, since).await?))
    }
}

fn by_network(logins: Vec<(IpAddr, Timestamp)>) -> HashMap<IpNet, Timestamp> {
    let mut first = HashMap::new();
    for (ip, at) in logins {
        first
            .entry(network_of(ip))
            .and_modify(|before: &mut Timestamp| *before = at.min(*before))
            .or_insert(at);
    }
    first
}

/// Whether the entry is of the first login from its network.
fn is_first(entry: &AuditEntry, first: &HashMap<IpNet, Timestamp>) -> bool {
    let AuditEvent { action, result, ip, .. } = &entry.event;
    let is_login = *action == Action::Login && *result == AuditResult::Success;
    is_login && ip.is_some_and(|ip| first.get(&network_of(ip)) == Some(&entry.first_at))
}

#[cfg(test)]
mod tests {
    use store::Act;

    use super::*;

    fn login(ip: &str, second: i64, result: AuditResult) -> AuditEntry {
        let at = Timestamp::from_second(second).unwrap();
        let event = AuditEvent::success(Action::Login, &Act::server(at));
        AuditEvent { ip: Some(ip.parse().unwrap()), result, ..event }.into()
    }

    #[test]
    fn the_first_login_from_a_network_is_new_and_those_behind_it_are_not() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let first = by_network(vec![
            (ip("192.0.2.1"), at(5)),
            (ip("2001:db8::2"), at(9)),
            (ip("2001:db8::1"), at(7)),
            (ip("2001:db8:0:1::1"), at(8)),
        ]);
        use AuditResult::{Failure, Success};
        for (entry, is_new) in [
            (login("192.0.2.1", 5, Success), true),
            (login("192.0.2.1", 6, Success), false),
            (login("192.0.2.1", 5, Failure), false),
            (login("2001:db8::1", 7, Success), true),
            (login("2001:db8::2", 9, Success), false),
            (login("2001:db8:0:1::1", 8, Success), true),
        ] {
            assert_eq!(is_first(&entry, &first), is_new, "{entry:?}");
        }
    }
}
