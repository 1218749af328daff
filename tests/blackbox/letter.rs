//! Messages that can be told apart, and recognised to the last octet.

/// A complete message, so that the server has only its Received field to add.
pub(crate) fn letter(name: &str, body: &str) -> Vec<u8> {
    format!(
        "From: Alice <alice@example.org>\r\nTo: Bob <bob@example.net>\r\nSubject: {name}\r\n\
         Date: Sat, 21 Nov 2026 04:00:00 +0000\r\nMessage-ID: <{name}@client.example>\r\n\r\n{body}"
    )
    .into_bytes()
}

/// What breaks when somebody is careless: dots, a From line, trailing blanks, a line of 998 octets, UTF-8.
pub(crate) fn awkward(name: &str) -> Vec<u8> {
    let long = "x".repeat(998);
    letter(
        name,
        &format!(
            ".\r\n..\r\n.hidden\r\nFrom here\r\ntrailing  \r\n\ttab\r\n\r\n{long}\r\nna\u{ef}ve\r\n.\r\nend\r\n"
        ),
    )
}

/// Whether what lies in a Maildir, with the line ends of Unix, ends with this very message.
pub(crate) fn carries(stored: &[u8], message: &[u8]) -> bool {
    stored.ends_with(&with_unix_lines(message))
}

/// The message with LF for CRLF, as files have it.
pub(crate) fn with_unix_lines(message: &[u8]) -> Vec<u8> {
    String::from_utf8_lossy(message).replace("\r\n", "\n").into_bytes()
}
