//! Who has signed in, in which browser; and what its forms are known by.

pub(crate) mod cookie;
pub(crate) mod form_token;
pub(crate) mod jar;
pub(crate) mod before;
pub(crate) mod current;
pub(crate) mod flash;
pub(crate) mod confirm;
pub(crate) mod once;
