//! The keys: master keys in their file, the root key that they seal in the store, and all that is derived from it.

pub(crate) mod keyring;
pub(crate) mod blind_digest;
pub(crate) mod scram_salt;
pub(crate) mod sealer;
mod dkim_key;
pub(crate) mod seal;
pub(crate) mod master_key;
pub(crate) mod key_file;
pub(crate) mod secret_text;
pub(crate) mod key;
