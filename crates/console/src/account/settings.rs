//! What the owner of an account chooses for it: its name, how long a message can be taken back, and how pages are shown.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::on;
use desk::Trouble;
use store::{Account, Colours, OwnSettings, Preferences};

use crate::console::Console;
use crate::fields::Fields;
use crate::frame::{Frame, page};
use crate::label::is_line;
use crate::problem::Problem;
use crate::right::{Right, Route};
use crate::session::current::Current;
use crate::texts::{Language, Texts, Zone};
use crate::visit::Visit;

pub(crate) const PATH: &str = "/account/settings";

pub(crate) const ROUTES: &[Route] = &[
    Route::get(PATH, Right::SignedIn, |method| on(method, show)),
    Route::post(PATH, Right::SignedIn, |method| on(method, change)),
];

/// The times that a message can be taken back, in seconds, as far as the operator allows them.
const UNDO: [u64; 5] = [0, 10, 20, 30, 60];

/// A choice of a list: its value, its words, and whether it is chosen.
type Choice = (String, String, bool);

#[derive(Template)]
#[template(path = "account/settings.html")]
struct Form {
    frame: Frame,
    name: String,
    wrong: Option<&'static str>,
    undo: Vec<Choice>,
    languages: Vec<Choice>,
    zones: Vec<Choice>,
    colours: Vec<Choice>,
}

async fn show(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
) -> Result<Response, Problem> {
    form(&console, &visit, &current, &chosen(&current.signed_in.account), None)
}

/// What an account has now.
fn chosen(account: &Account) -> OwnSettings {
    let Account { name, undo, preferences, .. } = account.clone();
    OwnSettings { name, undo, preferences }
}

fn form(
    console: &Console,
    visit: &Visit,
    current: &Current,
    chosen: &OwnSettings,
    wrong: Option<&'static str>,
) -> Result<Response, Problem> {
    let (t, preferences) = (visit.texts, &chosen.preferences);
    let html = page(&Form {
        frame: Frame::inside(console, visit, current, PATH),
        name: chosen.name.clone().unwrap_or_default(),
        wrong,
        undo: undo_choices(chosen.undo, console.desk().undo_max(), t),
        languages: of_all(
            t.as_the_browser(),
            Language::ALL.map(|one| (one.code().to_owned(), one.name().to_owned())),
            preferences.language.as_deref(),
        ),
        zones: of_all(
            "UTC",
            Zone::all().map(|zone| (zone.to_owned(), zone.replace('_', " "))),
            preferences.time_zone.as_deref(),
        ),
        colours: of_all(
            t.as_the_system(),
            Colours::ALL.map(|colours| (colours.name().to_owned(), words(colours, t).to_owned())),
            preferences.colours.map(Colours::name),
        ),
    })?;
    let status = if wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Ok((status, html).into_response())
}

fn words(colours: Colours, t: Texts) -> &'static str {
    match colours {
        Colours::Light => t.light(),
        Colours::Dark => t.dark(),
    }
}

/// Each of these, behind the choice to leave it to somebody else.
fn of_all(none: &str, all: impl IntoIterator<Item = (String, String)>, chosen: Option<&str>) -> Vec<Choice> {
    let first = (String::new(), none.to_owned(), chosen.is_none());
    let rest = all.into_iter().map(|(value, words)| {
        let is_chosen = chosen == Some(&value);
        (value, words, is_chosen)
    });
    std::iter::once(first).chain(rest).collect()
}

/// Up to what the operator allows, and what is chosen now, whatever that is.
fn undo_choices(chosen: Option<Duration>, most: Duration, t: Texts) -> Vec<Choice> {
    let chosen = chosen.map(|chosen| chosen.as_secs());
    let mut all: Vec<u64> = UNDO.into_iter().filter(|seconds| *seconds <= most.as_secs()).collect();
    all.extend(chosen.filter(|seconds| !UNDO.contains(seconds)));
    all.sort_unstable();
    let words = |seconds| if seconds == 0 { t.not_at_all().to_owned() } else { t.seconds(seconds) };
    let all = all.into_iter().map(|seconds| (seconds.to_string(), words(seconds)));
    of_all(t.as_the_server(), all, chosen.map(|seconds| seconds.to_string()).as_deref())
}

async fn change(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    fields: Fields,
) -> Result<Response, Problem> {
    let settings = read(&fields).ok_or(Problem::NotFound)?;
    if settings.name.as_deref().is_some_and(|name| !is_line(name)) {
        return form(&console, &visit, &current, &settings, Some(visit.texts.name_is_no_line()));
    }
    let account = &current.signed_in.account;
    match console.desk().choose_settings(&current.act(&visit), account, &settings).await {
        Ok(()) => {}
        // No form of ours has it.
        Err(Trouble::UndoTooLong { .. }) => return Err(Problem::NotFound),
        Err(other) => return Err(other.into()),
    }
    let texts = visit.texts.for_owner(&settings.preferences);
    console.flashes.say(current.signed_in.session.id, texts.settings_are_kept().to_owned());
    Ok(Redirect::to(PATH).into_response())
}

/// What was chosen; `None` if it is none of what there is to choose.
fn read(fields: &Fields) -> Option<OwnSettings> {
    let text = |name| Some(fields.text(name)).filter(|text| !text.is_empty());
    let undo = text("undo").map(|text| text.parse().map(Duration::from_secs)).transpose().ok()?;
    let language = match text("language") {
        Some(code) => Some(Language::of_code(code)?.code().to_owned()),
        None => None,
    };
    let time_zone = match text("time_zone") {
        Some(name) => Some(Zone::named(name)?.name().to_owned()),
        None => None,
    };
    let colours = match text("colours") {
        Some(name) => Some(Colours::from_name(name)?),
        None => None,
    };
    let preferences = Preferences { language, time_zone, colours };
    Some(OwnSettings { name: text("name").map(str::to_owned), undo, preferences })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_can_be_taken_back_as_long_as_the_operator_allows() {
        let t = Texts::preferred("en");
        let values = |chosen, most| {
            let choices = undo_choices(chosen, Duration::from_secs(most), t);
            choices.into_iter().map(|(value, _, is_chosen)| (value, is_chosen)).collect::<Vec<_>>()
        };
        let expected = |all: &[(&str, bool)]| {
            all.iter().map(|(value, is_chosen)| ((*value).to_owned(), *is_chosen)).collect::<Vec<_>>()
        };
        assert_eq!(values(None, 20), expected(&[("", true), ("0", false), ("10", false), ("20", false)]));
        let odd = Some(Duration::from_secs(15));
        assert_eq!(values(odd, 10), expected(&[("", false), ("0", false), ("10", false), ("15", true)]));
    }
}
