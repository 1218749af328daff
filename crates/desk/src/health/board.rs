//! What is known of the server's health, for whoever asks.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout};

use super::condition::Condition;
use super::light::{Light, LightName};
use super::state::LightState;
use crate::view::{self, Status};

/// What is known is good for so long, to whoever wants it fresh.
const FRESH: Duration = Duration::from_secs(5);

/// How long somebody who wants it fresh waits.
const PATIENCE: Duration = Duration::from_secs(5);

/// The server's health, as it is known. A clone is another handle to the same.
#[derive(Clone)]
pub struct Health(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    wanted: Notify,
    /// How often it was looked.
    looks: watch::Sender<u64>,
}

struct State {
    known: Arc<Known>,
    at: Option<Instant>,
}

/// What is known of the server.
#[derive(Debug, Clone)]
pub struct Known {
    /// The lights, in their order.
    pub lights: Vec<Light>,
    /// Whether every listener is bound, and the store takes writes.
    pub is_ready: bool,
    /// The server in figures.
    pub status: Status,
    /// What the configuration means, by its keys; secrets are not among it.
    pub configuration: Vec<(String, String)>,
    /// What to look at in the set-up, as the server has told its log.
    pub warnings: Vec<String>,
}

impl Health {
    /// Of a server of this version that starts at this moment. Nothing was looked at yet.
    #[must_use]
    pub fn of(version: &str, now: Timestamp) -> Self {
        let known = Known {
            lights: Vec::new(),
            is_ready: false,
            status: Status::of(version, now),
            configuration: Vec::new(),
            warnings: Vec::new(),
        };
        let state = Mutex::new(State { known: Arc::new(known), at: None });
        Self(Arc::new(Shared { state, wanted: Notify::new(), looks: watch::Sender::new(0) }))
    }

    /// What is known.
    #[must_use]
    pub fn known(&self) -> Arc<Known> {
        Arc::clone(&self.state().known)
    }

    /// What is known and at most a few seconds old; `None` if the server does not come to look in time.
    pub async fn fresh(&self) -> Option<Arc<Known>> {
        let mut looks = self.0.looks.subscribe();
        if self.state().at.is_some_and(|at| at.elapsed() < FRESH) {
            return Some(self.known());
        }
        self.0.wanted.notify_one();
        timeout(PATIENCE, looks.changed()).await.ok()?.ok()?;
        Some(self.known())
    }

    /// Waits until somebody wants to know it fresh.
    pub async fn wanted(&self) {
        self.0.wanted.notified().await;
    }

    /// Takes in what lights say now, and returns those that have changed with what each was before; one that was not looked at before and is good is
    /// none of them. A light of which nothing is said stays as it was.
    pub fn note(&self, conditions: Vec<(LightName, Condition)>, now: Timestamp) -> Vec<(Light, LightState)> {
        let mut state = self.state();
        let (before, mut changed) = (Arc::clone(&state.known), Vec::new());
        let mut known = Known::clone(&before);
        for (name, condition) in conditions {
            let old = before.lights.iter().find(|light| light.name == name);
            let light = lit(name, condition, old, now);
            let expected = old.map_or(LightState::Good, Light::state);
            if light.state() != expected {
                changed.push((light.clone(), old.map_or(LightState::Unknown, Light::state)));
            }
            known.lights.retain(|light| light.name != name);
            known.lights.push(light);
        }
        known.lights.sort_by_key(|light| light.name);
        known.status.lights = known.lights.iter().map(view::Light::of).collect();
        state.known = Arc::new(known);
        changed
    }

    /// Forgets a light that nobody wants any more.
    pub fn forget(&self, name: LightName) {
        let mut state = self.state();
        let mut known = Known::clone(&state.known);
        known.lights.retain(|light| light.name != name);
        known.status.lights = known.lights.iter().map(view::Light::of).collect();
        state.known = Arc::new(known);
    }

    /// Takes in the figures of a look, behind its lights, and wakes whoever waits for it.
    pub fn found(&self, status: Status, is_ready: bool) {
        let mut state = self.state();
        let before = Arc::clone(&state.known);
        let status = Status { lights: before.status.lights.clone(), ..status };
        let known = Known { status, is_ready, ..Known::clone(&before) };
        *state = State { known: Arc::new(known), at: Some(Instant::now()) };
        drop(state);
        self.0.looks.send_modify(|looks| *looks += 1);
    }

