//! What outlives a state: settings, what is known of the client, the counts, and the output.

use std::sync::Arc;

use bytes::BytesMut;
use types::EhloName;

use super::State;
use super::ready::Ready;
use crate::capability::Capabilities;
use crate::channel::Channel;
use crate::command::{Anytime, Command, Ordered, SyntaxError};
use crate::introduction::{Introduction, Xclient};
use crate::limits::{ERRORS_BEFORE_LOGIN, ERRORS_IN_A_ROW, IDLE_COMMANDS, UNKNOWN_MECHANISMS};
use crate::line::LineReader;
use crate::reply::{self, Rejection, Reply};
use crate::{Durable, Settings};

#[derive(Debug)]
pub(super) struct Context {
    pub(super) settings: Arc<Settings>,
    pub(super) channel: Channel,
    pub(super) ehlo: Option<EhloName>,
    pub(super) extended: bool,
    pub(super) authenticated: bool,
    /// What a proxy has said of the client, since TLS began.
    pub(super) introduction: Introduction,
    pub(super) is_first_line: bool,
    pub(super) lines: LineReader,
    pub(super) output: BytesMut,
    /// Text of a message was passed on that is to be dropped.
    discard: bool,
    tally: Tally,
}

/// What a client has used up of its patience with us.
#[derive(Debug, Default)]
struct Tally {
    unauthenticated_commands: u32,
    /// Since a message was accepted.
    errors: u32,
    failures: u32,
    unknown_mechanisms: u32,
    idle_commands: u32,
    messages: u32,
}

impl Context {
    pub(super) fn new(settings: Arc<Settings>, channel: Channel) -> Self {
        Self {
            settings,
            channel,
            ehlo: None,
            extended: false,
            authenticated: false,
            introduction: Introduction::default(),
            is_first_line: true,
            lines: LineReader::default(),
            output: BytesMut::new(),
            discard: false,
            tally: Tally::default(),
        }
    }

