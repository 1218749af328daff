//! How the server is: every light with what to do, where it listens, its certificate, its store, its keys, and what its configuration means.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Html;
use axum::routing::on;
use desk::view::{MasterKey, MasterKeyState};

use crate::console::Console;
use crate::frame::{Frame, page};
use crate::lights::ShownLight;
use crate::problem::Problem;
use crate::right::{Right, Route};
use crate::session::current::Current;
use crate::shown::bytes::size;
use crate::shown::time::Time;
use crate::texts::Texts;
use crate::visit::Visit;

const PATH: &str = "/admin/health";

pub(crate) const ROUTES: &[Route] = &[Route::get(PATH, Right::Admin, |method| on(method, show))];

#[derive(Template)]
#[template(path = "admin/health.html")]
struct Page {
    frame: Frame,
    lights: Vec<ShownLight>,
    is_all_well: bool,
    warnings: Vec<String>,
    version: String,
    started: Time,
    listeners: Vec<String>,
    certificate: Option<(Time, String)>,
    databases: Vec<(String, String)>,
    /// What is free on the disk, and what there is in all.
    disk: Option<(String, String)>,
    keys: Vec<Key>,
    configuration: Vec<(String, String)>,
}

/// A master key, as the page has it.
struct Key {
    number: u32,
    state: &'static str,
    secrets: u64,
}

impl Key {
    fn of(key: &MasterKey, t: Texts) -> Self {
        let state = match key.state {
            MasterKeyState::Staged => t.key_is_staged(),
            MasterKeyState::Active => t.key_is_active(),
            MasterKeyState::Old => t.key_is_old(),
            MasterKeyState::Missing => t.key_is_missing(),
        };
        Self { number: key.key, state, secrets: key.secrets }
    }
}

async fn show(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
) -> Result<Html<String>, Problem> {
    let health = &console.watched.health;
    let known = match health.fresh().await {
        Some(known) => known,
        None => health.known(),
    };
    let (t, status) = (visit.texts, &known.status);
    let time = |at| Time::of(at, visit.now, t);
    let keys = console.desk().master_keys().await?;
    let certificate = status.certificate.as_ref();
    let disk = status.store.disk_free.zip(status.store.disk_total);
    let databases = status.store.databases.iter().map(|one| (one.name.clone(), size(one.octets)));
    page(&Page {
        frame: Frame::of_administration(&console, &visit, &current, PATH),
        lights: known.lights.iter().map(|light| ShownLight::of(light, visit.now, t)).collect(),
        is_all_well: known.is_all_well(),
        warnings: known.warnings.clone(),
        version: status.version.clone(),
        started: time(status.started_at),
        listeners: status.listeners.iter().map(|one| format!("{}/{}", one.address, one.protocol)).collect(),
        certificate: certificate.map(|one| (time(one.not_after), one.names.join(", "))),
        databases: databases.collect(),
        disk: disk.map(|(free, total)| (size(free), size(total))),
        keys: keys.iter().map(|key| Key::of(key, t)).collect(),
        configuration: known.configuration.clone(),
    })
}
