//! What a line of the client leads to: a command, or a response to a challenge.

use bytes::BytesMut;

use super::anytime;
use super::context::{Closed, Context};
use super::phase::Phase;
use super::ready::Ready;
use super::state::{ExpectCommand, ExpectLine, ExpectResponse, Next, State, Step};
use crate::command::{Command, Ordered, SyntaxError, begins_auth, is_rcpt};
use crate::limits::{AUTH_LINE, COMMAND_LINE};
use crate::line::{Flood, Line};
use crate::reply::{self, Reply};

impl<U, M> ExpectLine<U, M> {
    /// Takes the next line, once all of it has come.
    pub(super) fn take(self, input: &mut BytesMut, cx: &mut Context<U>) -> Result<Step<U, M>, Closed> {
        match cx.lines.skip_refused(input) {
            Ok(false) => {}
            Ok(true) => return Ok(self.wait()),
            Err(Flood) => return Err(cx.close(&reply::TOO_MANY_ERRORS)),
        }
        let is_auth = matches!(self, Self::Response(_)) || begins_auth(input);
        let limit = if is_auth { AUTH_LINE } else { COMMAND_LINE };
        let Some(line) = cx.lines.next(input, limit) else { return Ok(self.wait()) };
        let last_of_input = input.is_empty();
        let next = match line {
            Line::Whole(line) => self.on_line(&line, last_of_input, cx),
            Line::TooLong if is_auth => cx.fault(&reply::AUTH_LINE_TOO_LONG, self.without_exchange()),
            Line::TooLong => cx.fault(&reply::LINE_TOO_LONG, self.without_exchange()),
            Line::BareLineEnd => cx.fault(&reply::BARE_LINE_END, self.without_exchange()),
        };
        next.map(Step::Next)
    }

    fn wait(self) -> Step<U, M> {
        let phase = match &self {
            Self::Command(command) => command.phase(),
            Self::Response(_) => Phase::Exchange,
        };
        Step::Wait(State::Line(self), phase)
    }

    fn on_line(self, line: &[u8], last_of_input: bool, cx: &mut Context<U>) -> Next<U, M> {
        match self {
            Self::Command(state) => state.on_line(line, last_of_input, cx),
            // Blanks behind a response are none of it.
            Self::Response(state) => state.on_line(line.trim_ascii_end(), last_of_input, cx),
        }
    }

    /// A line that can't be read ends the exchange that it belonged to.
    fn without_exchange(self) -> State<U, M> {
        match self {
            Self::Command(state) => state.into(),
            Self::Response(_) => Ready.into(),
        }
    }
}

impl<U> ExpectResponse<U> {
    fn on_line<M>(self, line: &[u8], last_of_input: bool, cx: &mut Context<U>) -> Next<U, M> {
        match self {
            Self::Exchange(exchange) => exchange.on_line(line, last_of_input, cx),
            Self::LastWord(last_word) => last_word.on_line(line, cx),
        }
    }
}

impl<M> ExpectCommand<M> {
    fn phase(&self) -> Phase {
        match self {
            Self::Greeted(_) | Self::Ready(_) => Phase::Command,
            Self::Transaction(_) | Self::Chunked(_) => Phase::Transaction,
        }
    }

    fn on_line<U>(self, line: &[u8], last_of_input: bool, cx: &mut Context<U>) -> Next<U, M> {
        let command = Command::parse(line);
        cx.count_command(&command)?;
        let is_first = cx.begin_line();
        match command {
            Ok(Command::Anytime(command)) => anytime::on(self, command, cx),
            Ok(Command::Ordered(command)) => self.on(command, last_of_input, cx),
            // A first line that is no command comes from no mail client: a browser made to talk to us, or a scanner.
            Err(SyntaxError::UnknownCommand) if is_first && !line.is_empty() => {
                Err(cx.close(&Reply::from(SyntaxError::Foreign)))
            }
            Err(error) => self.on_unreadable(line, error, cx),
        }
    }

    /// A command that has its place in an order.
    fn on<U>(self, command: Ordered, last_of_input: bool, cx: &mut Context<U>) -> Next<U, M> {
        match self {
            Self::Greeted(greeted) => greeted.on(command, last_of_input, cx),
            Self::Ready(ready) => ready.on(command, last_of_input, cx),
            Self::Transaction(transaction) => transaction.on(command, last_of_input, cx),
            Self::Chunked(chunked) => chunked.on(command, cx),
        }
    }

    fn on_unreadable<U>(self, line: &[u8], error: SyntaxError, cx: &mut Context<U>) -> Next<U, M> {
        let reply = Reply::from(error);
        // Where a chunk ends is unknown, so what follows can't be told from commands.
        if matches!(error, SyntaxError::Foreign | SyntaxError::BadChunkSize) {
            return Err(cx.close(&reply));
        }
        match self {
            // It is a recipient that is refused.
            Self::Transaction(transaction) if is_rcpt(line) => transaction.refuse_recipient(&reply, cx),
            state @ (Self::Greeted(_) | Self::Ready(_) | Self::Transaction(_) | Self::Chunked(_)) => {
                cx.fault(&reply, state.into())
            }
        }
    }
}
