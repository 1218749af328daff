//! For which domain a program asks, and what it may be told.

use desk::{ClientDiscovery, ClientSettings};
use types::Domain;

use crate::problem::Problem;
use crate::visit::Visit;

/// How long programs may keep what they were told.
pub(crate) const FOR_AN_HOUR: &str = "max-age=3600";

/// The domain of this address, of which nothing else is looked at: nobody learns whether there is such an account.
pub(crate) fn domain_of(address: &str) -> Option<Domain> {
    let (_, domain) = address.rsplit_once('@')?;
    Domain::parse(domain).ok()
}

/// What a program is told that asks by this name of ours, or for this domain, and the domains that it is good for: the one that was asked for,
/// or all, if none was.
///
/// # Errors
/// [`Problem::NotFound`] if there is nothing to be told of the domain.
pub(crate) fn told<'a>(
    settings: &'a ClientSettings,
    visit: &Visit,
    asked: Option<Domain>,
) -> Result<(&'a ClientDiscovery, Vec<&'a str>), Problem> {
    let discovery = settings.discovery.as_ref().ok_or(Problem::NotFound)?;
    let asked = visit.discovery.clone().or_else(|| asked.map(|domain| domain.normal()));
    let is_meant = |domain: &&String| asked.as_ref().is_none_or(|asked| asked == *domain);
    let domains: Vec<_> = discovery.domains.iter().filter(is_meant).map(String::as_str).collect();
    if domains.is_empty() { Err(Problem::NotFound) } else { Ok((discovery, domains)) }
}
