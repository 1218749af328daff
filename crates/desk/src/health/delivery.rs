//! The light of delivery.

use super::condition::{Condition, ConditionKind, Value};

/// Fewer recipients in a quarter of an hour say nothing about most mail.
const ENOUGH: u64 = 20;

/// So much of the mail may be put off, in percent, before anybody has to look: greylisting does that every day.
const OFTEN: u64 = 25;

/// So much is to be looked at however usual it is.
const MOST: u64 = 75;

/// What became of recipients in a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Fates {
    /// Those that have their mail.
    pub delivered: u64,
    /// Attempts after which they are tried again.
    pub deferred: u64,
    /// Those that will not get it.
    pub failed: u64,
}

impl Fates {
    fn all(self) -> u64 {
        self.delivered + self.deferred + self.failed
    }

    /// How much of it was put off, in percent.
    fn put_off(self) -> u64 {
        self.deferred * 100 / self.all().max(1)
    }
}

/// What was found of mail on its way out.
#[derive(Debug, Clone, Default)]
pub struct DeliveryFacts {
    /// In the last quarter of an hour.
    pub lately: Fates,
    /// In the day before that, or since the start.
    pub usually: Fates,
    /// How many destinations that mail waits for did not answer at the last attempt, and one of them.
    pub troubled: Option<(u64, String)>,
    /// A host that mail waits for until an operator changes something, and what is wrong.
    pub unusable: Option<(String, String)>,
}

/// What the light says of mail on its way out.
#[must_use]
pub fn delivery(facts: &DeliveryFacts) -> Condition {
    let DeliveryFacts { lately, usually, troubled, unusable } = facts;
    if let Some((host, why)) = unusable {
        return Condition::of(ConditionKind::DeliveryUnusable).saying("host", host).saying("why", why);
    }
    let (percent, usual) = (lately.put_off(), usually.put_off());
    let is_unusual = percent >= MOST || percent >= OFTEN.max(2 * usual);
    if lately.all() >= ENOUGH && is_unusual {
        return Condition::of(ConditionKind::DeliveryPutOff)
            .with("percent", Value::Number(percent))
            .with("usual", Value::Number(usual));
    }
    match troubled {
        Some((number, destination)) => Condition::of(ConditionKind::DeliveryTroubled)
            .with("number", Value::Number(*number))
            .saying("destination", destination),
        None => Condition::of(ConditionKind::DeliveryGood),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fates(delivered: u64, deferred: u64) -> Fates {
        Fates { delivered, deferred, failed: 0 }
    }

    #[test]
    fn mail_that_is_put_off_far_more_than_usual_is_to_be_looked_at() {
        let kind =
            |lately, usually| delivery(&DeliveryFacts { lately, usually, ..DeliveryFacts::default() }).kind;
        assert_eq!(kind(fates(15, 5), fates(900, 100)), ConditionKind::DeliveryPutOff);
        assert_eq!(kind(fates(14, 5), fates(900, 100)), ConditionKind::DeliveryGood, "too few");
        assert_eq!(kind(fates(16, 5), fates(900, 100)), ConditionKind::DeliveryGood, "too little");
        assert_eq!(kind(fates(15, 5), fates(80, 20)), ConditionKind::DeliveryGood, "as usual");
        assert_eq!(
            kind(fates(5, 15), fates(20, 80)),
            ConditionKind::DeliveryPutOff,
            "as usual, and far too much"
        );
        assert_eq!(kind(Fates::default(), Fates::default()), ConditionKind::DeliveryGood);
    }

    #[test]
    fn what_waits_for_an_operator_comes_first() {
        let troubled = Some((2, "mx:example.net".to_owned()));
        let mut facts = DeliveryFacts { troubled, ..DeliveryFacts::default() };
        assert_eq!(delivery(&facts).to_string(), "destinations that don't answer: 2, such as mx:example.net");
        facts.unusable = Some(("relay:587".to_owned(), "535 no".to_owned()));
        assert_eq!(delivery(&facts).to_string(), "mail for relay:587 waits: 535 no");
    }
}
