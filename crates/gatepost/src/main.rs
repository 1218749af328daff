//! An authenticating mail submission server: the command line, and the composition of everything else.
//!
//! This file says what can be typed and which file does it; each subcommand is one file in [`cmd`].
//! Errors go to stderr here and nowhere else, each as one line.
//!
//! Modules stand in this order: what is typed, the server, what both of them open, what the process has of its system, and
//! how it speaks with people.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

use self::runtime::block_on;

mod argument;
mod default_domain;
mod cmd;

mod opened;
mod runtime;
mod serve;
mod signals;
mod reload;
mod parts;
mod tasks;
mod listen_error;
mod upkeep;
mod tls_reports;
mod webhooks;
mod operations;
mod lights;
mod status_socket;
mod pages;

mod owner;
mod open;
mod storage_privacy;
mod wiring;
mod sealed;
mod scram;
mod import;

mod finding;
mod warnings;
mod descriptors;
mod core_files;
mod clock;
mod clock_steps;
mod actor;
mod log;

mod prompt;
mod output;
mod printable;
mod qr;
mod error_line;
mod suggestion;

/// With the commit that it was built from, if that is known.
const VERSION: &str = env!("GATEPOST_VERSION");

const EXIT_CODES: &str = "Exit codes: 0, it is done. 1, it could not be done, or not all of it, or what was asked has the answer no (`check` found \
                          an error, `auth test` refused); standard error says in one line why, and what to do about it. 2, the command line \
                          is not understood, and nothing is done.";

/// The mail submission server: proves who sends, keeps the message safe, carries it on.
#[derive(Debug, Parser)]
#[command(name = "gatepost", version = VERSION, after_long_help = EXIT_CODES, arg_required_else_help = true, propagate_version = true)]
pub(crate) struct CommandLine {
    /// The configuration file
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "GATEPOST_CONFIG",
        default_value = "/etc/gatepost/gatepost.toml"
    )]
    config: PathBuf,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Try it with nothing to set up: a server on local ports that delivers into a Maildir
    Demo(cmd::demo::Args),
    /// Run the server
    Serve,
    /// Read configuration, certificates, key and store, and say what is wrong
    Check(cmd::check::Args),
    /// Say how the running server is: lights, queue, logins, store
    Status(cmd::status::Args),
    /// Make and change accounts
    #[command(subcommand)]
    User(cmd::user::Command),
    /// Make, list and revoke app passwords
    #[command(subcommand)]
    AppPassword(cmd::app_password::Command),
    /// Certificates that clients log in with
    #[command(subcommand)]
    Certificate(cmd::certificate::Command),
    /// Two-factor authentication: the second factor of an account
    #[command(subcommand)]
    Totp(cmd::totp::Command),
    /// Invite somebody to choose the password of their account: print a link for them, once
    Invite(cmd::invite::Args),
    /// Who is signed in to an account in a browser, and ending that
    #[command(subcommand)]
    Session(cmd::session::Command),
    /// Make, list and revoke API tokens
    #[command(subcommand)]
    Token(cmd::token::Command),
    /// Whom an account may send as besides itself
    #[command(subcommand)]
    Identity(cmd::identity::Command),
    /// Who is locked out after failed logins, and letting them in
    #[command(subcommand)]
    Throttle(cmd::throttle::Command),
    /// Who logged in or tried to, and what was changed
    #[command(subcommand)]
    Audit(cmd::audit::Command),
    /// Explain what comes of a login
    #[command(subcommand)]
    Auth(cmd::auth::Command),
    /// The master keys
    #[command(subcommand)]
    Key(cmd::key::Command),
    /// The servers that use the store
    #[command(subcommand)]
    Nodes(cmd::nodes::Command),
    /// The keys that sign the mail of a domain
    #[command(subcommand)]
    Dkim(cmd::dkim::Command),
    /// The DNS records that a domain needs whose mail leaves here
    Dns(cmd::dns::Args),
    /// What has been accepted and is not yet delivered
    #[command(subcommand)]
    Queue(cmd::queue::Command),
    /// What was sent: list it, show it, take it back, stop it
    #[command(subcommand)]
    Message(cmd::message::Command),
    /// The pages and the API, from outside of the server
    #[command(subcommand)]
    Web(cmd::web::Command),
    /// Whom the server tells of what happens, by HTTPS
    #[command(subcommand)]
    Webhook(cmd::webhook::Command),
    /// The store as a whole: migrate it, back it up, check it
    #[command(subcommand)]
    Store(cmd::store::Command),
    /// Send mail over a server, strictly: TLS verified or nothing, and everything checked before
    Send(Box<cmd::send::Args>),
    /// Print the completion script of a shell
    Completions(cmd::completions::Args),
    /// Write the manual pages into a directory
    Man(cmd::man::Args),
}

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().collect();
    let line = default_domain::parse(&words, |line: &CommandLine| &line.config).unwrap_or_else(|error| {
        let typed = words.iter().map(|word| word.to_string_lossy().into_owned());
        suggestion::meant(error, CommandLine::command(), typed).exit()
    });
    match run(line) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let hint = error.downcast_ref().and_then(cmd::hint::of).unwrap_or_default();
            output::last_word(&format!("{}{hint}", error_line::of(&error)));
            ExitCode::FAILURE
        }
    }
}

