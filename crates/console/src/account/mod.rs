//! The pages of one's own account.

pub(crate) mod overview;
pub(crate) mod messages;
pub(crate) mod app_passwords;
pub(crate) mod new_app_password;
pub(crate) mod apple_profile;
pub(crate) mod devices;
pub(crate) mod new_device;
pub(crate) mod second_factor;
pub(crate) mod password;
pub(crate) mod sign_ins;
pub(crate) mod was_that_you;
pub(crate) mod sessions;
pub(crate) mod tokens;
pub(crate) mod new_token;
pub(crate) mod certificates;
pub(crate) mod settings;
