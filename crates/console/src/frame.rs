//! What stands around every page: head, menu, foot.

use askama::Template;
use axum::response::Html;
use store::Colours;

use crate::assets::{self, Assets};
use crate::console::Console;
use crate::menu::{self, Item};
use crate::problem::Problem;
use crate::session::current::{Administration, Current};
use crate::session::form_token::FormKey;
use crate::texts::Texts;
use crate::visit::Visit;

/// What stands around a page. The model of each page has one as `frame`.
#[derive(Debug)]
pub(crate) struct Frame {
    /// The texts, in the language of the request.
    pub(crate) t: Texts,
    pub(crate) organisation: String,
    pub(crate) host: String,
    pub(crate) assets: &'static Assets,
    /// The colours that were chosen; `None` if the system chooses.
    pub(crate) theme: Option<&'static str>,
    /// Whose pages these are; `None` outside.
    pub(crate) member: Option<Member>,
    form_key: Option<FormKey>,
}

/// What is shown beside a page to whoever is signed in.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) address: String,
    /// What the menu is of.
    pub(crate) title: &'static str,
    pub(crate) menu: &'static [Item],
    /// The way to the other menu, if there is one.
    pub(crate) other: Option<Item>,
    /// The entry of the menu that this page belongs to.
    pub(crate) here: &'static str,
    /// What has just been done.
    pub(crate) flash: Option<String>,
}

impl Frame {
    /// Around a page for nobody in particular.
    pub(crate) fn outside(console: &Console, visit: &Visit) -> Self {
        let settings = &console.settings;
        let (organisation, host) = (settings.organisation.clone(), settings.base_url.host().to_owned());
        Self {
            t: visit.texts,
            organisation,
            host,
            assets: assets::all(),
            theme: None,
            member: None,
            form_key: None,
        }
    }

    /// Around a page of one's own account, which belongs to the entry of the menu with the path `here`.
    pub(crate) fn inside(console: &Console, visit: &Visit, current: &Current, here: &'static str) -> Self {
        let member = Member {
            address: current.signed_in.account.address.to_string(),
            title: visit.texts.account_menu(),
            menu: menu::ACCOUNT,
            other: (current.administration(console, visit) == Administration::Open)
                .then_some(menu::TO_ADMINISTRATION),
            here,
            flash: console.flashes.take(current.signed_in.session.id),
        };
        let theme = current.signed_in.account.preferences.colours.map(Colours::name);
        Self { member: Some(member), theme, ..Self::outside(console, visit) }
            .with_form(current.form_key.clone())
    }

    /// Around a page with forms whose tokens this makes.
    pub(crate) fn with_form(self, key: FormKey) -> Self {
        Self { form_key: Some(key), ..self }
    }

    /// Around a page of administration.
    pub(crate) fn of_administration(
        console: &Console,
        visit: &Visit,
        current: &Current,
        here: &'static str,
    ) -> Self {
        let inside = Self::inside(console, visit, current, here);
        let title = visit.texts.administration();
        let member = inside.member.map(|member| Member {
            title,
            menu: menu::ADMINISTRATION,
            other: Some(menu::TO_ACCOUNT),
            ..member
        });
        Self { member, ..inside }
    }

    /// What the hidden field of a form that is sent to this path holds.
    pub(crate) fn token(&self, path: &str) -> String {
        self.form_key.as_ref().map(|key| key.token(path)).unwrap_or_default()
    }
}

/// The page.
///
/// # Errors
/// When its template can't be filled in.
pub(crate) fn page(template: &impl Template) -> Result<Html<String>, Problem> {
    template.render().map(Html).map_err(|error| Problem::unavailable(&error))
}
