//! A new app password, which is shown once, and all that a mail program needs beside it.

use desk::{ClientSettings, view};
use store::Account;
use zeroize::Zeroizing;

use crate::console::Console;
use crate::shown::strangers::plain;

/// A new app password, and all that a mail program needs beside it.
pub(crate) struct PasswordOnce {
    pub(crate) label: String,
    pub(crate) groups: Vec<Zeroizing<String>>,
    pub(crate) letters: Zeroizing<String>,
    pub(crate) address: String,
    pub(crate) server: ClientSettings,
    /// Where it goes on from here, if anywhere.
    pub(crate) behind: Option<String>,
}

impl PasswordOnce {
    /// This app password of this account.
    pub(crate) fn of(
        console: &Console,
        view: &view::NewAppPassword,
        account: &Account,
        behind: Option<String>,
    ) -> Self {
        Self {
            label: plain(&view.app_password.label),
            groups: view.grouped.split(' ').map(|group| Zeroizing::new(group.to_owned())).collect(),
            letters: view.password.clone(),
            address: account.address.to_string(),
            server: console.desk().client_settings(),
            behind,
        }
    }
}
