//! Accounts that are named without their domain on the command line: `auth.default_domain` completes them, as it does at logins.
//!
//! The configuration is named on the same command line. So the line is read as it stands first, and the configuration is only
//! asked about names that are no addresses.

use std::any::TypeId;
use std::error::Error as StdError;
use std::ffi::OsString;
use std::path::Path;
use std::str::FromStr;

use clap::error::{Error, ErrorKind};
use clap::{Arg, Command, Parser};
use config::Config;
use desk::Whom;
use ipnet::IpNet;
use types::{Domain, Mailbox};

/// What was typed, each account with its domain. `config_of` is the configuration that a line names.
///
/// # Errors
/// What is wrong with it; or what was asked for, if that is the help.
pub(crate) fn parse<L: Parser>(words: &[OsString], config_of: impl Fn(&L) -> &Path) -> Result<L, Error> {
    L::try_parse_from(words).or_else(|error| match error.kind() {
        ErrorKind::ValueValidation => by_default_domain(words, config_of).ok_or(error),
        _ => Err(error),
    })
}

/// The name of an account, or of something else that mail or a login may be of, completed if it can be an address.
pub(crate) fn completed(name: String, default: Option<&Domain>) -> String {
    let address = default.map(|domain| domain.complete(&name));
    address.filter(|address| Mailbox::parse(address).is_ok()).unwrap_or(name)
}

/// With another domain the line names the same configuration, which says the right one.
fn by_default_domain<L: Parser>(words: &[OsString], config_of: impl Fn(&L) -> &Path) -> Option<L> {
    let line = with_domain::<L>(words, &Domain::parse("localhost").ok()?)?;
    let domain = Config::load(config_of(&line)).ok()?.auth.default_domain?;
    with_domain(words, &domain)
}

fn with_domain<L: Parser>(words: &[OsString], domain: &Domain) -> Option<L> {
    let matches = completing(L::command(), domain).try_get_matches_from(words).ok()?;
    L::from_arg_matches(&matches).ok()
}

/// The same command, which completes what is read as an account.
fn completing(command: Command, domain: &Domain) -> Command {
    let command = command.mut_args(|arg| {
        let read_as = arg.get_value_parser().type_id();
        if read_as == TypeId::of::<Mailbox>() {
            complete::<Mailbox>(arg, domain)
        } else if read_as == TypeId::of::<Whom>() {
            complete::<Whom>(arg, domain)
        } else {
            arg
        }
    });
    command.mut_subcommands(|subcommand| completing(subcommand, domain))
}

fn complete<T>(arg: Arg, domain: &Domain) -> Arg
where
    T: FromStr<Err: Into<Box<dyn StdError + Send + Sync>>> + Clone + Send + Sync + 'static,
{
    let domain = domain.clone();
    arg.value_parser(move |given: &str| {
        let completed = domain.complete(given);
        let is_network = given.parse::<IpNet>().is_ok();
        given.parse::<T>().or_else(|error| if is_network { Err(error) } else { completed.parse::<T>() })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CommandLine;

    #[test]
    fn a_name_is_completed_if_that_makes_an_address_of_it() {
        let domain = Domain::parse("example.org").unwrap();
        for (given, meant) in [
            ("frank", "frank@example.org"),
            ("frank@example.net", "frank@example.net"),
            ("relay:192.0.2.7", "relay:192.0.2.7"),
            ("a b", "a b"),
            ("", ""),
        ] {
            assert_eq!(completed(given.to_owned(), Some(&domain)), meant);
            assert_eq!(completed(given.to_owned(), None), given);
        }
    }

    #[test]
    fn every_account_on_the_command_line_is_completed() {
        let domain = Domain::parse("example.org").unwrap();
        for line in [
            "user add frank",
            "user show frank",
            "user rename frank francis --config x.toml",
            "user list --after frank",
            "app-password create frank --label x",
            "totp status frank",
            "identity list frank",
            "certificate list frank",
            "throttle clear frank",
            "--config x.toml user remove frank",
        ] {
            let words: Vec<OsString> =
                ["gatepost"].into_iter().chain(line.split(' ')).map(OsString::from).collect();
            assert_eq!(
                CommandLine::try_parse_from(&words).unwrap_err().kind(),
                ErrorKind::ValueValidation,
                "{line}"
            );
            let read = format!("{:?}", with_domain::<CommandLine>(&words, &domain).unwrap());
            assert!(read.contains("example.org"), "{read}");
        }
    }

    #[test]
    fn a_network_of_more_than_one_client_is_no_account() {
        let domain = Domain::parse("example.org").unwrap();
        let words = ["gatepost", "throttle", "clear", "192.0.2.0/24"].map(OsString::from);
        assert!(with_domain::<CommandLine>(&words, &domain).is_none());
    }
}