fn run(line: CommandLine) -> anyhow::Result<()> {
    core_files::forbid()?;
    actor::remember();
    let CommandLine { config, command } = line;
    match command {
        // These two open what they need before there is a runtime.
        Command::Demo(args) => cmd::demo::run(&args),
        Command::Serve => cmd::serve::run(&config),
        Command::Check(args) => block_on(cmd::check::run(&config, &args)),
        Command::Status(args) => block_on(cmd::status::run(&config, &args)),
        Command::User(command) => block_on(cmd::user::run(&config, command)),
        Command::AppPassword(command) => block_on(cmd::app_password::run(&config, command)),
        Command::Certificate(command) => block_on(cmd::certificate::run(&config, command)),
        Command::Totp(command) => block_on(cmd::totp::run(&config, command)),
        Command::Invite(args) => block_on(cmd::invite::run(&config, args)),
        Command::Session(command) => block_on(cmd::session::run(&config, command)),
        Command::Token(command) => block_on(cmd::token::run(&config, command)),
        Command::Identity(command) => block_on(cmd::identity::run(&config, command)),
        Command::Throttle(command) => block_on(cmd::throttle::run(&config, command)),
        Command::Audit(command) => block_on(cmd::audit::run(&config, command)),
        Command::Auth(command) => block_on(cmd::auth::run(&config, command)),
        Command::Key(command) => block_on(cmd::key::run(&config, command)),
        Command::Nodes(command) => block_on(cmd::nodes::run(&config, command)),
        Command::Dkim(command) => block_on(cmd::dkim::run(&config, command)),
        Command::Dns(args) => block_on(cmd::dns::run(&config, args)),
        Command::Queue(command) => block_on(cmd::queue::run(&config, command)),
        Command::Message(command) => block_on(cmd::message::run(&config, command)),
        Command::Web(command) => cmd::web::run(command),
        Command::Webhook(command) => block_on(cmd::webhook::run(&config, command)),
        Command::Store(command) => block_on(cmd::store::run(&config, command)),
        Command::Send(args) => block_on(cmd::send::run(&args)),
        Command::Completions(args) => cmd::completions::run(&args),
        Command::Man(args) => cmd::man::run(&args),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn the_configuration_is_named_before_or_after_the_verb() {
        for line in [
            ["gatepost", "--config", "a.toml", "user", "list"],
            ["gatepost", "user", "--config", "a.toml", "list"],
            ["gatepost", "user", "list", "--config", "a.toml"],
        ] {
            assert_eq!(
                CommandLine::try_parse_from(line).unwrap().config,
                PathBuf::from("a.toml"),
                "{line:?}"
            );
        }
    }

    #[test]
    fn a_secret_is_no_argument() {
        for line in [
            &["gatepost", "user", "add", "alice@example.org", "secret"][..],
            &["gatepost", "user", "add", "alice@example.org", "--password", "secret"],
            &["gatepost", "user", "password", "alice@example.org", "secret"],
            &["gatepost", "user", "password", "alice@example.org", "--password-stdin=secret"],
        ] {
            assert_eq!(CommandLine::try_parse_from(line).unwrap_err().exit_code(), 2, "{line:?}");
        }
    }
}
