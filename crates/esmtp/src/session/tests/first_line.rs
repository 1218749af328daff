//! The first line of a session that is no command: whoever sends it is no mail client.

use super::*;

fn codes_and_end(input: &str) -> (Vec<String>, bool) {
    let outcome = play(under_tls(), input.as_bytes(), input.len().max(1));
    (codes(&outcome.said).into_iter().skip(1).map(str::to_owned).collect(), outcome.closed)
}

#[test]
fn a_first_line_that_is_no_command_closes_the_session_but_for_an_empty_one() {
    let end = |codes: &[&str], closed| (codes.iter().map(|code| (*code).to_owned()).collect(), closed);
    assert_eq!(codes_and_end("XYZZY\r\nNOOP\r\n"), end(&["502"], true));
    assert_eq!(codes_and_end("\r\nNOOP\r\n"), end(&["500", "250"], false));
    assert_eq!(codes_and_end("NOOP\r\nXYZZY\r\nNOOP\r\n"), end(&["250", "500", "250"], false));
    assert_eq!(codes_and_end("\r\nXYZZY\r\nNOOP\r\n"), end(&["500", "500", "250"], false));
    assert_eq!(codes_and_end("NOOP\r\nGET / HTTP/1.1\r\nNOOP\r\n"), end(&["250", "502"], true));
}
