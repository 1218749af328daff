//! A new app password, which is shown once, and all that a mail program needs beside it.

use desk::view;
use store::Account;
use zeroize::Zeroizing;

use crate::clients::apple;
use crate::console::Console;
use crate::shown::mail_settings::MailSettings;
use crate::shown::strangers::plain;

/// A new app password, and all that a mail program needs beside it.
pub(crate) struct PasswordOnce {
    pub(crate) label: String,
    pub(crate) groups: Vec<Zeroizing<String>>,
    pub(crate) letters: Zeroizing<String>,
    pub(crate) settings: MailSettings,
    /// The profile for Apple's devices, if there is one for this account.
    pub(crate) profile: Option<Profile>,
    /// Where it goes on from here, if anywhere.
    pub(crate) behind: Option<String>,
}

/// A profile that can be had with the letters of the app password.
pub(crate) struct Profile {
    /// Where the letters are sent to.
    pub(crate) path: String,
    pub(crate) is_signed: bool,
}

impl PasswordOnce {
    /// This app password of this account, whose profile is at this path, if whoever sees it may have one.
    pub(crate) fn of(
        console: &Console,
        view: &view::NewAppPassword,
        account: &Account,
        profile: Option<String>,
        behind: Option<String>,
    ) -> Self {
        let (desk, address) = (console.desk(), &account.address);
        let settings = desk.client_settings();
        let discovery = address.host().domain().and_then(|domain| settings.discovery_of(domain));
        let profile = profile.filter(|_| apple::is_there(settings, address));
        Self {
            label: plain(&view.app_password.label),
            groups: view.grouped.split(' ').map(|group| Zeroizing::new(group.to_owned())).collect(),
            letters: view.password.clone(),
            settings: MailSettings::of(settings, discovery, Some(address.to_string())),
            profile: profile.map(|path| Profile { path, is_signed: apple::is_signed(console) }),
            behind,
        }
    }
}
