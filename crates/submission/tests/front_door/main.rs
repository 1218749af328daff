//! The server as its clients meet it: over sockets, in one process.

#![cfg(test)]

mod client;
mod house;

mod greeting;
mod bound_first;
mod tls;
mod certificates;
mod live;
mod mail;
mod handlers;
mod hooks;
mod smtp_server_auth;
mod optional_login;
mod limits;
mod proxy;
mod xclient;
mod deadlines;
mod shutdown;
mod log;
