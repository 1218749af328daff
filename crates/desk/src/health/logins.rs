//! The light of logins.

use super::condition::{Condition, ConditionKind, Value};

/// Fewer refusals in an hour are nothing: a forgotten password, tried by a program.
const MANY: u64 = 100;

/// Without a past to compare with, so many are worth a look.
const VERY_MANY: u64 = 1_000;

/// A login that could not be judged now and then, as a backend was restarted, is nothing.
const SEVERAL: u64 = 5;

/// What was found of logins.
#[derive(Debug, Clone, Copy, Default)]
pub struct LoginFacts {
    /// Refused or not judged for too many failures, in the last hour.
    pub refused: u64,
    /// How many those are in an hour of the last week, if it is known.
    pub usual: Option<u64>,
    /// That could not be judged, in the last quarter of an hour.
    pub unjudged: u64,
}

/// What the light says of logins.
#[must_use]
pub fn logins(facts: &LoginFacts) -> Condition {
    let LoginFacts { refused, usual, unjudged } = *facts;
    if unjudged >= SEVERAL {
        return Condition::of(ConditionKind::LoginsUnjudged).with("number", Value::Number(unjudged));
    }
    let most = usual.map_or(VERY_MANY, |usual| MANY.max(usual.saturating_mul(5)));
    let kind = if refused >= most { ConditionKind::LoginsMany } else { ConditionKind::LoginsUsual };
    let condition = Condition::of(kind).with("refused", Value::Number(refused));
    condition.with("usual", Value::Number(usual.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn far_more_than_usual_is_to_be_looked_at() {
        let kind = |refused, usual| logins(&LoginFacts { refused, usual, unjudged: 0 }).kind;
        assert_eq!(kind(99, Some(1)), ConditionKind::LoginsUsual);
        assert_eq!(kind(100, Some(1)), ConditionKind::LoginsMany);
        assert_eq!(kind(499, Some(100)), ConditionKind::LoginsUsual);
        assert_eq!(kind(500, Some(100)), ConditionKind::LoginsMany);
        assert_eq!(kind(999, None), ConditionKind::LoginsUsual);
        let unjudged = logins(&LoginFacts { refused: 5, usual: None, unjudged: 5 });
        assert_eq!(unjudged.kind, ConditionKind::LoginsUnjudged);
    }
}
