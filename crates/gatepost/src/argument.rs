//! The forms that arguments have and clap does not know.

use std::net::IpAddr;
use std::str::FromStr;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use config::duration;
use ipnet::IpNet;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use store::{AccountState, Action, AuditResult, RecipientState, Scope};
use types::{DkimAlgorithm, DkimSelector, Domain, Mailbox, ReversePath};

use crate::printable::is_printable;

/// The longest text for people, in characters: it has to fit into a table.
const TEXT_CHARACTERS: usize = 200;

/// A label or a name: one line, not empty, nothing that a terminal would obey.
pub(crate) fn text(given: &str) -> Result<String, String> {
    let text = given.trim();
    if text.is_empty() {
        return Err("it is empty".to_owned());
    }
    if !text.chars().all(is_printable) {
        return Err("it has characters that do not print".to_owned());
    }
    if text.chars().count() > TEXT_CHARACTERS {
        return Err(format!("it is longer than {TEXT_CHARACTERS} characters"));
    }
    Ok(text.to_owned())
}

/// A network in CIDR form, or a single address. An IPv4 address that is written as one of IPv6 is meant as what it is.
pub(crate) fn network(given: &str) -> Result<IpNet, String> {
    let network =
        given.parse::<IpNet>().or_else(|_| given.parse::<IpAddr>().map(|ip| ip.to_canonical().into()));
    let network = network.map_err(|_| "write a network like 192.0.2.0/24, or one address".to_owned())?;
    Ok(network.trunc())
}

/// A code of an authenticator app, as apps show it: in groups, perhaps.
pub(crate) fn code(given: &str) -> Result<String, String> {
    let code: String = given.chars().filter(|c| !c.is_whitespace()).collect();
    match code.len() == 6 && code.bytes().all(|octet| octet.is_ascii_digit()) {
        true => Ok(code),
        false => Err("a code is six digits".to_owned()),
    }
}

/// A scope, told by name in the help and to the shell's completion.
pub(crate) fn scopes() -> impl TypedValueParser<Value = Scope> {
    PossibleValuesParser::new(Scope::ALL.map(Scope::name)).try_map(|name| name.parse::<Scope>())
}

/// A scope of an API token, told by name.
pub(crate) fn token_scopes() -> impl TypedValueParser<Value = types::Scope> {
    PossibleValuesParser::new(types::Scope::ALL.map(types::Scope::name))
        .try_map(|name| name.parse::<types::Scope>())
}

/// What a webhook is told of, by name.
pub(crate) fn webhook_events() -> impl TypedValueParser<Value = types::WebhookEvent> {
    PossibleValuesParser::new(types::WebhookEvent::ALL.map(types::WebhookEvent::name))
        .try_map(|name| name.parse::<types::WebhookEvent>())
}

/// An action of the audit trail, told by name like a scope.
pub(crate) fn action() -> impl TypedValueParser<Value = Action> {
    PossibleValuesParser::new(Action::ALL.map(Action::name)).try_map(|name| name.parse::<Action>())
}

/// A result in the audit trail.
pub(crate) fn audit_result() -> impl TypedValueParser<Value = AuditResult> {
    PossibleValuesParser::new(AuditResult::ALL.map(AuditResult::name))
        .try_map(|name| AuditResult::from_name(&name).ok_or("unknown result"))
}

/// A state of a recipient, told by name.
pub(crate) fn recipient_state() -> impl TypedValueParser<Value = RecipientState> {
    PossibleValuesParser::new(RecipientState::ALL.map(RecipientState::name))
        .try_map(|name| name.parse::<RecipientState>())
}

/// A state of an account, told by name.
pub(crate) fn account_state() -> impl TypedValueParser<Value = AccountState> {
    PossibleValuesParser::new(AccountState::ALL.map(AccountState::name))
        .try_map(|name| AccountState::from_name(&name).ok_or("unknown state"))
}

/// What a DKIM key signs with, told by name.
pub(crate) fn dkim_algorithm() -> impl TypedValueParser<Value = DkimAlgorithm> {
    PossibleValuesParser::new(DkimAlgorithm::ALL.map(DkimAlgorithm::name))
        .try_map(|name| DkimAlgorithm::from_name(&name).ok_or("unknown algorithm"))
}

/// A domain, as it stands behind the `@` of an address.
pub(crate) fn domain(given: &str) -> Result<Domain, String> {
    Domain::parse(given).map_err(|_| "write a domain like example.org".to_owned())
}

/// Which of a domain's DKIM keys.
pub(crate) fn selector(given: &str) -> Result<DkimSelector, String> {
    given.parse().map_err(|_| {
        "write a name like 2026a: letters, digits, hyphens and underscores, at most 63 of them in a row, with single dots between"
            .to_owned()
    })
}

/// The sender of a message: an address, or `<>` for none.
pub(crate) fn sender(given: &str) -> Result<ReversePath, String> {
    match given {
        "" | "<>" => Ok(ReversePath::Null),
        given => Mailbox::parse(given).map(ReversePath::Mailbox).map_err(|_| {
            "write an address like alice@example.org, or <> for mail that has no sender".to_owned()
        }),
    }
}

/// When something ends, or began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// So far from now.
    Away(SignedDuration),
    /// At this time.
    At(Timestamp),
}

