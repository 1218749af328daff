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

/// What a program is told that asks by this name of ours, or for this domain, and the domain that it is good for. Strangers are not told which
/// domains there are: at a name of pages one has to be asked for.
///
/// # Errors
/// [`Problem::NotFound`] if none is asked for, or there is nothing to be told of it.
pub(crate) fn told<'a>(
    settings: &'a ClientSettings,
    visit: &Visit,
    asked: Option<Domain>,
) -> Result<(&'a ClientDiscovery, &'a str), Problem> {
    let discovery = settings.discovery.as_ref().ok_or(Problem::NotFound)?;
    let asked = visit.discovery.clone().or_else(|| asked.map(|domain| domain.normal()));
    let asked = asked.ok_or(Problem::NotFound)?;
    let domain = discovery.domains.iter().find(|domain| **domain == asked).ok_or(Problem::NotFound)?;
    Ok((discovery, domain.as_str()))
}
