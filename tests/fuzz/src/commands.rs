//! Commands: how they are written beside their meaning changes nothing, and what was read is read the same when it is written anew.

use esmtp::{Anytime, Command, MailParameters, Ordered, SyntaxError};
use types::{EnvelopeRecipient, ReversePath};

/// A line without its CRLF.
pub(crate) fn holds(data: &[u8]) {
    // The reader of lines has none of these in it.
    let line = data.split(|octet| matches!(octet, b'\r' | b'\n')).next().unwrap_or_default();
    let command = Command::parse(line);
    assert_eq!(Command::parse(&[b" \t", line, b" \t"].concat()), command, "white space around it");
    let verb = line.iter().position(|octet| matches!(octet, b' ' | b'\t')).unwrap_or(line.len());
    let shouted = [&line[..verb].to_ascii_uppercase(), &line[verb..]].concat();
    assert_eq!(Command::parse(&shouted), command, "the case of the verb");
    assert!(!line.contains(&0) || command == Err(SyntaxError::UnknownCommand), "a NUL is nowhere");
    match command {
        Ok(Command::Ordered(command)) => ordered(command, line),
        Ok(Command::Anytime(Anytime::Ehlo(name) | Anytime::Helo(name))) => {
            assert!(name.as_str().bytes().all(|octet| octet.is_ascii_graphic()), "{name:?}");
        }
        Ok(Command::Anytime(_)) | Err(_) => {}
    }
}

fn ordered(command: Ordered, line: &[u8]) {
    match command {
        Ordered::Mail(path, parameters) => mail(&path, &parameters),
        Ordered::Rcpt { recipient, .. } => {
            let command = format!("RCPT TO:{}{}", recipient.path, asked_of(&recipient));
            let utf8 = !command.is_ascii();
            assert_eq!(
                written(&command),
                Ok(Command::Ordered(Ordered::Rcpt { recipient, utf8 })),
                "{command}"
            );
        }
        // The size decides what is text and what is a command: it is written in one way.
        Ordered::Bdat { size, last } => {
            let argument = line.trim_ascii()[4..].to_ascii_uppercase();
            let plain = format!(" {size}{}", if last { " LAST" } else { "" });
            let digits = argument.iter().skip(1).take_while(|octet| octet.is_ascii_digit()).count();
            let zeros =
                argument[1..=digits].iter().take_while(|octet| **octet == b'0').count().min(digits - 1);
            assert_eq!([b" ", &argument[1 + zeros..]].concat(), plain.as_bytes());
        }
        Ordered::StartTls | Ordered::Auth { .. } | Ordered::Xclient(_) | Ordered::Data => {}
    }
}

fn mail(path: &ReversePath, parameters: &MailParameters) {
    let ret = parameters.ret.map(|ret| format!(" RET={}", ret.name())).unwrap_or_default();
    let envid =
        parameters.envid.as_deref().map(|envid| format!(" ENVID={}", xtext(envid))).unwrap_or_default();
    let hold = parameters.hold.map(|hold| format!(" {hold}")).unwrap_or_default();
    let by = parameters.deliver_by.map(|by| format!(" BY={by}")).unwrap_or_default();
    let priority = parameters.priority.map(|priority| format!(" MT-PRIORITY={priority}")).unwrap_or_default();
    let tls = if parameters.require_tls { " REQUIRETLS" } else { "" };
    let command = format!("MAIL FROM:{path}{ret}{envid}{hold}{by}{priority}{tls}");
    let Ok(Command::Ordered(Ordered::Mail(again, known))) = written(&command) else {
        panic!("{command} can't be read")
    };
    assert_eq!((&again, known.ret, &known.envid), (path, parameters.ret, &parameters.envid));
    let wanted = (parameters.hold, parameters.deliver_by, parameters.priority);
    assert_eq!((known.hold, known.deliver_by, known.priority), wanted, "{command}");
    assert_eq!(known.require_tls, parameters.require_tls, "{command}");
    // It comes back in a header field (RFC 3464 section 2.2.1).
    assert!(
        known
            .envid
            .is_none_or(|envid| envid.len() <= 100 && envid.bytes().all(|o| (b' '..=b'~').contains(&o)))
    );
}

/// The parameters of RCPT, with characters of an address by their numbers, unless the value could become too long by that.
fn asked_of(recipient: &EnvelopeRecipient) -> String {
    let notify = recipient.notify.map(|notify| format!(" NOTIFY={notify}")).unwrap_or_default();
    let Some(original) = &recipient.orcpt else { return notify };
    let address = original.address();
    assert!(!address.contains(char::is_control) && original.to_string().len() <= 500, "{original:?}");
    // RFC 6533 section 3, RFC 3461 section 4.
    let written = if original.is_utf8() { by_numbers(address) } else { xtext(address) };
    format!("{notify} ORCPT={};{written}", original.address_type())
}

fn by_numbers(address: &str) -> String {
    let may_stand = |character: char| character.is_ascii_graphic() && !r"\+=".contains(character);
    let write = |character: char| match may_stand(character) || address.len() > 60 && !character.is_ascii() {
        true => character.to_string(),
        false => format!("\\x{{{:x}}}", u32::from(character)),
    };
    address.chars().map(write).collect()
}

fn xtext(text: &str) -> String {
    let may_stand = |octet: u8| octet.is_ascii_graphic() && !b"+=".contains(&octet);
    let write =
        |octet| if may_stand(octet) { char::from(octet).to_string() } else { format!("+{octet:02X}") };
    text.bytes().map(write).collect()
}

fn written(line: &str) -> Result<Command, SyntaxError> {
    Command::parse(line.as_bytes())
}
