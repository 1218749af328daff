//! A light, for programs.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::health::{self, LightState};

/// A light of the server's health, in English.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Light {
    /// What it is about, such as `front-door`.
    pub name: String,
    /// How it is.
    pub state: LightState,
    /// What it says.
    pub text: String,
    /// Since when it has been in this state.
    pub since: Timestamp,
    /// What to do about it.
    pub to_do: Option<String>,
}

impl Light {
    pub(crate) fn of(light: &health::Light) -> Self {
        let to_do = light.condition.kind.to_do();
        Self {
            name: light.name.name().to_owned(),
            state: light.state(),
            text: light.condition.to_string(),
            since: light.since,
            to_do: (!to_do.is_empty()).then(|| to_do.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::health::{Condition, ConditionKind, LightName};

    use super::*;

    #[test]
    fn the_json_of_a_light_has_the_promised_keys() {
        let since = "2026-11-21T12:00:00Z".parse().unwrap();
        let condition = Condition::of(ConditionKind::DoorSilent).saying("listener", "[::]:465");
        let light =
            health::Light { name: LightName::FrontDoor, condition: condition.saying("why", "gone"), since };
        let expected = serde_json::json!({
            "name": "front-door", "state": "broken", "text": "[::]:465 does not answer: gone",
            "since": "2026-11-21T12:00:00Z",
            "to_do": "Look for listen.failed in the log, and whether something else has the port.",
        });
        assert_eq!(serde_json::to_value(Light::of(&light)).unwrap(), expected);
    }
}
