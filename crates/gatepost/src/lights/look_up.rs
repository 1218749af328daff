//! The name servers: whether they answer, and whether their answers can be proved.

use desk::health::{Condition, ConditionKind};
use dns::Resolver;
use types::Domain;

/// What the light says; our own name is looked up.
pub(super) async fn look(resolver: &Resolver, hostname: &str) -> Condition {
    let Ok(domain) = Domain::parse(hostname) else { return Condition::of(ConditionKind::DnsUnused) };
    match resolver.mx(&domain).await {
        // That there is no such name is an answer.
        Err(error) if error.is_temporary() => Condition::of(ConditionKind::DnsSilent).saying("why", error),
        Ok(_) | Err(_) if resolver.proves().await => Condition::of(ConditionKind::DnsGood),
        Ok(_) | Err(_) => Condition::of(ConditionKind::DnsUnproven),
    }
}
