//! What became of a recipient, and what can be done about it.

use esmtp::dialogue::{Kind, Reply, Stage, Verdict};
use serde::Serialize;

use crate::output::harmless;

/// Whether a recipient has the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    /// The server has taken it.
    Sent,
    /// The server refuses it for good.
    Refused,
    /// The server does not take it now.
    TryAgain,
    /// The server has the whole text and has not said whether it takes it: it may be sent.
    Uncertain,
    /// It was not its turn yet.
    NotReached,
}

/// What a refusal is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reason {
    Login,
    Sender,
    Recipient,
    Content,
    Size,
    Greylisted,
    Temporary,
    Connection,
}

/// What became of a recipient.
#[derive(Clone, Debug)]
pub(crate) struct Fate {
    pub(crate) state: State,
    /// Why it was not sent.
    pub(crate) reason: Option<Reason>,
    /// What the server said, or we say of it; a terminal does not obey it.
    pub(crate) reply: Option<String>,
}

impl State {
    pub(crate) const ALL: [State; 5] =
        [State::Sent, State::Refused, State::TryAgain, State::Uncertain, State::NotReached];

    /// The state as people read it.
    pub(crate) fn shown(self) -> &'static str {
        match self {
            State::Sent => "sent",
            State::Refused => "refused",
            State::TryAgain => "try again",
            State::Uncertain => "uncertain",
            State::NotReached => "not reached",
        }
    }
}

impl Reason {
    pub(crate) fn shown(self) -> &'static str {
        match self {
            Reason::Login => "login",
            Reason::Sender => "sender",
            Reason::Recipient => "recipient",
            Reason::Content => "content",
            Reason::Size => "size",
            Reason::Greylisted => "greylisted",
            Reason::Temporary => "temporary",
            Reason::Connection => "connection",
        }
    }

    /// What to do about it.
    pub(crate) fn advice(self) -> &'static str {
        match self {
            Reason::Login => "the server wants a login for this: give --user, or another account",
            Reason::Sender => {
                "the server does not let this login send in this name: give a sender of the account by --from"
            }
            Reason::Recipient => "the server does not take mail for this recipient: check the address",
            Reason::Content => "the server does not take this message: its reply says what it minds",
            Reason::Size => "the message is too big for the server: make it smaller",
            Reason::Greylisted => {
                "the server takes it when it comes again: send it to these in a quarter of an hour"
            }
            Reason::Temporary => "the server does not take it now: send it to these later",
            Reason::Connection => "the connection was lost: send it to these again",
        }
    }
}

impl Fate {
    /// Broken off while it was sent.
    pub(crate) fn broken_off() -> Fate {
        let reply = "broken off while the message was under way; look at the recipient's mailbox before it is sent again";
        Fate { state: State::Uncertain, reason: Some(Reason::Connection), reply: Some(reply.to_owned()) }
    }

    /// It can't be handed to this server.
    pub(crate) fn unfit(fault: String) -> Fate {
        Fate { state: State::Refused, reason: Some(Reason::Content), reply: Some(fault) }
    }

    pub(crate) fn of(verdict: &Verdict) -> Fate {
        let (state, reason) = match verdict {
            Verdict::Delivered(..) => (State::Sent, None),
            Verdict::Unclear(_) => (State::Uncertain, Some(Reason::Connection)),
            // RFC 1047: the text has ended, and no answer has come.
            Verdict::Deferred(reply) if reply.is_ours() && reply.stage() == Some(Stage::FinalReply) => {
                (State::Uncertain, Some(Reason::Connection))
            }
            Verdict::Deferred(reply) if reply.kind() == Kind::Permanent => {
                (State::Refused, Some(reason(reply)))
            }
            Verdict::Deferred(reply) => (State::TryAgain, Some(reason(reply))),
            Verdict::Failed(reply) => (State::Refused, Some(reason(reply))),
        };
        Fate { state, reason, reply: Some(harmless(&verdict.reply().to_string())) }
    }

    /// Whether the server would say the same of every other message of this sender.
    pub(crate) fn is_about_sender(&self) -> bool {
        self.state == State::Refused && matches!(self.reason, Some(Reason::Sender | Reason::Login))
    }
}

fn reason(reply: &Reply) -> Reason {
    let is_about =
        |subject, detail| reply.enhanced().is_some_and(|code| (code.1, code.2) == (subject, detail));
    match (reply.kind(), reply.stage()) {
        // RFC 4954 section 6: 530 may come to any command.
        _ if matches!(reply.code(), 530 | 534 | 535 | 538) => Reason::Login,
        // RFC 3463 sections 3.3 and 3.4: mailbox has its own limit, system, media.
        _ if reply.code() == 552 || is_about(2, 3) || is_about(3, 4) => Reason::Size,
        (Kind::Transient, _) if reply.is_ours() => Reason::Connection,
        (Kind::Transient, _) if is_greylisting(reply) => Reason::Greylisted,
        (Kind::Transient, _) => Reason::Temporary,
        (_, Some(Stage::Mail)) => Reason::Sender,
        // 553 5.7.1 to the text: the From field is not the sender's, as many servers say it.
        (_, Some(Stage::Recipient)) => Reason::Recipient,
        (_, _) => Reason::Content,
    }
}

/// RFC 6647 section 5 names no code of its own for it: 4.7.1 to RCPT or DATA is usual, and so is the word.
fn is_greylisting(reply: &Reply) -> bool {
    let text = reply.to_string().to_ascii_lowercase();
    ["greylist", "graylist", "grey-list", "gray-list"].iter().any(|word| text.contains(word))
}

#[cfg(test)]
mod tests {
    use esmtp::dialogue::Enhanced;
    use types::Handover;

    use super::*;

    fn fate(verdict: Verdict) -> (State, Option<Reason>) {
        let fate = Fate::of(&verdict);
        (fate.state, fate.reason)
    }

    #[test]
    fn what_is_not_known_is_uncertain() {
        let reply = |stage| Reply::ours(451, Enhanced(4, 4, 2), "it closed the connection").to(stage);
        for (stage, state) in [
            (Stage::Mail, State::TryAgain),
            (Stage::Body, State::TryAgain),
            (Stage::FinalReply, State::Uncertain),
        ] {
            assert_eq!(fate(Verdict::Deferred(reply(stage))), (state, Some(Reason::Connection)), "{stage}");
        }
        assert_eq!(fate(Verdict::Unclear(reply(Stage::FinalReply))).0, State::Uncertain);
        assert_eq!(
            fate(Verdict::Delivered(reply(Stage::FinalReply), Handover::WithDsn)),
            (State::Sent, None)
        );
    }
}
