//! What a client has used up of the session's patience.

use crate::Settings;
use crate::command::{Anytime, Command, Ordered, SyntaxError};
use crate::limits::{ERRORS_BEFORE_LOGIN, ERRORS_IN_A_ROW, IDLE_COMMANDS, UNKNOWN_MECHANISMS};

/// The counts of one connection. Neither a login nor XCLIENT sets them back, or they would be ways around the limits.
#[derive(Debug, Default)]
pub(super) struct Tally {
    commands_before_login: u32,
    /// Since a message was accepted.
    errors: u32,
    failed_logins: u32,
    unknown_mechanisms: u32,
    idle_commands: u32,
    messages: u32,
}

impl Tally {
    /// Counts a command of a client that may not send, and says whether it is one too many. AUTH is what such a client is here for,
    /// and QUIT what we want it to do.
    pub(super) fn count_command(
        &mut self,
        command: &Result<Command, SyntaxError>,
        settings: &Settings,
    ) -> bool {
        if matches!(command, Ok(Command::Ordered(Ordered::Auth { .. }) | Command::Anytime(Anytime::Quit))) {
            return false;
        }
        self.commands_before_login += 1;
        settings.max_unauthenticated_commands.is_some_and(|limit| self.commands_before_login > limit)
    }

    /// Counts a command that brings no message nearer, and says whether it is one too many.
    pub(super) fn count_idle_command(&mut self) -> bool {
        self.idle_commands += 1;
        self.idle_commands > IDLE_COMMANDS
    }

    /// Counts an error or a refusal, and says whether it is one too many.
    pub(super) fn count_error(&mut self, may_send: bool) -> bool {
        self.errors += 1;
        self.errors >= if may_send { ERRORS_IN_A_ROW } else { ERRORS_BEFORE_LOGIN }
    }

    /// So many errors count no more.
    pub(super) fn forgive(&mut self, errors: u32) {
        self.errors = self.errors.saturating_sub(errors);
    }

    /// Counts a mechanism that is not offered, and says whether it is one too many.
    pub(super) fn count_unknown_mechanism(&mut self) -> bool {
        self.unknown_mechanisms += 1;
        self.unknown_mechanisms >= UNKNOWN_MECHANISMS
    }

    /// Counts a failed login, and says whether it is one too many.
    pub(super) fn count_failed_login(&mut self, settings: &Settings) -> bool {
        self.failed_logins += 1;
        self.failed_logins >= settings.max_failures
    }

    /// A message was accepted.
    pub(super) fn count_message(&mut self) {
        self.messages += 1;
        (self.errors, self.idle_commands) = (0, 0);
    }

    /// As many messages were accepted as there may be.
    pub(super) fn has_all_messages(&self, most: u32) -> bool {
        self.messages >= most
    }
}
