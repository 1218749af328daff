//! What the demo keeps in its directory: configuration, master key, CA, certificate.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use auth::{KeyFileError, MasterKeys};
use config::Config;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use submission::tls::Identity;
use types::ListenTls;

use super::certificate;

/// What the server calls itself, and the name in its certificate.
const HOSTNAME: &str = "mail.example.test";

/// A file by which a demo knows its own directory.
const MARK: &str = ".gatepost-demo";

/// The demo's directory, with absolute paths, so that printed commands work from anywhere.
pub(super) struct Directory(PathBuf);

impl Directory {
    /// Makes what is not there yet; what a demo has made is kept.
    pub(super) fn prepare(path: &Path, now: Timestamp) -> anyhow::Result<Directory> {
        let directory = Directory(std::path::absolute(path)?);
        let mut private = DirBuilder::new();
        private
            .recursive(true)
            .mode(0o700)
            .create(&directory.0)
            .with_context(|| cannot_write(&directory.0))?;
        directory.claim()?;
        directory.prepare_configuration()?;
        directory.prepare_master_key()?;
        directory.prepare_certificate(now)?;
        Ok(directory)
    }

    pub(super) fn configuration(&self) -> PathBuf {
        self.0.join("gatepost.toml")
    }

    pub(super) fn ca(&self) -> PathBuf {
        self.0.join("ca.pem")
    }

    pub(super) fn outbox(&self) -> PathBuf {
        self.0.join("outbox")
    }

    pub(super) fn log(&self) -> PathBuf {
        self.0.join("gatepost.log")
    }

    /// Has the configuration listen on this port with STARTTLS, on the next with implicit TLS, and behind that for pages; all else in it stays.
    pub(super) fn move_to_port(&self, config: &Config, port: u16) -> anyhow::Result<()> {
        let ports = [(ListenTls::StartTls, port), (ListenTls::Implicit, port + 1)];
        let moves = ports.map(|(tls, port)| {
            let listen = config.listen.iter().find(|listen| listen.tls == tls)?;
            let new = SocketAddr::new(listen.address.ip(), port);
            Some((format!("\"{}\"", listen.address), format!("\"{new}\"")))
        });
        let pages = config.web.as_ref().and_then(|web| web.listen.first());
        let pages = pages.map(|listen| {
            let (old, new) = (listen.address, SocketAddr::new(listen.address.ip(), port + 2));
            [(format!("\"{old}\""), format!("\"{new}\"")), (format!("//{old}\""), format!("//{new}\""))]
        });
        let moves: Vec<_> = moves.into_iter().flatten().chain(pages.into_iter().flatten()).collect();
        let moved = |line: &str| match moves.iter().find(|(old, _)| line.contains(old)) {
            Some((old, new)) => line.replace(old, new) + "\n",
            None => format!("{line}\n"),
        };
        let path = self.configuration();
        let text: String = fs::read_to_string(&path)?.lines().map(moved).collect();
        write(&path, &text, 0o644)
    }

    /// Marks an empty directory as a demo's. One that holds anything else is not touched: it may be a server's.
    fn claim(&self) -> anyhow::Result<()> {
        let mark = self.0.join(MARK);
        if mark.exists() {
            return Ok(());
        }
        let mut found = fs::read_dir(&self.0).with_context(|| cannot_write(&self.0))?;
        if found.next().is_some() {
            bail!(
                "{} is not empty, and no demo has made it; choose another directory with --dir",
                self.0.display()
            );
        }
        write(&mark, "The demo of Gatepost uses this directory.\n", 0o644)
    }

    fn prepare_configuration(&self) -> anyhow::Result<()> {
        let path = self.configuration();
        if path.exists() { Ok(()) } else { write(&path, include_str!("gatepost.toml"), 0o644) }
    }

