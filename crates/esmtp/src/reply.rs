//! Every reply, in one catalogue (RFC 5321 section 4.2, enhanced codes of RFC 3463 and RFC 5248).

use std::borrow::Cow;
use std::time::Duration;

use bytes::{BufMut, BytesMut};
use sasl::RefusalReply;
use types::{MAX_PATH, Mailbox, Priority};

use crate::body::TextFault;
use crate::command::SyntaxError;
use crate::limits::{REPLY_LINE, TEXT_LINE};
use crate::proof::Durable;
use crate::rejection::Rejection;

/// A reply of one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    code: u16,
    /// Empty where RFC 2034 has no enhanced code: greeting, EHLO and HELO, 334, 354.
    status: Cow<'static, str>,
    text: Cow<'static, str>,
}

/// The code of a challenge (RFC 4954 section 4), which is not for people.
const CHALLENGE: u16 = 334;

/// What stands where a text was cut.
const MORE: &str = "...";

/// A reply whose text is always the same.
const fn reply(code: u16, status: &'static str, text: &'static str) -> Reply {
    Reply { code, status: Cow::Borrowed(status), text: Cow::Borrowed(text) }
}

/// A reply that says something of its moment.
fn reply_with(code: u16, status: &'static str, text: String) -> Reply {
    Reply { code, status: Cow::Borrowed(status), text: Cow::Owned(text) }
}

pub(crate) const BYE: Reply = reply(221, "2.0.0", "Bye");
pub(crate) const AUTHENTICATED: Reply = reply(235, "2.7.0", "Authentication successful");
pub(crate) const DONE: Reply = reply(250, "2.0.0", "OK");
pub(crate) const SENDER_OK: Reply = reply(250, "2.1.0", "Sender OK");
pub(crate) const RECIPIENT_OK: Reply = reply(250, "2.1.5", "Recipient OK");
pub(crate) const START_TLS: Reply = reply(220, "2.0.0", "Ready to start TLS");
pub(crate) const HELP: Reply = reply(
    214,
    "2.0.0",
    "EHLO STARTTLS AUTH MAIL RCPT DATA BDAT RSET NOOP HELP QUIT; see RFC 5321 and RFC 6409",
);
pub(crate) const VRFY: Reply = reply(252, "2.1.5", "Addresses are not verified here; send the message");
pub(crate) const SEND_TEXT: Reply = reply(354, "", "End with <CRLF>.<CRLF>");

pub(crate) const TIMED_OUT: Reply = reply(421, "4.4.2", "Connection timed out");
pub(crate) const SHUTTING_DOWN: Reply = reply(421, "4.3.2", "Shutting down; try again later");
pub(crate) const REVOKED: Reply = reply(421, "4.7.0", "Credentials are no longer valid");
pub(crate) const TOO_MANY_CONNECTIONS: Reply = reply(421, "4.7.0", "Too many connections; try again later");
pub(crate) const TOO_MANY_COMMANDS: Reply = reply(421, "4.7.0", "Too many commands before authentication");
pub(crate) const TOO_MANY_IDLE_COMMANDS: Reply = reply(421, "4.7.0", "Too many commands that send nothing");
pub(crate) const TOO_MANY_ERRORS: Reply = reply(421, "4.7.0", "Too many errors");
pub(crate) const TOO_MANY_FAILURES: Reply = reply(421, "4.7.0", "Too many failed logins");
pub(crate) const TOO_MANY_MESSAGES: Reply =
    reply(421, "4.7.0", "Too many messages in one connection; open another");
pub(crate) const TOO_MANY_CHUNKS: Reply = reply(421, "4.7.0", "Too many chunks in one message");
pub(crate) const TOO_MUCH_DISCARDED: Reply = reply(421, "4.3.2", "Far too much data");

pub(crate) const TOO_MANY_RECIPIENTS: Reply =
    reply(452, "4.5.3", "Too many recipients; send to the others separately");
