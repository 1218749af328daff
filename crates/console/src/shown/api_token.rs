//! An API token, as its owner sees it.

use desk::view;
use jiff::{SignedDuration, Timestamp};

use super::app_password::listed;
use super::strangers::plain;
use super::time::Time;
use crate::texts::Texts;
use crate::visit::Visit;

/// Ending so soon, it stands out: a new one is to be made before.
const SOON: SignedDuration = SignedDuration::from_hours(14 * 24);

/// An API token, without what opens the API.
#[derive(Debug)]
pub(crate) struct ApiTokenShown {
    pub(crate) id: String,
    pub(crate) label: String,
    /// What stands out about it, and the class of its colours.
    pub(crate) state: Option<(&'static str, String)>,
    pub(crate) scopes: String,
    pub(crate) last_used: Option<(Time, String)>,
    pub(crate) made: Time,
    pub(crate) ends: Time,
    /// The networks that it is limited to; empty if it is good everywhere.
    pub(crate) networks: String,
}

impl ApiTokenShown {
    pub(crate) fn of(view: &view::ApiToken, visit: &Visit) -> Self {
        let time = |at: Timestamp| Time::of(at, visit.now, visit.texts);
        let from = || view.last_used_ip.map(|ip| ip.to_string()).unwrap_or_default();
        Self {
            id: view.id.clone(),
            label: plain(&view.label),
            state: state(view, visit.now, visit.texts),
            scopes: listed(&view.scopes),
            last_used: view.last_used_at.map(|at| (time(at), from())),
            made: time(view.created_at),
            ends: time(view.expires_at),
            networks: listed(&view.networks),
        }
    }
}

fn state(view: &view::ApiToken, now: Timestamp, t: Texts) -> Option<(&'static str, String)> {
    let left = view.expires_at.duration_since(now);
    match left {
        left if left <= SignedDuration::ZERO => Some(("bad", t.ended().to_owned())),
        left if left < SOON => Some(("wait", t.ends_in_days(left.as_hours() / 24 + 1))),
        _ if view.last_used_at.is_none() => Some(("info", t.never_used_yet().to_owned())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_its_owner_should_look_at_stands_out() {
        let (now, t) = (Timestamp::from_second(1_800_000_000).unwrap(), Texts::preferred("en"));
        let day = |days: i64| SignedDuration::from_hours(24 * days);
        for (used, ends, expected) in [
            (true, 14, None),
            (false, 14, Some(("info", "never used"))),
            (true, 9, Some(("wait", "ends in 10 days"))),
            (true, 0, Some(("bad", "ended"))),
        ] {
            let view = view::ApiToken {
                id: String::new(),
                label: String::new(),
                scopes: Vec::new(),
                networks: Vec::new(),
                created_at: now - day(400),
                expires_at: now + day(ends),
                last_used_at: used.then_some(now),
                last_used_ip: None,
            };
            let state = state(&view, now, t);
            assert_eq!(state.as_ref().map(|(class, words)| (*class, words.as_str())), expected);
        }
    }
}
