//! How far it has come, on stderr: a bar on a terminal that can draw one, a line for each recipient elsewhere.

use std::io::{self, Write as _};

use super::fate::{Fate, State};
use crate::output::{Look, beginning, colour, harmless};

/// Characters of the bar, and of the address beside it.
const BAR: usize = 30;
const ADDRESS: usize = 28;

/// The progress of a run.
#[derive(Debug)]
pub(crate) struct Progress {
    /// All messages.
    messages: usize,
    done: usize,
    bar: bool,
}

impl Progress {
    /// Of so many messages. One that may have no colours, or is no terminal, gets no bar either: that needs escape sequences, too.
    pub(crate) fn new(messages: usize) -> Progress {
        Progress { messages, done: 0, bar: messages > 1 && colour(&io::stderr()) }
    }

    /// A message is begun, to this recipient among others.
    pub(crate) fn begin(&self, address: &str) {
        if self.bar {
            self.draw(address);
        }
    }

    /// What became of a recipient. What went well is seen in the bar.
    pub(crate) fn tell(&self, address: &str, fate: &Fate) {
        if !self.bar || fate.state != State::Sent {
            self.line(&line(address, fate, colour(&io::stderr())));
        }
    }

    /// A message is through.
    pub(crate) fn end(&mut self) {
        self.done += 1;
    }

    /// Something that whoever waits should know.
    pub(crate) fn line(&self, text: &str) {
        let clear = if self.bar { "\r\u{1b}[K" } else { "" };
        // Whoever reads that may have gone; the mail is sent all the same.
        let _ = writeln!(io::stderr(), "{clear}{text}");
    }

    /// The run is over: the bar goes.
    pub(crate) fn finish(&self) {
        if self.bar {
            let _ = write!(io::stderr(), "\r\u{1b}[K");
        }
    }

    fn draw(&self, address: &str) {
        let _ = write!(io::stderr(), "\r\u{1b}[K{}", bar(self.done, self.messages, address));
        let _ = io::stderr().flush();
    }
}

fn bar(done: usize, messages: usize, address: &str) -> String {
    let filled = (done * BAR).checked_div(messages).unwrap_or(BAR);
    let (full, empty) = ("#".repeat(filled), "-".repeat(BAR.saturating_sub(filled)));
    format!("[{full}{empty}] {done}/{messages} {}", beginning(&harmless(address), ADDRESS))
}

fn line(address: &str, fate: &Fate, colour: bool) -> String {
    let look = match fate.state {
        State::Sent => Look::Good,
        State::Refused => Look::Bad,
        State::TryAgain | State::Uncertain | State::NotReached => Look::Doubtful,
    };
    let state = look.paint(fate.state.shown(), colour);
    format!("{state} {}: {}", harmless(address), fate.reply.as_deref().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_fills_and_stays_in_one_line() {
        assert_eq!(bar(0, 2, "a@b.example"), format!("[{}] 0/2 a@b.example", "-".repeat(30)));
        assert_eq!(
            bar(1, 2, "a@b.example"),
            format!("[{}{}] 1/2 a@b.example", "#".repeat(15), "-".repeat(15))
        );
        assert!(bar(99_998, 99_999, &"x".repeat(300)).chars().count() < 80);
    }
}
