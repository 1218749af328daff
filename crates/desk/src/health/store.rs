//! The light of the store.

use super::condition::{Condition, ConditionKind, Value};

/// What was found of the store.
#[derive(Debug, Clone)]
pub struct StoreFacts {
    /// Why it can't be written, if it can't; that the disk is full is told by the disk's light.
    pub unwritable: Option<String>,
    /// What may be missing of what was confirmed.
    pub may_lack: Vec<String>,
    /// How many sealed secrets don't open, or why that can't be told.
    pub unopened: Result<u64, String>,
}

/// What the light says of the store.
#[must_use]
pub fn store(facts: &StoreFacts) -> Condition {
    let StoreFacts { unwritable, may_lack, unopened } = facts;
    match (unwritable, unopened, may_lack.first()) {
        (Some(why), _, _) => Condition::of(ConditionKind::StoreUnwritable).saying("why", why),
        (None, Ok(number @ 1..), _) => {
            Condition::of(ConditionKind::StoreSecrets).with("number", Value::Number(*number))
        }
        (None, _, Some(what)) => Condition::of(ConditionKind::StoreMayLack).saying("what", what),
        (None, Err(why), None) => Condition::of(ConditionKind::StoreSecretsUnread).saying("why", why),
        (None, Ok(0), None) => Condition::of(ConditionKind::StoreGood),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_is_told_first() {
        let good = StoreFacts { unwritable: None, may_lack: Vec::new(), unopened: Ok(0) };
        let mut facts = StoreFacts { may_lack: vec!["some".to_owned()], ..good.clone() };
        assert_eq!(store(&facts).kind, ConditionKind::StoreMayLack);
        facts.unopened = Ok(2);
        assert_eq!(store(&facts).to_string(), "sealed secrets that don't open: 2");
        facts.unwritable = Some("gone".to_owned());
        assert_eq!(store(&facts).to_string(), "it can't be written: gone");
        assert_eq!(store(&good).kind, ConditionKind::StoreGood);
        let unread = StoreFacts { unopened: Err("no key".to_owned()), ..good };
        assert_eq!(store(&unread).kind, ConditionKind::StoreSecretsUnread, "not known to be good");
    }
}