pub(crate) const LINE_TOO_LONG: Reply = reply(500, "5.5.2", "Line too long");
pub(crate) const AUTH_LINE_TOO_LONG: Reply = reply(500, "5.5.6", "Authentication line too long");
pub(crate) const BARE_LINE_END: Reply = reply(500, "5.5.2", "A line ends with CRLF, not with CR or LF alone");
pub(crate) const NOT_BASE64: Reply = reply(501, "5.5.2", "Response is not valid base64");
pub(crate) const BAD_RESPONSE: Reply = reply(501, "5.5.2", "Malformed authentication response");
pub(crate) const NO_INITIAL_RESPONSE: Reply =
    reply(501, "5.7.0", "This mechanism takes no initial response; wait for the challenge");
pub(crate) const CANCELLED: Reply = reply(501, "5.7.0", "Authentication cancelled");
pub(crate) const NOT_HERE: Reply = reply(502, "5.5.1", "Command not implemented");
pub(crate) const EHLO_FIRST: Reply = reply(503, "5.5.1", "Send EHLO first");
pub(crate) const ALREADY_TLS: Reply = reply(503, "5.5.1", "TLS is already active");
pub(crate) const ALREADY_AUTHENTICATED: Reply = reply(503, "5.5.1", "Already authenticated");
pub(crate) const NOT_IN_TRANSACTION: Reply = reply(503, "5.5.1", "Not allowed in a mail transaction");
pub(crate) const NEED_MAIL: Reply = reply(503, "5.5.1", "Send MAIL first");
pub(crate) const NEED_RCPT: Reply = reply(503, "5.5.1", "Send RCPT first");
pub(crate) const NESTED_MAIL: Reply = reply(503, "5.5.1", "A mail transaction is open already");
pub(crate) const CHUNKS_FOLLOW: Reply = reply(503, "5.5.1", "BDAT has begun; send more BDAT, or RSET");
pub(crate) const DATA_FOR_BINARY: Reply = reply(503, "5.5.1", "BODY=BINARYMIME needs BDAT, not DATA");
pub(crate) const BAD_ATTRIBUTE: Reply =
    reply(501, "5.5.4", "Unknown attribute, or bad value of one; write attribute=value in xtext");
pub(crate) const UNKNOWN_MECHANISM: Reply = reply(504, "5.5.4", "Mechanism not available");
pub(crate) const BARE_LINE_END_IN_TEXT: Reply =
    reply(521, "5.5.2", "Message has a CR or LF that is not part of a CRLF");
pub(crate) const STARTTLS_FIRST: Reply = reply(530, "5.7.0", "Must issue a STARTTLS command first");
pub(crate) const REFUSED: Reply = reply(535, "5.7.8", "Authentication credentials invalid");
pub(crate) const NEEDS_APP_PASSWORD: Reply = reply(534, "5.7.9", "Application-specific password required");
pub(crate) const ENCRYPTION_REQUIRED: Reply = reply(538, "5.7.11", "Encryption required for authentication");
pub(crate) const AUTH_UNAVAILABLE: Reply = reply(454, "4.7.0", "Authentication is temporarily unavailable");
pub(crate) const NOT_AUTHORISED: Reply = reply(550, "5.7.0", "Insufficient authorization");
pub(crate) const LOGIN_NOT_TAKEN: Reply = reply(550, "5.7.0", "The client's login is not accepted here");
pub(crate) const TOO_BIG: Reply = reply(552, "5.3.4", "Message is larger than the limit");
pub(crate) const NEEDS_SMTPUTF8: Reply = reply(553, "5.6.7", "A UTF-8 address needs SMTPUTF8 in MAIL");
pub(crate) const SYNCHRONISATION: Reply =
    reply(554, "5.5.0", "Protocol synchronisation error: wait for the reply");
pub(crate) const NO_VALID_RECIPIENTS: Reply = reply(554, "5.5.1", "No valid recipients");
pub(crate) const UNKNOWN_PARAMETER: Reply = reply(555, "5.5.4", "Parameter not recognised");
pub(crate) const BAD_PARAMETER: Reply = reply(501, "5.5.4", "Bad value of a parameter, or given twice");
pub(crate) const HOLD_TOO_LONG: Reply =
    reply(501, "5.5.4", "Message would be held for longer than the limit");