    fn prepare_master_key(&self) -> anyhow::Result<()> {
        match MasterKeys::generate(&self.0.join("master.key")) {
            Ok(_) | Err(KeyFileError::Exists(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// A certificate that ends soon, or that does not go with its key, is made anew, and the CA with it.
    fn prepare_certificate(&self, now: Timestamp) -> anyhow::Result<()> {
        let (certificate, private_key) = (self.0.join("cert.pem"), self.0.join("key.pem"));
        if lasts(&certificate, &private_key, now) {
            return Ok(());
        }
        let today = now.to_zoned(TimeZone::UTC).date();
        let made = certificate::make(HOSTNAME, today)?;
        write(&self.ca(), &made.ca, 0o644)?;
        write(&private_key, &made.private_key, 0o600)?;
        write(&certificate, &made.certificate, 0o644)
    }
}

fn lasts(certificate: &Path, private_key: &Path, now: Timestamp) -> bool {
    let facts = Identity::load(certificate, private_key).and_then(|identity| identity.facts());
    let end = facts.ok().and_then(|facts| Timestamp::try_from(facts.not_after).ok());
    end.is_some_and(|end| end > now.saturating_add((7 * 24).hours()).unwrap_or(now))
}

fn write(path: &Path, text: &str, mode: u32) -> anyhow::Result<()> {
    let write = || {
        match fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?.write_all(text.as_bytes())
    };
    write().with_context(|| cannot_write(path))
}

fn cannot_write(path: &Path) -> String {
    format!("cannot write {}; choose another directory with --dir", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-21T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_second_start_finds_what_the_first_made() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("demo");
        let read = |file: PathBuf| fs::read_to_string(file).unwrap();
        let first = Directory::prepare(&path, now()).unwrap();
        let ca = read(first.ca());
        let second = Directory::prepare(&path, now()).unwrap();
        assert_eq!(ca, read(second.ca()));
        assert!(Config::load(&second.configuration()).is_ok());
    }

    #[test]
    fn another_port_stays_for_the_next_start() {
        let parent = tempfile::tempdir().unwrap();
        let directory = Directory::prepare(parent.path(), now()).unwrap();
        let ports = || -> Vec<u16> {
            let config = Config::load(&directory.configuration()).unwrap();
            config.listen.iter().map(|listen| listen.address.port()).collect()
        };
        assert_eq!(ports(), [2587, 2465]);
        let pages = || Config::load(&directory.configuration()).unwrap().web.unwrap();
        assert_eq!(pages().listen[0].address.port(), 2580);
        // 2464 and 2465: one has what the other had.
        for port in [2464, 2465, 3587, 2587] {
            directory.move_to_port(&Config::load(&directory.configuration()).unwrap(), port).unwrap();
            assert_eq!(ports(), [port, port + 1]);
            assert_eq!(pages().base_url.to_string(), format!("http://127.0.0.1:{}/", port + 2));
        }
    }

    #[test]
    fn a_directory_that_is_not_the_demos_is_left_as_it_is() {
        let parent = tempfile::tempdir().unwrap();
        let key = parent.path().join("key.pem");
        fs::write(&key, "somebody's").unwrap();
        let error = Directory::prepare(parent.path(), now()).err().unwrap().to_string();
        assert!(error.contains("is not empty, and no demo has made it; choose another"), "{error}");
        assert_eq!(fs::read_to_string(&key).unwrap(), "somebody's");
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 1);
    }

    #[test]
    fn the_certificate_is_for_this_machine_by_every_name() {
        let parent = tempfile::tempdir().unwrap();
        Directory::prepare(parent.path(), now()).unwrap();
        let file = |name: &str| parent.path().join(name);
        let facts = Identity::load(&file("cert.pem"), &file("key.pem")).unwrap().facts().unwrap();
        for name in ["localhost", "127.0.0.1", "::1", HOSTNAME] {
            assert!(facts.covers(name), "{name}");
        }
    }

    #[test]
    fn a_certificate_that_ends_soon_is_made_anew() {
        let parent = tempfile::tempdir().unwrap();
        let read = |directory: &Directory| fs::read_to_string(directory.ca()).unwrap();
        let first = read(&Directory::prepare(parent.path(), now()).unwrap());
        let later = now().checked_add((360 * 24).hours()).unwrap();
        assert_ne!(first, read(&Directory::prepare(parent.path(), later).unwrap()));
    }
}
