//! Profiles: a server under a name, kept in the user's own configuration directory. There is no password in them.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context as _, bail};

use super::server::Server;

/// For its owner alone.
const FILE_MODE: u32 = 0o600;
const DIRECTORY_MODE: u32 = 0o700;

/// The name of a profile, and of its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name(String);

impl FromStr for Name {
    type Err = &'static str;

    fn from_str(given: &str) -> Result<Self, Self::Err> {
        let plain = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_' | b'.');
        match !given.is_empty() && given.len() <= 64 && !given.starts_with('.') && given.bytes().all(plain) {
            true => Ok(Name(given.to_owned())),
            false => Err("a name has letters, digits, - _ and . only, and does not begin with a dot"),
        }
    }
}

/// Reads a profile.
///
/// # Errors
/// When there is none of that name, or it can't be read or understood.
pub(crate) fn load(name: &Name) -> anyhow::Result<Server> {
    load_from(&path(&directory()?, name), name)
}

fn load_from(path: &Path, name: &Name) -> anyhow::Result<Server> {
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let Name(name) = name;
            bail!(
                "there is no profile {name}: {} is not there; make it by --save-profile {name}",
                path.display()
            )
        }
        read => read.with_context(|| format!("cannot read the profile {}", path.display()))?,
    };
    toml::from_str(&text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let (line, message) = (before.matches('\n').count() + 1, error.message());
        let Name(name) = name;
        anyhow::anyhow!(
            "{}:{line}: {message}; fix it, or make it anew by --save-profile {name}",
            path.display()
        )
    })
}

/// Writes a profile, in the place of one of that name, and says where.
///
/// # Errors
/// When it can't be written.
pub(crate) fn save(name: &Name, server: &Server) -> anyhow::Result<PathBuf> {
    save_in(&directory()?, name, server)
}

fn save_in(directory: &Path, name: &Name, server: &Server) -> anyhow::Result<PathBuf> {
    let path = path(directory, name);
    let write = || {
        DirBuilder::new().recursive(true).mode(DIRECTORY_MODE).create(directory)?;
        let new = directory.join(format!(".{}.{}", name.0, std::process::id()));
        let mut file = OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(&new)?;
        let written = toml::to_string(server).map_err(io::Error::other);
        let written = written.and_then(|text| file.write_all(text.as_bytes())).and_then(|()| file.sync_all());
        // It takes the place of the other only as a whole.
        written.and_then(|()| fs::rename(&new, &path)).inspect_err(|_| drop(fs::remove_file(&new)))
    };
    write().with_context(|| format!("cannot write the profile {}", path.display()))?;
    Ok(path)
}

fn path(directory: &Path, Name(name): &Name) -> PathBuf {
    directory.join(format!("{name}.toml"))
}

/// As the XDG base directory specification has it, which ignores relative paths.
fn directory() -> anyhow::Result<PathBuf> {
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || absolute("HOME").map(|home| home.join(".config"));
    let configuration = absolute("XDG_CONFIG_HOME").or_else(home);
    let configuration = configuration
        .context("there is no place for profiles; set HOME or XDG_CONFIG_HOME to a directory")?;
    Ok(configuration.join("gatepost/profiles"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::cmd::send::server::Tls;

    fn server() -> Server {
        Server {
            host: "mail.example.org".to_owned(),
            port: 2587,
            tls: Tls::StartTls,
            user: Some("alice@example.org".to_owned()),
            ca: None,
        }
    }

    #[test]
    fn a_profile_comes_back_as_it_was_kept_and_is_its_owners_alone() {
        let directory = tempfile::tempdir().unwrap();
        let (place, name) = (directory.path().join("gatepost/profiles"), "work".parse().unwrap());
        for _ in 0..2 {
            let path = save_in(&place, &name, &server()).unwrap();
            assert_eq!(load_from(&path, &name).unwrap(), server());
            let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!((mode(&path), mode(&place)), (0o600, 0o700));
        }
        assert_eq!(fs::read_dir(&place).unwrap().count(), 1);
        assert_eq!(
            fs::read_to_string(place.join("work.toml")).unwrap(),
            "host = \"mail.example.org\"\nport = 2587\ntls = \"starttls\"\nuser = \"alice@example.org\"\n"
        );
    }

    #[test]
    fn what_is_no_profile_is_told_with_its_line() {
        let directory = tempfile::tempdir().unwrap();
        let (path, name) = (directory.path().join("a.toml"), "a".parse().unwrap());
        assert!(load_from(&path, &name).unwrap_err().to_string().contains("--save-profile a"));
        for (text, line) in [
            ("host = \"a\"\nport = 465\ntls = \"off\"\n", 3),
            ("host = \"a\"\npassword = \"x\"\n", 2),
            ("host\n", 1),
        ] {
            fs::write(&path, text).unwrap();
            let error = load_from(&path, &name).unwrap_err().to_string();
            assert!(error.contains(&format!("a.toml:{line}: ")), "{error}");
        }
    }

    #[test]
    fn a_name_leads_nowhere_else() {
        for given in ["", "..", ".a", "a/b", "/etc/passwd", "a b", "a\n", "é"] {
            assert!(given.parse::<Name>().is_err(), "{given:?}");
        }
        assert!("my-Server_2.example".parse::<Name>().is_ok());
    }
}
