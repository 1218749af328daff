//! The domains that mail is sent as: those of accounts and of identities.

use std::iter::successors;

use store::{DkimKey, DkimKeys as _, Identities as _, Page};
use types::Domain;

use crate::{Desk, Listed, Trouble, view};

impl Desk {
    /// A page of the domains of accounts and identities, in their order, which are their places.
    ///
    /// # Errors
    /// When the store can't tell.
    pub async fn domains(&self, page: Page<String>) -> Result<Listed<view::MailDomain, String>, Trouble> {
        let domains = self.accounts.sender_domains(None, page).await?;
        let last = domains.last().cloned();
        Ok(Listed { items: self.with_keys(domains).await?, last })
    }

    /// This domain, if an account, an identity or a DKIM key is of it.
    ///
    /// # Errors
    /// When the store can't tell.
    pub async fn find_domain(&self, domain: &Domain) -> Result<Option<view::MailDomain>, Trouble> {
        let domain = domain.normal();
        let is_sent_as = !self.accounts.sender_domains(Some(&domain), Page::first(1)).await?.is_empty();
        let is_there =
            is_sent_as || !self.accounts.dkim_keys(Some(&domain), Page::first(1)).await?.is_empty();
        let found = if is_there { vec![domain] } else { Vec::new() };
        Ok(self.with_keys(found).await?.pop())
    }

    async fn with_keys(&self, domains: Vec<String>) -> Result<Vec<view::MailDomain>, Trouble> {
        let mut asked: Vec<&str> = domains.iter().flat_map(|domain| up(domain)).collect();
        asked.sort_unstable();
        asked.dedup();
        let keys = self.accounts.active_dkim_keys(&asked).await?;
        let signed_by = domains.iter().map(|domain| selectors(domain, &keys)).collect::<Vec<_>>();
        let views = domains.into_iter().zip(signed_by);
        Ok(views.map(|(domain, signed_by)| view::MailDomain { domain, signed_by }).collect())
    }
}

/// The domain, and those above it.
fn up(domain: &str) -> impl Iterator<Item = &str> {
    successors(Some(domain), |domain| domain.split_once('.').map(|(_, above)| above))
}

/// Of the keys of the domain, or of the nearest above it that has any.
fn selectors(domain: &str, keys: &[DkimKey]) -> Vec<String> {
    let of = |domain: &str| -> Vec<String> {
        let own = keys.iter().filter(|key| key.name.domain() == domain);
        own.map(|key| key.name.selector().to_string()).collect()
    };
    up(domain).map(of).find(|selectors| !selectors.is_empty()).unwrap_or_default()
}
