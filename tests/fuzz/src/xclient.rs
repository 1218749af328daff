//! XCLIENT: what is taken of it is plain, and is taken again when it is written anew.

use std::fmt::Write as _;
use std::net::IpAddr;

use esmtp::Introduction;

use crate::play::{Circumstances, Event, Play};

/// TLS, and a proxy that may say who its client is and as whom that has logged in.
const TRUSTED: Circumstances = Circumstances::new(0b1_0001, 0);

/// The attributes of one command.
pub(crate) fn holds(data: &[u8]) {
    let attributes = data.split(|octet| matches!(octet, b'\r' | b'\n' | 0)).next().unwrap_or_default();
    // What a session does with lines that are too long is a property of its own.
    let attributes = &attributes[..attributes.len().min(2000)];
    let Some(mut introduction) = introduced(attributes) else { return };
    let names = introduction.name.iter().chain(&introduction.helo);
    for name in names {
        assert!(name.as_str().bytes().all(|octet| octet.is_ascii_graphic()), "{name:?}");
    }
    assert!(!introduction.login.as_deref().unwrap_or_default().contains(char::is_control));
    let anew = written(&introduction);
    if !anew.is_empty() && anew.len() < 2000 {
        let again = introduced(anew.as_bytes()).unwrap_or_else(|| panic!("not taken again: {anew}"));
        let is_complete = introduction.address.is_some() || introduction.login.is_some();
        introduction.is_complete = is_complete;
        assert_eq!(again, introduction);
    }
}

/// What the session asks about, if it takes the attributes. Who has been introduced is greeted anew.
fn introduced(attributes: &[u8]) -> Option<Introduction> {
    let mut play = Play::begin(TRUSTED);
    play.send(&[b"XCLIENT ", attributes, b"\r\n"].concat(), usize::MAX);
    let introduction = play.introductions.pop();
    let code = play.events.iter().rev().find_map(|event| match event {
        Event::Said(reply) => Some(reply.code),
        _ => None,
    });
    assert_eq!(code, Some(if introduction.is_some() { 220 } else { 501 }));
    introduction
}

fn written(introduction: &Introduction) -> String {
    let mut text = String::new();
    let mut add = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            let blank = if text.is_empty() { "" } else { " " };
            let _ = write!(text, "{blank}{name}={}", xtext(&value));
        }
    };
    let address = |address: IpAddr| match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("IPV6:{address}"),
    };
    add("NAME", introduction.name.as_ref().map(|name| name.as_str().to_owned()));
    add("ADDR", introduction.address.map(address));
    add("PORT", introduction.port.map(|port| port.to_string()));
    add("HELO", introduction.helo.as_ref().map(|name| name.as_str().to_owned()));
    add("LOGIN", introduction.login.clone());
    add("DESTADDR", introduction.local_address.map(address));
    add("DESTPORT", introduction.local_port.map(|port| port.to_string()));
    text
}

/// RFC 3461 section 4.
fn xtext(text: &str) -> String {
    let mut written = String::new();
    for octet in text.bytes() {
        match octet {
            b'!'..=b'~' if octet != b'+' && octet != b'=' => written.push(char::from(octet)),
            _ => {
                let _ = write!(written, "+{octet:02X}");
            }
        }
    }
    written
}
