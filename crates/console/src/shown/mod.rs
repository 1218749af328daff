//! How values are shown to people.

pub(crate) mod bytes;
pub(crate) mod hours;
pub(crate) mod strangers;
pub(crate) mod action;
pub(crate) mod place;
pub(crate) mod sign_in;
pub(crate) mod state;
pub(crate) mod time;
pub(crate) mod app_password;
pub(crate) mod api_token;
pub(crate) mod scope;
pub(crate) mod password_once;
pub(crate) mod device_link;
pub(crate) mod invitation;
pub(crate) mod qr;
pub(crate) mod seed;
pub(crate) mod pasted;
pub(crate) mod mail_settings;
pub(crate) mod reply;
