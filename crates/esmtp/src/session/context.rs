//! What outlives the states of a session: settings, what is known of the client, the counts, and the output. Nothing here
//! knows of states.

use std::sync::Arc;

use bytes::BytesMut;
use sasl::ChannelBindings;

use super::known::KnownClient;
use super::tally::Tally;
use crate::Settings;
use crate::capability::Capabilities;
use crate::channel::Channel;
use crate::command::{Command, SyntaxError};
use crate::introduction::{Introduction, Xclient};
use crate::line::LineReader;
use crate::proof::Durable;
use crate::reply::{self, Reply};

#[derive(Debug)]
pub(super) struct Context<U> {
    pub(super) settings: Arc<Settings>,
    pub(super) channel: Channel,
    pub(super) client: KnownClient<U>,
    pub(super) lines: LineReader,
    pub(super) output: BytesMut,
    has_read_a_line: bool,
    tally: Tally,
}

/// The last reply is said, and the connection closes behind it.
#[derive(Debug)]
pub(super) struct Closed;

impl<U> Context<U> {
    pub(super) fn new(settings: Arc<Settings>, channel: Channel) -> Self {
        Self {
            settings,
            channel,
            client: KnownClient::introduced_by(Introduction::default()),
            lines: LineReader::default(),
            output: BytesMut::new(),
            has_read_a_line: false,
            tally: Tally::default(),
        }
    }

    pub(super) fn capabilities(&self) -> Capabilities<'_> {
        Capabilities::of(&self.settings, &self.channel, self.client.login.is_some())
    }

    /// The client may hand in mail: it has logged in, or need not.
    pub(super) fn may_send(&self) -> bool {
        self.capabilities().takes_mail()
    }

    /// Begins to read a line, and says whether it is the first.
    pub(super) fn begin_line(&mut self) -> bool {
        !std::mem::replace(&mut self.has_read_a_line, true)
    }

    /// The client is another. What was granted to the one before is gone, and also what the proxy has for itself alone; what
    /// was counted stays, or XCLIENT would be a way around the limits of a connection.
    pub(super) fn introduce(&mut self, introduction: Introduction) {
        self.channel.bindings = ChannelBindings::default();
        self.channel.client_certificate = false;
        self.channel.login_is_optional = false;
        if introduction.is_complete {
            self.channel.xclient = Xclient::Said;
        }
        self.client = KnownClient::introduced_by(introduction);
    }

    pub(super) fn greet(&mut self) {
        Reply::greeting(&self.settings.hostname, &self.settings.greeting).write(&mut self.output);
    }

    pub(super) fn list_capabilities(&mut self) {
        let logged_in = self.client.login.is_some();
        Capabilities::of(&self.settings, &self.channel, logged_in).write(&mut self.output);
    }

    pub(super) fn say(&mut self, reply: &Reply) {
        reply.write(&mut self.output);
    }

    /// Says the reply and goes on with `next`, unless the reply closes.
    pub(super) fn say_then<N>(&mut self, reply: &Reply, next: N) -> Result<N, Closed> {
        self.say(reply);
        if reply.closes() { Err(Closed) } else { Ok(next) }
    }

    /// Says the reply and closes.
    pub(super) fn close(&mut self, reply: &Reply) -> Closed {
        self.say(reply);
        Closed
    }

    /// Says the reply to a client's error, or to what is refused, and goes on with `next`, unless it is one too many in a row.
    pub(super) fn fault<N>(&mut self, reply: &Reply, next: N) -> Result<N, Closed> {
        let may_send = self.may_send();
        let too_many = self.tally.count_error(may_send);
        let next = self.say_then(reply, next)?;
        if too_many { Err(self.close(&reply::TOO_MANY_ERRORS)) } else { Ok(next) }
    }

    /// So many errors count no more.
    pub(super) fn forgive(&mut self, errors: u32) {
        self.tally.forgive(errors);
    }

    /// Says that a mechanism is not offered, and goes on with `next`, unless it is one too many.
    pub(super) fn decline_mechanism<N>(&mut self, next: N) -> Result<N, Closed> {
        self.say(&reply::UNKNOWN_MECHANISM);
        let too_many = self.tally.count_unknown_mechanism();
        if too_many {
            return Err(self.close(&reply::TOO_MANY_ERRORS));
        }
        Ok(next)
    }

    /// Says the reply to a failed login, and goes on with `next`, unless it is one too many.
    pub(super) fn fail_login<N>(&mut self, reply: &Reply, next: N) -> Result<N, Closed> {
        self.say(reply);
        let too_many = self.tally.count_failed_login(&self.settings);
        if too_many {
            return Err(self.close(&reply::TOO_MANY_FAILURES));
        }
        Ok(next)
    }

    /// Counts a command of a client that has to log in.
    ///
    /// # Errors
    /// When it is one too many.
    pub(super) fn count_command(&mut self, command: &Result<Command, SyntaxError>) -> Result<(), Closed> {
        let too_many = !self.may_send() && self.tally.count_command(command, &self.settings);
        if too_many {
            return Err(self.close(&reply::TOO_MANY_COMMANDS));
        }
        Ok(())
    }

    /// Counts a command that brings no message nearer.
    ///
    /// # Errors
    /// When it is one too many. A client that has to log in has another limit.
    pub(super) fn count_idle_command(&mut self) -> Result<(), Closed> {
        let too_many = self.tally.count_idle_command();
        if too_many && self.may_send() {
            return Err(self.close(&reply::TOO_MANY_IDLE_COMMANDS));
        }
        Ok(())
    }

    /// Counts an XCLIENT, which might otherwise go on for ever: it leads back to before the login.
    ///
    /// # Errors
    /// When it is one too many.
    pub(super) fn count_introduction(&mut self) -> Result<(), Closed> {
        let too_many = self.tally.count_idle_command();
        if too_many {
            return Err(self.close(&reply::TOO_MANY_IDLE_COMMANDS));
        }
        Ok(())
    }

    /// As many messages were accepted as there may be.
    pub(super) fn has_all_messages(&self) -> bool {
        self.tally.has_all_messages(self.capabilities().messages())
    }

    /// A message is on stable storage: 250.
    pub(super) fn accept(&mut self, message: &Durable) {
        self.tally.count_message();
        self.say(&Reply::queued(message));
    }
}
