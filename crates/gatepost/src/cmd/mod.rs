//! The subcommands, one file each, in the order in which somebody new meets them.

pub(crate) mod hint;

pub(crate) mod demo;

pub(crate) mod serve;

pub(crate) mod check;

pub(crate) mod status;

pub(crate) mod user;
pub(crate) mod webhook;

pub(crate) mod app_password;

pub(crate) mod certificate;

pub(crate) mod token;
pub(crate) mod totp;

pub(crate) mod invite;

pub(crate) mod session;

pub(crate) mod identity;

pub(crate) mod throttle;

pub(crate) mod audit;

pub(crate) mod auth;

pub(crate) mod key;

pub(crate) mod nodes;

pub(crate) mod dkim;

pub(crate) mod dns;

pub(crate) mod queue;

pub(crate) mod message;

pub(crate) mod web;

pub(crate) mod store;

pub(crate) mod send;

pub(crate) mod completions;

pub(crate) mod man;