pub(crate) const BY_TOO_SOON: Reply =
    reply(555, "5.5.4", "Message would have to be delivered sooner than the limit");
pub(crate) const HOLD_PAST_DELIVERY: Reply =
    reply(501, "5.5.4", "Message would be held until after it has to be delivered");
pub(crate) const LONG_LINE: Reply = reply(554, "5.6.0", "Message has a line of more than 998 octets");
pub(crate) const NUL_IN_TEXT: Reply = reply(554, "5.6.0", "Message has a NUL");

impl Reply {
    /// RFC 6710 section 4.1: a sender is told which priority its message has, if it is not the one that was asked for.
    pub(crate) fn priority_lowered(priority: Priority) -> Self {
        reply_with(250, "2.3.6", format!("{priority} is the new priority assigned to the message"))
    }

    /// RFC 5321 section 4.2: the server's name comes first.
    pub(crate) fn greeting(hostname: &str, words: &str) -> Self {
        let space = if words.is_empty() { "" } else { " " };
        reply_with(220, "", format!("{hostname} ESMTP{space}{words}"))
    }

    /// The reply to HELO: RFC 5321 section 4.1.1.1 wants the server's name first, and RFC 2034 section 4 no enhanced code.
    pub(crate) fn hello(hostname: &str) -> Self {
        reply_with(250, "", hostname.to_owned())
    }

    pub(crate) fn authentication_required(message: &str) -> Self {
        reply_with(530, "5.7.0", message.to_owned())
    }

    pub(crate) fn challenge(base64: String) -> Self {
        reply_with(CHALLENGE, "", base64)
    }

    pub(crate) fn throttled(wait: Duration) -> Self {
        let seconds = whole_seconds(wait);
        reply_with(454, "4.7.0", format!("Too many failed logins; try again in {seconds} seconds"))
    }

    fn sending_limit(limit: u32, what: &str, wait: Duration) -> Self {
        let seconds = whole_seconds(wait);
        reply_with(
            450,
            "4.7.1",
            format!("Limit of {limit} {what} is reached; try again in {seconds} seconds"),
        )
    }

    /// An address that is too long for a reply is cut itself, so that the words behind it stay.
    fn foreign_author(field: &str, address: &Mailbox) -> Self {
        let mut address = address.to_string();
        if address.len() > MAX_PATH {
            address.truncate(address.floor_char_boundary(MAX_PATH));
            address.push_str(MORE);
        }
        reply_with(550, "5.7.1", format!("<{address}> in {field} is not yours to use"))
    }

    pub(crate) fn chunk_received(octets: u64) -> Self {
        reply_with(250, "2.0.0", format!("{octets} octets received"))
    }

    /// The only 250 after a message: it is on stable storage.
    pub fn queued(message: &Durable) -> Self {
        reply_with(250, "2.0.0", message.text())
    }

    /// The three digits.
    pub fn code(&self) -> u16 {
        self.code
    }

    /// The connection closes behind it (RFC 5321 section 3.8; 521 as in RFC 7504 section 3).
    pub(crate) fn closes(&self) -> bool {
        matches!(self.code, 221 | 421 | 521)
    }

    pub(crate) fn write(&self, output: &mut BytesMut) {
        output.put_slice(self.code.to_string().as_bytes());
        output.put_u8(b' ');
        if !self.status.is_empty() {
            output.put_slice(self.status.as_bytes());
            output.put_u8(b' ');
        }
        // A configured text with a line break in it must not become a second reply.
        self.text_that_fits().split(char::is_control).for_each(|piece| output.put_slice(piece.as_bytes()));
        output.put_slice(b"\r\n");
    }

