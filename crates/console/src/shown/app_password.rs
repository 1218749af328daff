//! An app password, as its owner sees it.

use std::collections::HashMap;

use desk::view;
use jiff::{SignedDuration, Timestamp};
use store::Account;

use super::strangers::plain;
use super::time::Time;
use crate::console::Console;
use crate::problem::Problem;
use crate::texts::Texts;
use crate::visit::Visit;

/// Unused for so long, it stands out: whoever has it may have lost it.
const UNUSED: SignedDuration = SignedDuration::from_hours(90 * 24);

/// Ending so soon, it stands out: a new one is to be made before.
const SOON: SignedDuration = SignedDuration::from_hours(14 * 24);

/// How far back it is told how much was sent.
const WEEK: SignedDuration = SignedDuration::from_hours(7 * 24);

/// An app password, without the password.
#[derive(Debug)]
pub(crate) struct AppPasswordShown {
    pub(crate) id: String,
    pub(crate) label: String,
    /// What stands out about it, and the class of its colours.
    pub(crate) state: Option<(&'static str, String)>,
    pub(crate) last_used: Option<(Time, String)>,
    pub(crate) made: Time,
    pub(crate) ends: Option<Time>,
    /// The networks that it is limited to; empty if it is good everywhere.
    pub(crate) networks: String,
    /// The senders that it is limited to; empty if it is good for all of the account's.
    pub(crate) senders: String,
    pub(crate) cram_md5: bool,
    /// How many messages were handed in with it in the last seven days.
    pub(crate) sent: u64,
}

/// What was handed in lately with each app password, by its identifier.
#[derive(Debug)]
pub(crate) struct SentLately(HashMap<String, u64>);

impl SentLately {
    pub(crate) async fn of(console: &Console, account: &Account, now: Timestamp) -> Result<Self, Problem> {
        let since = now.saturating_sub(WEEK).unwrap_or(Timestamp::MIN);
        Ok(Self(console.desk().sent_with(account, since).await?))
    }
}

impl AppPasswordShown {
    pub(crate) fn of(view: &view::AppPassword, visit: &Visit) -> Self {
        let time = |at: Timestamp| Time::of(at, visit.now, visit.texts);
        Self {
            id: view.id.clone(),
            label: plain(&view.label),
            state: state(view, visit.now, visit.texts),
            last_used: view.last_used_at.map(|at| {
                let ip = view.last_used_ip.map(|ip| ip.to_string());
                (time(at), ip.unwrap_or_default())
            }),
            made: time(view.created_at),
            ends: view.expires_at.map(time),
            networks: listed(&view.networks),
            senders: plain(&listed(&view.senders)),
            cram_md5: view.cram_md5,
            sent: 0,
        }
    }

    /// With what was handed in with it lately.
    pub(crate) fn with(self, lately: &SentLately) -> Self {
        let sent = lately.0.get(&self.id).copied().unwrap_or_default();
        Self { sent, ..self }
    }
}

/// All of them in one line.
pub(super) fn listed(all: &[impl ToString]) -> String {
    all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn state(view: &view::AppPassword, now: Timestamp, t: Texts) -> Option<(&'static str, String)> {
    let days = |span: SignedDuration| span.as_hours() / 24;
    let unused = now.duration_since(view.last_used_at.unwrap_or(view.created_at));
    match view.expires_at.map(|end| end.duration_since(now)) {
        Some(left) if left <= SignedDuration::ZERO => Some(("bad", t.ended().to_owned())),
        Some(left) if left < SOON => Some(("wait", t.ends_in_days(days(left) + 1))),
        _ if view.last_used_at.is_none() => Some(("info", t.never_used_yet().to_owned())),
        _ if unused >= UNUSED => Some(("wait", t.unused_for_days(days(unused)))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(used_days_ago: Option<i64>, ends_in_days: Option<i64>, now: Timestamp) -> view::AppPassword {
        let day = |days: i64| SignedDuration::from_hours(24 * days);
        view::AppPassword {
            id: String::new(),
            label: String::new(),
            scopes: Vec::new(),
            networks: Vec::new(),
            senders: Vec::new(),
            cram_md5: false,
            created_at: now - day(400),
            expires_at: ends_in_days.map(|days| now + day(days)),
            last_used_at: used_days_ago.map(|days| now - day(days)),
            last_used_ip: None,
        }
    }

    #[test]
    fn what_its_owner_should_look_at_stands_out() {
        let (now, t) = (Timestamp::from_second(1_800_000_000).unwrap(), Texts::preferred("en"));
        for (used, ends, expected) in [
            (Some(0), None, None),
            (Some(89), Some(14), None),
            (Some(90), None, Some(("wait", "not used for 90 days"))),
            (None, None, Some(("info", "never used"))),
            (Some(1), Some(9), Some(("wait", "ends in 10 days"))),
            (None, Some(0), Some(("bad", "ended"))),
        ] {
            let state = state(&password(used, ends, now), now, t);
            assert_eq!(state.as_ref().map(|(class, words)| (*class, words.as_str())), expected);
        }
    }
}
