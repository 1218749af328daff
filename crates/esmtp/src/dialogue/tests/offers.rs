//! What a host offers, keyword by keyword, and how we log in there.

use super::*;

fn offered(keywords: &str) -> Capabilities {
    ready(&format!("250-mx\r\n250 {keywords}\r\n")).capabilities().clone()
}

#[test]
fn each_keyword_offers_its_own() {
    let none = Capabilities { extended: true, ..Capabilities::default() };
    for (keyword, capabilities) in [
        ("STARTTLS", Capabilities { starttls: true, ..none.clone() }),
        ("PIPELINING", Capabilities { pipelining: true, ..none.clone() }),
        ("8BITMIME", Capabilities { eight_bit: true, ..none.clone() }),
        ("SMTPUTF8", Capabilities { smtputf8: true, ..none.clone() }),
        ("DSN", Capabilities { dsn: true, ..none.clone() }),
        ("SIZE 1000", Capabilities { size: true, ..none.clone() }),
        ("size", Capabilities { size: true, ..none.clone() }),
        ("AUTH GSSAPI LOGIN", Capabilities { mechanism: Some(Mechanism::Login), ..none.clone() }),
        ("auth login plain", Capabilities { mechanism: Some(Mechanism::Plain), ..none.clone() }),
        ("AUTH", none.clone()),
        ("XYZZY STARTTLS", none.clone()),
        ("", none.clone()),
    ] {
        assert_eq!(offered(keyword), capabilities, "{keyword}");
    }
    // The first line is the host's name.
    assert_eq!(ready("250 STARTTLS\r\n").capabilities(), &none);
    // Two lines of it offer what either does.
    let twice = ready("250-mx\r\n250-AUTH PLAIN\r\n250 AUTH LOGIN\r\n");
    assert_eq!(twice.capabilities().mechanism, Some(Mechanism::Plain));
}

/// RFC 4954 section 4 wants the initial response read; some servers overlook it.
#[test]
fn a_response_that_was_overlooked_is_given_again() {
    let (said, end) = log_in("AUTH PLAIN", &["334 \r\n", "235 ok\r\n"]);
    assert_eq!(
        (said.as_str(), end),
        ("AUTH PLAIN AHVzZXIAc2VjcmV0\r\nAHVzZXIAc2VjcmV0\r\n", Ok(Advance::Ready))
    );
}