    /// The text, cut if the line would be too long with it. A challenge may be longer (RFC 4954 section 4), and is no good cut.
    fn text_that_fits(&self) -> Cow<'_, str> {
        let room = REPLY_LINE.saturating_sub("250  \r\n".len() + self.status.len());
        if self.code == CHALLENGE || self.text.len() <= room {
            return Cow::Borrowed(&self.text);
        }
        let end = self.text.floor_char_boundary(room.saturating_sub(MORE.len()));
        Cow::Owned(format!("{}{MORE}", self.text.split_at(end).0))
    }
}

/// Rounded up: who comes back after the seconds we said is let in.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0))
}

/// The judge's own words.
impl From<RefusalReply> for Reply {
    fn from(own: RefusalReply) -> Self {
        Self {
            code: own.code(),
            status: Cow::Owned(own.status().to_owned()),
            text: Cow::Owned(own.text().to_owned()),
        }
    }
}

impl From<SyntaxError> for Reply {
    fn from(error: SyntaxError) -> Self {
        match error {
            SyntaxError::Foreign => reply(502, "5.7.0", "This is a mail submission server"),
            SyntaxError::UnknownCommand => reply(500, "5.5.2", "Command not recognised"),
            SyntaxError::BadArgument(hint) => reply_with(501, "5.5.4", format!("Bad argument: {hint}")),
            SyntaxError::BadChunkSize => reply(501, "5.5.4", "Bad chunk size"),
            SyntaxError::BadReversePath(error) => {
                reply_with(501, "5.1.7", format!("Bad reverse-path: {error}; write MAIL FROM:<address>"))
            }
            SyntaxError::BadForwardPath(error) => {
                reply_with(501, "5.1.3", format!("Bad forward-path: {error}; write RCPT TO:<address>"))
            }
            SyntaxError::UnknownParameter => UNKNOWN_PARAMETER,
            SyntaxError::BadParameter => BAD_PARAMETER,
        }
    }
}

impl From<TextFault> for Reply {
    fn from(fault: TextFault) -> Self {
        match fault {
            TextFault::LongLine => LONG_LINE,
            TextFault::Nul => NUL_IN_TEXT,
            TextFault::BareLineEnd => BARE_LINE_END_IN_TEXT,
        }
    }
}