impl Moment {
    /// The time that is meant, which must lie ahead.
    ///
    /// # Errors
    /// When it has passed already, or lies beyond the calendar.
    pub(crate) fn ahead_of(self, now: Timestamp) -> anyhow::Result<Timestamp> {
        let end = match self {
            Moment::Away(duration) => now.checked_add(duration).ok(),
            Moment::At(time) => Some(time),
        };
        match end {
            Some(end) if end > now => Ok(end),
            Some(_) => anyhow::bail!("--expires must lie ahead; write 90d, 12h, 2027-01-31 or a later time"),
            None => anyhow::bail!("--expires lies beyond the calendar; write 90d, 12h or an earlier time"),
        }
    }

    /// The time that is meant, before now or not; what lies beyond the calendar is its beginning.
    pub(crate) fn back_from(self, now: Timestamp) -> Timestamp {
        match self {
            Moment::Away(duration) => now.checked_sub(duration).unwrap_or(Timestamp::MIN),
            Moment::At(time) => time,
        }
    }
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(given: &str) -> Result<Self, String> {
        let away = duration(given).and_then(|away| SignedDuration::try_from(away).ok()).map(Moment::Away);
        away.or_else(|| given.parse().ok().or_else(|| day(given)).map(Moment::At)).ok_or_else(|| {
            "write 90d, 12h, 1h30m, a day like 2027-01-31 or a time like 2027-01-31T12:00:00Z".to_owned()
        })
    }
}

/// A day means its first moment, in UTC.
fn day(given: &str) -> Option<Timestamp> {
    // A date would be read from a time without an offset, too.
    let date: Date = given.parse().ok().filter(|_| given.len() == "2027-01-31".len())?;
    date.to_zoned(TimeZone::UTC).ok().map(|day| day.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-21T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn an_end_is_a_duration_or_a_time() {
        for (given, end) in [
            ("90d", "2027-02-19T12:00:00Z"),
            ("12h", "2026-11-22T00:00:00Z"),
            ("30m", "2026-11-21T12:30:00Z"),
            ("45s", "2026-11-21T12:00:45Z"),
            ("1h30m", "2026-11-21T13:30:00Z"),
            ("1w", "2026-11-28T12:00:00Z"),
            ("2027-01-31", "2027-01-31T00:00:00Z"),
            ("2027-01-31T12:00:00+02:00", "2027-01-31T10:00:00Z"),
        ] {
            let meant = given.parse::<Moment>().unwrap().ahead_of(now()).unwrap();
            assert_eq!(meant, end.parse().unwrap(), "{given}");
        }
    }

    #[test]
    fn an_end_that_is_neither_is_wrong_usage() {
        for given in [
            "",
            "d",
            "90",
            "-1d",
            "1mo",
            "soon",
            "2027-01-31T12:00:00",
            "2027-02-30",
            "99999999999999999999d",
        ] {
            assert!(given.parse::<Moment>().is_err(), "{given:?}");
        }
    }

    #[test]
    fn an_end_must_lie_ahead() {
        for given in ["0s", "2026-11-21T12:00:00Z", "2020-01-01", "7000000d"] {
            assert!(given.parse::<Moment>().unwrap().ahead_of(now()).is_err(), "{given}");
        }
    }

    #[test]
    fn a_beginning_lies_back() {
        for (given, meant) in [
            ("24h", "2026-11-20T12:00:00Z"),
            ("7d", "2026-11-14T12:00:00Z"),
            ("2026-01-31T12:00:00+02:00", "2026-01-31T10:00:00Z"),
        ] {
            let begun = given.parse::<Moment>().unwrap().back_from(now());
            assert_eq!(begun, meant.parse().unwrap(), "{given}");
        }
        assert_eq!("7000000d".parse::<Moment>().unwrap().back_from(now()), Timestamp::MIN);
    }

    #[test]
    fn a_network_may_be_a_single_address_and_loses_its_host_part() {
        for (given, meant) in [
            ("192.0.2.7", "192.0.2.7/32"),
            ("192.0.2.7/24", "192.0.2.0/24"),
            ("2001:db8::1", "2001:db8::1/128"),
            ("2001:db8::1/32", "2001:db8::/32"),
            ("::ffff:192.0.2.7", "192.0.2.7/32"),
        ] {
            assert_eq!(network(given).unwrap().to_string(), meant);
        }
        for given in ["", "192.0.2", "192.0.2.0/33", "example.org"] {
            assert!(network(given).is_err(), "{given}");
        }
    }

    #[test]
    fn a_code_is_six_digits() {
        for given in ["012345", "012 345", " 012345 "] {
            assert_eq!(code(given).as_deref(), Ok("012345"), "{given:?}");
        }
        for given in ["", "12345", "1234567", "abcdef", "１２３４５６"] {
            assert!(code(given).is_err(), "{given:?}");
        }
    }

    #[test]
    fn text_is_one_line_that_no_terminal_obeys() {
        assert_eq!(text("  Bob's phone ").unwrap(), "Bob's phone");
        for given in ["", "  ", "a\nb", "\u{1b}[31mred", "\u{9b}31m", "\u{202e}txt", &"x".repeat(201)] {
            assert!(text(given).is_err(), "{given:?}");
        }
    }
}