    /// Takes in the queue in figures; `None` if it could not be counted.
    pub fn counted(&self, queue: Option<view::Stats>) {
        let mut state = self.state();
        let mut known = Known::clone(&state.known);
        known.status.queue = queue;
        state.known = Arc::new(known);
    }

    /// Takes in what the configuration means, and what is to be looked at in it.
    pub fn set_up(&self, configuration: Vec<(String, String)>, warnings: Vec<String>) {
        let mut state = self.state();
        let known = Known { configuration, warnings, ..Known::clone(&state.known) };
        state.known = Arc::new(known);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing done under this lock can be left half done.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A light that says this now, since when it has been in that state.
fn lit(name: LightName, condition: Condition, old: Option<&Light>, now: Timestamp) -> Light {
    let same = old.filter(|old| old.state() == condition.kind.state());
    Light { name, condition, since: same.map_or(now, |old| old.since) }
}

impl Known {
    /// Whether all is well: everything was looked at, and nothing is broken or to be looked at.
    #[must_use]
    pub fn is_all_well(&self) -> bool {
        let is_there = |name| self.lights.iter().any(|light| light.name == name);
        let is_well = |light: &Light| light.state() == LightState::Good;
        self.lights.iter().all(is_well) && LightName::ALWAYS_THERE.into_iter().all(is_there)
    }
}

impl fmt::Debug for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Health").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::super::condition::ConditionKind;
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn note(health: &Health, kind: ConditionKind, second: i64) -> Vec<(LightState, LightState)> {
        let changed = health.note(vec![(LightName::Disk, Condition::of(kind))], at(second));
        health.found(Status { looked_at: at(second), ..Status::of("1", at(0)) }, true);
        changed.iter().map(|(light, was)| (light.state(), *was)).collect()
    }

    #[tokio::test]
    async fn a_light_is_told_of_when_its_state_changes() {
        let health = Health::of("1", at(0));
        assert_eq!(note(&health, ConditionKind::DiskGood, 1), [], "good from the start");
        let short = (LightState::Look, LightState::Good);
        assert_eq!(note(&health, ConditionKind::DiskShort, 2), [short]);
        assert_eq!(note(&health, ConditionKind::DiskSlow, 3), []);
        let known = health.known();
        assert_eq!(known.lights[0].since, at(2), "in the same state since then");
        assert_eq!(known.lights[0].condition.kind, ConditionKind::DiskSlow);
        assert_eq!(note(&health, ConditionKind::DiskGood, 4), [(LightState::Good, LightState::Look)]);
        assert_eq!(health.known().status.lights[0].since, at(4));
    }

    #[tokio::test]
    async fn all_is_well_once_everything_was_looked_at() {
        let health = Health::of("1", at(0));
        let say = |name, kind| drop(health.note(vec![(name, Condition::of(kind))], at(1)));
        for name in LightName::ALWAYS_THERE {
            assert!(!health.known().is_all_well());
            say(name, ConditionKind::DiskGood);
        }
        assert!(health.known().is_all_well());
        say(LightName::Backups, ConditionKind::BackupOld);
        assert!(!health.known().is_all_well());
    }

    #[tokio::test]
    async fn the_queue_is_counted_apart_from_a_look_and_lights_stay() {
        let health = Health::of("1", at(0));
        note(&health, ConditionKind::DiskGood, 1);
        health.counted(Some(view::Stats::of(&store::Stats::default())));
        let known = health.known();
        assert!(known.is_ready && known.status.queue.is_some() && known.status.lights.len() == 1);
    }

    #[tokio::test]
    async fn what_is_broken_from_the_start_is_told_of() {
        let health = Health::of("1", at(0));
        let broken = (LightState::Broken, LightState::Unknown);
        assert_eq!(note(&health, ConditionKind::DiskFull, 1), [broken]);
    }

    #[tokio::test(start_paused = true)]
    async fn who_wants_it_fresh_waits_for_a_look_unless_one_was_just_made() {
        let health = Health::of("1", at(0));
        assert!(health.fresh().await.is_none(), "nobody looks");
        note(&health, ConditionKind::DiskGood, 1);
        assert!(health.fresh().await.is_some());
        tokio::time::advance(FRESH).await;
        let asking = tokio::spawn({
            let health = health.clone();
            async move { health.fresh().await.map(|known| known.status.looked_at) }
        });
        health.wanted().await;
        note(&health, ConditionKind::DiskGood, 9);
        assert_eq!(asking.await.unwrap(), Some(at(9)));
    }
}
