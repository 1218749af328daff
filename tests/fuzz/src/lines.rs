//! Command lines: only CRLF ends one, a line has a limit, and what is refused of one is skipped (RFC 5321 section 2.3.8).

use esmtp::limits::{COMMAND_LINE, IDLE_COMMANDS, LINE_EXCESS};

use crate::play::{Circumstances, Event, Play};

/// May send without TLS and without a login, so that lines are all that matters.
const OPEN: Circumstances = Circumstances::new(0b110, 0);

/// Errors in a row, then 421.
const ERRORS: usize = 20;

/// The lines of the data, each made a NOOP.
pub(crate) fn holds(data: &[u8]) {
    let mut input = Vec::new();
    for line in lines_of(data) {
        input.extend_from_slice(b"NOOP ");
        input.extend_from_slice(line);
    }
    let expected = replies(&input);
    // The shorter the input, the smaller the pieces.
    for step in [usize::MAX, 1 + input.len() / 500, 7 + input.len() / 100, 1000] {
        let mut play = Play::begin(OPEN);
        // A first line that is no command is another matter.
        play.send(b"EHLO a.example\r\n", usize::MAX);
        play.send(&input, step);
        let said: Vec<u16> = play.events.iter().filter_map(code).skip(2).collect();
        assert_eq!(said, expected, "in pieces of {step}");
    }
}

fn code(event: &Event) -> Option<u16> {
    match event {
        Event::Said(reply) => Some(reply.code),
        _ => None,
    }
}

/// What is split off behind each CRLF, that included.
fn lines_of(mut data: &[u8]) -> Vec<&[u8]> {
    let mut lines = Vec::new();
    while let Some(end) = data.windows(2).position(|pair| pair == b"\r\n") {
        let (line, rest) = data.split_at(end + 2);
        lines.push(line);
        data = rest;
    }
    lines.push(data);
    lines
}

/// The replies to such lines, as the limits have them.
fn replies(input: &[u8]) -> Vec<u16> {
    let (mut replies, mut idle, mut errors) = (Vec::new(), 1, 0);
    for line in lines_of(input) {
        let reply = reply(line);
        replies.extend(reply);
        match reply {
            Some(250) => idle += 1,
            Some(_) => errors += 1,
            None => {}
        }
        if idle > IDLE_COMMANDS {
            *replies.last_mut().expect("a reply was said") = 421;
            break;
        }
        if errors == ERRORS || is_flood(line) {
            replies.push(421);
            break;
        }
    }
    replies
}

/// The reply to a line, which may lack its CRLF; none if it is to go on.
fn reply(line: &[u8]) -> Option<u16> {
    let text = line.strip_suffix(b"\r\n");
    let inside =
        text.unwrap_or(line.strip_suffix(b"\r").filter(|_| line.len() < COMMAND_LINE).unwrap_or(line));
    let is_bare = inside.iter().take(COMMAND_LINE).any(|octet| matches!(octet, b'\r' | b'\n'));
    match text {
        _ if is_bare || line.len() > COMMAND_LINE => Some(500),
        None if line.len() == COMMAND_LINE => Some(500),
        None => None,
        Some(text) if text.contains(&0) => Some(500),
        Some(_) => Some(250),
    }
}

/// A line that is refused goes on for too long behind that.
fn is_flood(line: &[u8]) -> bool {
    let text = line.strip_suffix(b"\r\n").unwrap_or(line);
    let bare = text.iter().take(COMMAND_LINE).position(|octet| matches!(octet, b'\r' | b'\n'));
    let refused = match bare {
        Some(at) if text[at] == b'\r' && at + 1 >= COMMAND_LINE => at,
        Some(at) => at + 1,
        None => COMMAND_LINE.min(text.len()),
    };
    let ends_with_cr = usize::from(text.len() == line.len() && text.ends_with(b"\r") && text.len() > refused);
    text.len() - refused - ends_with_cr > LINE_EXCESS
}
