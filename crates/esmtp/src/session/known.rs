//! What a session knows of its client.

use types::EhloName;

use super::login::Login;
use crate::Introduction;

/// What a client has said of itself, what a proxy has said of it, and who it has logged in as. It is one value: another client
/// on the same connection (XCLIENT), or TLS, begins with another.
#[derive(Debug)]
pub struct KnownClient<U> {
    hello: Option<Hello>,
    /// What a proxy has said of the client, since TLS began.
    pub(super) introduction: Introduction,
    pub(super) login: Option<Login<U>>,
}

/// EHLO or HELO.
#[derive(Debug)]
struct Hello {
    name: EhloName,
    extended: bool,
}

impl<U> KnownClient<U> {
    /// A client of whom no more is known than what a proxy has said, if one has.
    pub(super) fn introduced_by(introduction: Introduction) -> Self {
        Self { hello: None, introduction, login: None }
    }

    /// The client has said EHLO, or HELO if it is not `extended`.
    pub(super) fn greets(&mut self, name: EhloName, extended: bool) {
        self.hello = Some(Hello { name, extended });
    }

    /// The name that the client gave with EHLO or HELO: to a proxy, if that has told it.
    pub fn ehlo(&self) -> Option<&EhloName> {
        self.introduction.helo.as_ref().or(self.hello.as_ref().map(|hello| &hello.name))
    }

    /// The client said EHLO, not HELO.
    pub fn extended(&self) -> bool {
        self.hello.as_ref().is_some_and(|hello| hello.extended)
    }

    /// Who has logged in, and how.
    pub fn login(&self) -> Option<&Login<U>> {
        self.login.as_ref()
    }

    /// Who has logged in.
    pub fn user(&self) -> Option<&U> {
        self.login.as_ref().map(Login::user)
    }
}
