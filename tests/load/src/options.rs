//! The command line.

use std::io::BufRead;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::{Parser, ValueEnum};

/// A load generator for mail submission servers: logs in over TLS, hands in messages, prints one line of JSON.
///
/// Every connection makes a full TLS handshake unless --resume is given. The server's certificate is always
/// verified, once a run for each certificate; the signature over each handshake is checked each time.
#[derive(Debug, Parser)]
#[command(name = "load")]
pub(crate) struct Options {
    /// What to do on each connection.
    #[arg(long, value_enum, default_value_t = Mode::Send)]
    pub(crate) mode: Mode,
    /// The server, HOST:PORT.
    #[arg(long)]
    pub(crate) address: String,
    /// How TLS begins.
    #[arg(long, value_enum, default_value_t = Tls::Implicit)]
    pub(crate) tls: Tls,
    /// The CA certificate(s) to trust, PEM.
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: PathBuf,
    /// The name the certificate must have [default: the host of --address].
    #[arg(long, value_name = "NAME")]
    pub(crate) server_name: Option<String>,
    /// Offer X25519MLKEM768 first, as new clients do, or X25519 alone.
    #[arg(long, value_enum, default_value_t = KeyExchange::Hybrid)]
    pub(crate) key_exchange: KeyExchange,
    /// Resume TLS sessions; without it each connection makes a full handshake.
    #[arg(long)]
    pub(crate) resume: bool,

    /// The account to log in as.
    #[arg(long, value_name = "NAME")]
    pub(crate) user: String,
    /// Read the password from the first line of standard input.
    #[arg(long, conflicts_with = "password_file", required_unless_present = "password_file")]
    pub(crate) password_stdin: bool,
    /// Read the password from the first line of FILE.
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
    /// The SASL mechanism.
    #[arg(long, value_enum, default_value_t = Mechanism::Plain)]
    pub(crate) mechanism: Mechanism,

    /// Connections at a time; in idle mode, connections to hold.
    #[arg(long, value_name = "N", default_value_t = 32)]
    pub(crate) concurrency: usize,
    /// Messages in all; in login mode, log-ins in all.
    #[arg(long, value_name = "N", default_value_t = 1000, conflicts_with = "seconds")]
    pub(crate) messages: u64,
    /// Go on for so long instead of counting messages.
    #[arg(long, value_name = "SECONDS")]
    pub(crate) seconds: Option<u64>,
    /// Messages sent on each connection.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) per_connection: u64,
    /// Octets of each message, header included.
    #[arg(long, value_name = "OCTETS", default_value_t = 4096)]
    pub(crate) size: usize,
    /// The reverse-path, and the From field [default: --user].
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) from: Option<String>,
    /// A recipient; may be given several times.
    #[arg(long, value_name = "ADDRESS", default_value = "rcpt@example.net")]
    pub(crate) to: Vec<String>,
    /// Wait for each reply, though the server offers PIPELINING.
    #[arg(long)]
    pub(crate) no_pipelining: bool,
    /// Give up on a reply after so long.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub(crate) timeout: u64,

    /// A process of the server: CPU and memory of it and of all its descendants are reported. May be repeated.
    #[arg(long, value_name = "PID")]
    pub(crate) server_pid: Vec<u32>,
    /// In idle mode: keep the connections until standard input closes.
    #[arg(long)]
    pub(crate) hold: bool,
    /// Threads of the load generator itself.
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub(crate) threads: usize,
}

/// What happens on each connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mode {
    /// Log in, send messages, QUIT.
    Send,
    /// Log in, QUIT.
    Login,
    /// Log in and hold the connection.
    Idle,
}

/// How TLS begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Tls {
    /// STARTTLS, as on port 587.
    Starttls,
    /// TLS from the first octet, as on port 465.
    Implicit,
}

/// The key exchanges offered in TLS 1.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum KeyExchange {
    /// X25519MLKEM768, then X25519.
    Hybrid,
    /// X25519 alone.
    X25519,
}

/// The SASL mechanism used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mechanism {
    /// RFC 4616, with an initial response.
    Plain,
    /// The two prompts of draft-murchison-sasl-login.
    Login,
}

impl Options {
    /// The password, from where the options say.
    pub(crate) fn password(&self) -> anyhow::Result<String> {
        let mut line = String::new();
        match &self.password_file {
            Some(file) => {
                let text = std::fs::read_to_string(file);
                line = text.with_context(|| format!("cannot read {}", file.display()))?;
            }
            None => {
                std::io::stdin().lock().read_line(&mut line).context("cannot read standard input")?;
            }
        }
        match line.lines().next() {
            Some(password) if !password.is_empty() => Ok(password.to_owned()),
            _ => bail!("the password is empty"),
        }
    }

    /// The reverse-path of the messages.
    pub(crate) fn sender(&self) -> &str {
        self.from.as_deref().unwrap_or(&self.user)
    }

    /// The host part of `--address`.
    pub(crate) fn host(&self) -> &str {
        let host = self.address.rsplit_once(':').map_or(self.address.as_str(), |(host, _)| host);
        host.trim_start_matches('[').trim_end_matches(']')
    }

    /// How long a reply may take.
    pub(crate) fn reply_timeout(&self) -> Duration {
        Duration::from_secs(self.timeout)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Options::command().debug_assert();
    }

    #[test]
    fn the_host_loses_port_and_brackets() {
        let with = |address: &str| {
            Options::parse_from([
                "load",
                "--address",
                address,
                "--ca",
                "x",
                "--user",
                "u",
                "--password-stdin",
            ])
        };
        assert_eq!(with("localhost:465").host(), "localhost");
        assert_eq!(with("[::1]:465").host(), "::1");
    }
}
