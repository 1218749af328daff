//! Lights, as pages show them.

use desk::health::{Condition, ConditionKind, Light, LightName, LightState, Value};
use jiff::Timestamp;

use crate::shown::bytes::size;
use crate::shown::time::{Time, date};
use crate::texts::Texts;

/// A light, as a page has it.
#[derive(Debug)]
pub(crate) struct ShownLight {
    /// The class of its lamp.
    pub(crate) class: &'static str,
    /// The name of its picture, without `i-`.
    pub(crate) icon: &'static str,
    /// How it is, in words.
    pub(crate) state: &'static str,
    /// Its name as programs have it.
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    pub(crate) text: String,
    pub(crate) since: Time,
    /// What to do; empty if nothing is.
    pub(crate) to_do: &'static str,
}

impl ShownLight {
    /// This light, shown at that moment.
    pub(crate) fn of(light: &Light, now: Timestamp, t: Texts) -> Self {
        let (class, icon, state) = match light.state() {
            LightState::Good => ("", "ok", t.light_is_good()),
            LightState::Look => ("wait", "warn", t.light_is_look()),
            LightState::Broken => ("bad", "no", t.light_is_broken()),
            LightState::Unknown => ("dark", "clock", t.light_is_unknown()),
        };
        Self {
            class,
            icon,
            state,
            id: light.name.name(),
            name: name(light.name, t),
            text: text(&light.condition, t),
            since: Time::of(light.since, now, t),
            to_do: to_do(light.condition.kind, t),
        }
    }
}

fn name(name: LightName, t: Texts) -> &'static str {
    match name {
        LightName::FrontDoor => t.light_front_door(),
        LightName::Certificate => t.light_certificate(),
        LightName::Delivery => t.light_delivery(),
        LightName::Disk => t.light_disk(),
        LightName::Store => t.light_store(),
        LightName::Dns => t.light_dns(),
        LightName::Logins => t.light_logins(),
        LightName::Backups => t.light_backups(),
    }
}

/// What it says, in the language of the page.
fn text(condition: &Condition, t: Texts) -> String {
    let kind = condition.kind;
    condition.fill(t.of_light(kind.key(), kind.text()), |value| match value {
        Value::Number(number) => number.to_string(),
        Value::Octets(octets) => size(*octets),
        Value::Time(at) => date(*at, t),
        Value::Text(text) => text.clone(),
    })
}

fn to_do(kind: ConditionKind, t: Texts) -> &'static str {
    match kind.to_do() {
        "" => "",
        english => t.of_light(&format!("{}_to_do", kind.key()), english),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_light_speaks_the_language_of_the_page() {
        let now: Timestamp = "2026-11-30T12:00:00Z".parse().unwrap();
        let condition = Condition::of(ConditionKind::DiskShort)
            .with("free", Value::Octets(71_400_000))
            .with("total", Value::Octets(2_500_000_000));
        let light = Light { name: LightName::Disk, condition, since: now };
        let english = ShownLight::of(&light, now, Texts::preferred("en"));
        assert_eq!((english.state, &*english.text), ("look at this", "71.4 MB of 2.5 GB are left"));
        let german = ShownLight::of(&light, now, Texts::preferred("de"));
        assert_eq!((german.name, &*german.text), ("Platte", "71.4 MB von 2.5 GB sind frei"));
        assert!(german.to_do.starts_with("Schaffen Sie"), "{}", german.to_do);
    }
}