    pub(super) fn capabilities(&self) -> Capabilities<'_> {
        Capabilities::of(&self.settings, &self.channel)
    }

    pub(super) fn is_under_tls(&self) -> bool {
        self.channel.tls.is_some()
    }

    /// The client may hand in mail: it has logged in, or need not.
    fn may_send(&self) -> bool {
        self.authenticated || self.channel.login_is_optional
    }

    /// Why a command for a mail transaction can't be had before login, if it is one and the client has to log in.
    pub(super) fn refusal_before_login(&self, command: &Ordered) -> Option<Reply> {
        match command {
            Ordered::StartTls | Ordered::Auth { .. } | Ordered::Xclient(_) => None,
            Ordered::Mail(..) | Ordered::Rcpt(_) | Ordered::Data | Ordered::Bdat { .. }
                if self.may_send() =>
            {
                None
            }
            Ordered::Mail(..) | Ordered::Rcpt(_) | Ordered::Data | Ordered::Bdat { .. } => {
                Some(if !self.capabilities().auth() && self.capabilities().starttls() {
                    reply::STARTTLS_FIRST
                } else if self.ehlo.is_none() {
                    reply::EHLO_FIRST
                } else {
                    Reply::authentication_required(&self.settings.required_message)
                })
            }
        }
    }

    /// Counts the command. AUTH is what a client is here for, and QUIT what we want it to do.
    pub(super) fn is_one_command_too_many(&mut self, command: &Result<Command, SyntaxError>) -> bool {
        if self.may_send()
            || matches!(command, Ok(Command::Ordered(Ordered::Auth { .. }) | Command::Anytime(Anytime::Quit)))
        {
            return false;
        }
        self.tally.unauthenticated_commands += 1;
        self.settings
            .max_unauthenticated_commands
            .is_some_and(|limit| self.tally.unauthenticated_commands > limit)
    }

    /// Counts a command that brings no message nearer.
    pub(super) fn is_one_idle_command_too_many(&mut self) -> bool {
        self.tally.idle_commands += 1;
        self.may_send() && self.tally.idle_commands > IDLE_COMMANDS
    }

    /// The same for XCLIENT, which might otherwise go on for ever: it leads back to before the login.
    pub(super) fn is_one_introduction_too_many(&mut self) -> bool {
        self.tally.idle_commands += 1;
        self.tally.idle_commands > IDLE_COMMANDS
    }

    /// The client is another. What was granted to the one before is gone, and also what the proxy has for itself alone; what
    /// was counted stays, or XCLIENT would be a way around the limits of a connection.
    pub(super) fn begin_again(&mut self, introduction: Introduction) {
        self.ehlo = None;
        self.extended = false;
        self.authenticated = false;
        self.channel.client_certificate = false;
        self.channel.login_is_optional = false;
        if introduction.is_complete {
            self.channel.xclient = Xclient::Said;
        }
        self.introduction = introduction;
    }

    /// As many messages were accepted as there may be.
    pub(super) fn has_sent_enough(&self) -> bool {
        self.tally.messages >= self.settings.messages_per_connection
    }

    pub(super) fn greet(&mut self) {
        Reply::greeting(&self.settings.hostname, &self.settings.greeting).write(&mut self.output);
    }

    pub(super) fn list_capabilities(&mut self) {
        Capabilities::of(&self.settings, &self.channel).write(&mut self.output);
    }

    pub(super) fn say(&mut self, reply: &Reply) {
        reply.write(&mut self.output);
    }

    /// Says the reply and goes on with `next`, or closes where the reply says so.
    pub(super) fn say_then(&mut self, reply: &Reply, next: State) -> State {
        self.say(reply);
        if reply.closes() { State::Closing } else { next }
    }

    /// Says the reply and closes.
    pub(super) fn close(&mut self, reply: &Reply) -> State {
        self.say(reply);
        State::Closing
    }

    /// Says the reply to a client's error, or to what is refused, and closes if it is one too many in a row.
    pub(super) fn fault(&mut self, reply: &Reply, next: State) -> State {
        self.tally.errors += 1;
        let limit = if self.may_send() { ERRORS_IN_A_ROW } else { ERRORS_BEFORE_LOGIN };
        let next = self.say_then(reply, next);
        if self.tally.errors >= limit && !matches!(next, State::Closing) {
            return self.close(&reply::TOO_MANY_ERRORS);
        }
        next
    }

    /// So many errors count no more.
    pub(super) fn forgive(&mut self, errors: u32) {
        self.tally.errors = self.tally.errors.saturating_sub(errors);
    }

    /// Says that a mechanism is not offered, and closes if it is one too many.
    pub(super) fn decline_mechanism(&mut self, next: State) -> State {
        self.tally.unknown_mechanisms += 1;
        self.say(&reply::UNKNOWN_MECHANISM);
        if self.tally.unknown_mechanisms >= UNKNOWN_MECHANISMS {
            return self.close(&reply::TOO_MANY_ERRORS);
        }
        next
    }

    /// Says the reply to a failed login, and closes if it is one too many.
    pub(super) fn fail_login(&mut self, reply: &Reply, next: State) -> State {
        self.tally.failures += 1;
        self.say(reply);
        if self.tally.failures >= self.settings.max_failures {
            return self.close(&reply::TOO_MANY_FAILURES);
        }
        next
    }

    pub(super) fn on_commit(&mut self, verdict: Result<Durable, Rejection>) -> State {
        match verdict {
            Ok(message) => {
                self.tally.messages += 1;
                (self.tally.errors, self.tally.idle_commands) = (0, 0);
                self.say_then(&Reply::queued(&message), State::Ready(Ready))
            }
            Err(rejection) => self.fault(&Reply::from(&rejection), State::Ready(Ready)),
        }
    }

    /// What was passed on of the message under way is to be dropped.
    pub(super) fn discard(&mut self) {
        self.discard = true;
    }

    pub(super) fn take_discard(&mut self) -> bool {
        std::mem::take(&mut self.discard)
    }
}
