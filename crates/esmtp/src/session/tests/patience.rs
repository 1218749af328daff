//! What a client may do before it has used up the session's patience: so often, and not once more.

use super::*;
use crate::limits::{ERRORS_BEFORE_LOGIN, IDLE_COMMANDS};

/// The codes of the replies to one command, given so many times, and whether the session closed.
fn codes_of(
    session: Session,
    answer: Answering,
    before: &str,
    command: &str,
    times: u32,
) -> (Vec<u16>, bool) {
    let input = before.to_owned() + &command.repeat(usize::try_from(times).unwrap());
    let outcome = play_with(session, std::iter::once(input.as_bytes()), answer);
    let codes = codes(&outcome.said).into_iter().map(|code| code.parse().unwrap());
    let behind = codes.skip(1 + before.lines().count()).collect();
    (behind, outcome.closed)
}

type Answering = fn(Question<'_, (), Vec<u8>>, &mut Outcome);

/// `often` replies of this code, and the last word behind them.
fn and_then(code: u16, often: u32, last: Option<u16>) -> (Vec<u16>, bool) {
    let codes = std::iter::repeat_n(code, usize::try_from(often).unwrap()).chain(last).collect();
    (codes, last.is_some())
}

#[test]
fn commands_before_a_login_are_counted_and_auth_is_not() {
    let limited = || with(Settings { max_unauthenticated_commands: Some(4), ..settings() });
    let greeted = "EHLO a.example\r\n";
    assert_eq!(codes_of(limited(), yes, greeted, "NOOP\r\n", 3), and_then(250, 3, None));
    assert_eq!(codes_of(limited(), yes, greeted, "NOOP\r\n", 4), and_then(250, 3, Some(421)));
    let unlimited = || with(Settings { max_unauthenticated_commands: None, ..settings() });
    assert_eq!(codes_of(unlimited(), yes, greeted, "NOOP\r\n", 50), and_then(250, 50, None));
    let (codes, closed) = codes_of(limited(), yes, LOGIN, "NOOP\r\n", 50);
    assert_eq!((codes, closed), and_then(250, 50, None));
}

#[test]
fn commands_that_bring_no_message_nearer_are_counted_behind_a_login() {
    assert_eq!(
        codes_of(under_tls(), yes, LOGIN, "NOOP\r\n", IDLE_COMMANDS - 1),
        and_then(250, IDLE_COMMANDS - 1, None)
    );
    let (codes, closed) = codes_of(under_tls(), yes, LOGIN, "NOOP\r\n", IDLE_COMMANDS);
    assert_eq!((codes.last(), closed), (Some(&421), true));
}

#[test]
fn so_many_logins_may_fail_as_the_settings_say() {
    let patient = || with(Settings { max_failures: 4, ..settings() });
    let (greeted, attempt) = ("EHLO a.example\r\n", "AUTH PLAIN AGEAYg==\r\n");
    assert_eq!(codes_of(patient(), no, greeted, attempt, 3), and_then(535, 3, None));
    assert_eq!(codes_of(patient(), no, greeted, attempt, 4), and_then(535, 4, Some(421)));
}

#[test]
fn errors_before_a_login_are_counted() {
    let few = ERRORS_BEFORE_LOGIN - 1;
    assert_eq!(codes_of(under_tls(), yes, "EHLO a.example\r\n", "XYZZY\r\n", few), and_then(500, few, None));
    let (codes, closed) = codes_of(under_tls(), yes, "EHLO a.example\r\n", "XYZZY\r\n", few + 1);
    assert_eq!((codes, closed), and_then(500, few + 1, Some(421)));
}
