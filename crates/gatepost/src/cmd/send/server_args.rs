//! Which server is meant: from the command line, a profile, or both.

use std::path::{Path, PathBuf};

use anyhow::bail;

use super::profile::{self, Name};
use super::server::{Server, Tls};

#[derive(Debug, clap::Args)]
pub(crate) struct ServerArgs {
    /// The server that takes the mail, by the name that its certificate has
    #[arg(long, value_name = "HOST", required_unless_present = "profile")]
    host: Option<String>,
    /// Its port; by default 465 with implicit TLS, 587 with STARTTLS
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    port: Option<u16>,
    /// When TLS begins; by default as the port is used, and at once without a port
    #[arg(long, value_name = "WHEN")]
    tls: Option<Tls>,
    /// A file with a CA that is trusted besides those of the system
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// The name to log in with; without one there is no login
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Take what is not given here from this profile
    #[arg(long, value_name = "NAME", conflicts_with = "save_profile")]
    profile: Option<Name>,
    /// Keep host, port, TLS, CA and user under this name, once the login has worked; never the password
    #[arg(long, value_name = "NAME")]
    pub(super) save_profile: Option<Name>,
}

impl ServerArgs {
    /// The server that is meant. What the command line says goes before what the profile says.
    ///
    /// # Errors
    /// When the profile can't be read, or something is missing that has no default.
    pub(crate) fn server(&self) -> anyhow::Result<Server> {
        let kept = self.profile.as_ref().map(profile::load).transpose()?;
        let host = self.host.as_deref().or(kept.as_ref().map(|kept| kept.host.as_str()));
        let Some(host) = host else {
            bail!("no server is named; give --host, such as --host mail.example.org")
        };
        let (tls, port) = self.tls_and_port(kept.as_ref())?;
        Ok(Server {
            host: without_brackets(host).to_owned(),
            port,
            tls,
            user: self.user.clone().or_else(|| kept.as_ref()?.user.clone()),
            ca: self.ca.as_deref().map(absolute).transpose()?.or_else(|| kept.as_ref()?.ca.clone()),
        })
    }

    /// A port that is given says how it is used, if it is one of the two that are registered.
    fn tls_and_port(&self, kept: Option<&Server>) -> anyhow::Result<(Tls, u16)> {
        let (kept_tls, kept_port) = (kept.map(|kept| kept.tls), kept.map(|kept| kept.port));
        Ok(match (self.tls, self.port) {
            (Some(tls), Some(port)) => (tls, port),
            (Some(tls), None) if kept_tls == Some(tls) => (tls, kept_port.unwrap_or_else(|| tls.port())),
            (Some(tls), None) => (tls, tls.port()),
            (None, Some(port)) if kept_port == Some(port) => (kept_tls.unwrap_or(Tls::Implicit), port),
            (None, Some(465)) => (Tls::Implicit, 465),
            (None, Some(587)) => (Tls::StartTls, 587),
            (None, Some(port)) => {
                bail!("port {port} may be used in either way; say --tls implicit or --tls starttls")
            }
            (None, None) => {
                (kept_tls.unwrap_or(Tls::Implicit), kept_port.unwrap_or_else(|| Tls::Implicit.port()))
            }
        })
    }
}

fn without_brackets(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

/// A profile is used from other directories, too.
fn absolute(path: &Path) -> anyhow::Result<PathBuf> {
    Ok(std::path::absolute(path)?)
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use types::HostTls;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        server: ServerArgs,
    }

    fn server(words: &[&str]) -> anyhow::Result<Server> {
        Line::parse_from([&["send"], words].concat()).server.server()
    }

    #[test]
    fn port_and_tls_follow_from_each_other() {
        for (words, tls, port) in [
            (&["--host", "a.example"][..], Tls::Implicit, 465),
            (&["--host", "a.example", "--tls", "starttls"], Tls::StartTls, 587),
            (&["--host", "a.example", "--port", "587"], Tls::StartTls, 587),
            (&["--host", "a.example", "--port", "465"], Tls::Implicit, 465),
            (&["--host", "a.example", "--port", "2465", "--tls", "implicit"], Tls::Implicit, 2465),
        ] {
            let server = server(words).unwrap();
            assert_eq!((server.tls, server.port), (tls, port), "{words:?}");
        }
        let error = server(&["--host", "a.example", "--port", "2587"]).unwrap_err();
        assert!(error.to_string().contains("--tls starttls"), "{error}");
    }

    #[test]
    fn there_is_no_way_to_ask_for_no_tls() {
        for tls in ["off", "none", "opportunistic", ""] {
            assert!(Line::try_parse_from(["send", "--host", "a.example", "--tls", tls]).is_err(), "{tls:?}");
        }
        let server = server(&["--host", "[::1]"]).unwrap();
        assert_eq!(server.next_host(Vec::new(), None).tls, HostTls::Verify);
        assert_eq!(server.shown(), "[::1]:465");
    }
}