impl From<&Rejection> for Reply {
    fn from(rejection: &Rejection) -> Self {
        match rejection {
            Rejection::TooManyConnections => TOO_MANY_CONNECTIONS,
            Rejection::LoginRequired => reply(530, "5.7.0", "Authentication required"),
            Rejection::RelayDenied => reply(550, "5.7.1", "Mail to this recipient needs authentication"),
            Rejection::SenderNotOwned(path) => {
                reply_with(553, "5.7.1", format!("{path} is not yours to use as a sender"))
            }
            Rejection::FromNotOwned { field, address } => Reply::foreign_author(field, address),
            Rejection::AuthorsUnclear(fault) => {
                reply_with(550, "5.7.1", format!("Cannot tell whose message this is: {fault}"))
            }
            Rejection::BadHeader(fault) => {
                reply_with(554, "5.6.0", format!("Malformed header section: {fault}"))
            }
            Rejection::HeaderTooBig => reply(552, "5.3.4", "Header section is larger than the limit"),
            Rejection::Unrepairable(why) => {
                reply_with(554, "5.6.0", format!("Message cannot be taken: {why}"))
            }
            Rejection::LongLine(why) => reply_with(
                554,
                "5.6.0",
                format!(
                    "Message has a line of more than {TEXT_LINE} octets that cannot be re-encoded: {why}"
                ),
            ),
            Rejection::NonAsciiHeader(field) => {
                reply_with(554, "5.6.7", format!("UTF-8 in the {field} field needs SMTPUTF8 in MAIL"))
            }
            Rejection::TooManyHops => reply(554, "5.4.6", "Too many hops: the message is in a loop"),
            Rejection::StorageFull => reply(452, "4.3.1", "Insufficient storage; try again later"),
            Rejection::StorageFailing => reply(451, "4.3.0", "Message could not be stored; try again later"),
            Rejection::TooMuchUnfinished => {
                reply(452, "4.3.1", "Too much mail of this account is unfinished; end other messages first")
            }
            Rejection::HoldTooLong => HOLD_TOO_LONG,
            Rejection::HoldPastDelivery => HOLD_PAST_DELIVERY,
            Rejection::SendingLimit { limit, what, wait } => Reply::sending_limit(*limit, what, *wait),
            Rejection::CredentialRevoked => REVOKED,
            Rejection::Unavailable => reply(451, "4.3.0", "Temporarily unavailable; try again later"),
            Rejection::Own(own) => Reply::from(own.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use types::{AddressError, ReversePath};

    use super::*;

    #[test]
    fn a_reply_is_one_line_whatever_its_text() {
        let mut output = BytesMut::new();
        Reply::authentication_required("log in\r\n250 first").write(&mut output);
        assert_eq!(output, "530 5.7.0 log in250 first\r\n");
    }

    fn written(reply: &Reply) -> String {
        let mut output = BytesMut::new();
        reply.write(&mut output);
        String::from_utf8(output.to_vec()).unwrap()
    }

    #[test]
    fn a_bad_path_is_explained_by_its_part() {
        let error = SyntaxError::BadReversePath(AddressError::Domain);
        let expected = "501 5.1.7 Bad reverse-path: the domain is malformed; write MAIL FROM:<address>\r\n";
        assert_eq!(written(&Reply::from(error)), expected);
    }

    #[test]
    fn who_is_not_the_users_is_named() {
        let bob = Mailbox::parse("\"bob b\"@example.org").unwrap();
        let from = Rejection::FromNotOwned { field: "From", address: bob.clone() };
        let expected = "550 5.7.1 <\"bob b\"@example.org> in From is not yours to use\r\n";
        assert_eq!(written(&Reply::from(&from)), expected);
        assert_eq!(from.to_string(), "\"bob b\"@example.org in From is not the account's");
        let sender = Rejection::SenderNotOwned(ReversePath::Mailbox(bob));
        let expected = "553 5.7.1 <\"bob b\"@example.org> is not yours to use as a sender\r\n";
        assert_eq!(written(&Reply::from(&sender)), expected);
        let nobody = Rejection::SenderNotOwned(ReversePath::Null);
        assert_eq!(written(&Reply::from(&nobody)), "553 5.7.1 <> is not yours to use as a sender\r\n");
        assert_eq!(nobody.to_string(), "the sender <> is not the account's");
    }

    #[test]
    fn each_rejection_is_documented_with_its_reply() {
        let mailbox = Mailbox::parse("bob@example.org").unwrap();
        let text = || "why".to_owned();
        let all = [
            Rejection::TooManyConnections,
            Rejection::LoginRequired,
            Rejection::RelayDenied,
            Rejection::SenderNotOwned(ReversePath::Null),
            Rejection::FromNotOwned { field: "From", address: mailbox },
            Rejection::AuthorsUnclear(text()),
            Rejection::BadHeader(text()),
            Rejection::Unrepairable(text()),
            Rejection::LongLine("why"),
            Rejection::HeaderTooBig,
            Rejection::NonAsciiHeader(text()),
            Rejection::TooManyHops,
            Rejection::StorageFull,
            Rejection::StorageFailing,
            Rejection::TooMuchUnfinished,
            Rejection::HoldTooLong,
            Rejection::HoldPastDelivery,
            Rejection::SendingLimit { limit: 1, what: "messages", wait: Duration::ZERO },
            Rejection::CredentialRevoked,
            Rejection::Unavailable,
        ];
        let source = include_str!("rejection.rs").split_once("pub enum Rejection {").unwrap().1;
        let documented = source.split_once("\n}\n").unwrap().0.lines();
        let documented = documented.filter_map(|line| line.trim().strip_prefix("/// `")?.split_once('`'));
        let replies =
            all.iter().map(|rejection| written(&Reply::from(rejection)).get(..9).unwrap().to_owned());
        assert_eq!(replies.collect::<Vec<_>>(), documented.map(|(reply, _)| reply).collect::<Vec<_>>());
    }

    #[test]
    fn a_greeting_and_a_250_may_have_words_of_ones_own() {
        assert_eq!(written(&Reply::greeting("mail.test", "ready")), "220 mail.test ESMTP ready\r\n");
        assert_eq!(written(&Reply::greeting("mail.test", "")), "220 mail.test ESMTP\r\n");
        assert_eq!(written(&Reply::queued(&Durable::after_sync("job 7"))), "250 2.0.0 queued as job 7\r\n");
        let own = Durable::after_sync("7").saying("Thank you\r\n250 again");
        assert_eq!(written(&Reply::queued(&own)), "250 2.0.0 Thank you250 again\r\n");
    }

    #[test]
    fn a_reply_fits_into_its_512_octets() {
        let domain = format!("{0}.{0}.{0}.{0}", "d".repeat(63));
        for name in ["a".repeat(252), "é".repeat(126)] {
            let address = Mailbox::parse(&format!("{name}@{domain}")).unwrap();
            let reply = Reply::from(&Rejection::FromNotOwned { field: "Resent-Sender", address });
            let reply = written(&reply);
            assert!(
                reply.len() <= 512 && reply.ends_with(" in Resent-Sender is not yours to use\r\n"),
                "{reply}"
            );
        }
        for text in ["x".repeat(998), "é".repeat(499), "日".repeat(400)] {
            for rejection in [Rejection::NonAsciiHeader(text.clone()), Rejection::Unrepairable(text.clone())]
            {
                let reply = written(&Reply::from(&rejection));
                assert!((509..=512).contains(&reply.len()) && reply.ends_with("...\r\n"), "{reply}");
            }
            let queued = written(&Reply::queued(&Durable::after_sync(text)));
            assert!(queued.len() <= 512, "{queued}");
        }
        let exact = "x".repeat(512 - "550 5.7.1 \r\n".len());
        assert_eq!(written(&reply_with(550, "5.7.1", exact.clone())), format!("550 5.7.1 {exact}\r\n"));
    }

    #[test]
    fn a_challenge_is_never_cut() {
        let challenge = "QUJD".repeat(1000);
        assert_eq!(written(&Reply::challenge(challenge.clone())), format!("334 {challenge}\r\n"));
    }

    #[test]
    fn an_address_is_cut_where_it_is_longer_than_a_path_may_be() {
        let longest = format!("{}@{}.example.org", "a".repeat(64), "d".repeat(63));
        let fill = MAX_PATH - longest.len();
        let fits = Mailbox::parse(&format!("{}{longest}", "a".repeat(fill))).unwrap();
        let over = Mailbox::parse(&format!("a{fits}")).unwrap();
        let said = |address| written(&Reply::foreign_author("From", &address));
        assert_eq!(said(fits.clone()), format!("550 5.7.1 <{fits}> in From is not yours to use\r\n"));
        assert!(said(over).contains("...> in From"));
        assert_eq!(Reply::foreign_author("From", &fits).code(), 550);
    }

    #[test]
    fn the_seconds_to_wait_are_rounded_up() {
        let Reply { text, .. } = Reply::throttled(Duration::from_millis(1500));
        assert!(text.ends_with("in 2 seconds"), "{text}");
        let Reply { text, .. } = Reply::throttled(Duration::from_secs(2));
        assert!(text.ends_with("in 2 seconds"), "{text}");
        let Reply { text, .. } = Reply::throttled(Duration::MAX);
        assert!(text.ends_with("in 18446744073709551615 seconds"), "{text}");
    }

    #[test]
    fn a_limit_says_which_it_is_and_when_it_ends() {
        let (limit, what, wait) = (500, "messages an hour", Duration::from_millis(1_233_001));
        let mut output = BytesMut::new();
        Reply::from(&Rejection::SendingLimit { limit, what, wait }).write(&mut output);
        let expected = "450 4.7.1 Limit of 500 messages an hour is reached; try again in 1234 seconds\r\n";
        assert_eq!(output, expected);
    }
}
