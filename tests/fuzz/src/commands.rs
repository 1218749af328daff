//! Commands: how they are written beside their meaning changes nothing, and what was read is read the same when it is written anew.

use esmtp::{Anytime, Command, Ordered, SyntaxError};

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
        Ordered::Mail(path, _) => {
            let Ok(Command::Ordered(Ordered::Mail(again, _))) = written(&format!("MAIL FROM:{path}")) else {
                panic!("{path} can't be read")
            };
            assert_eq!(again, path);
        }
        Ordered::Rcpt(path) => {
            assert_eq!(written(&format!("RCPT TO:{path}")), Ok(Command::Ordered(Ordered::Rcpt(path))));
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

fn written(line: &str) -> Result<Command, SyntaxError> {
    Command::parse(line.as_bytes())
}
