//! `[storage]`: where accounts and the queue are kept.

use std::path::PathBuf;

use serde::Deserialize;
use toml::Spanned;

use crate::fault::Fault;
use crate::value::Base;

/// Where accounts and the queue are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Storage {
    /// The directory of the SQLite store.
    pub directory: PathBuf,
    /// The file of the master key, from which the keys of app passwords are derived.
    pub master_key_file: PathBuf,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Written {
    url: Option<Spanned<String>>,
    master_key_file: Option<Spanned<String>>,
}

const RIGHT_URL: &str = "write \"sqlite:DIRECTORY\", such as \"sqlite:/var/lib/gatepost\"";
const RIGHT_KEY: &str = "write a path, and make the file with `gatepost key generate FILE`";

pub(crate) fn mean(written: Option<Spanned<Written>>, base: &Base) -> Result<Storage, Fault> {
    let section = written.ok_or_else(|| {
        Fault::missing(None, "storage", "write a [storage] section with url and master_key_file")
    })?;
    let at = section.span().start;
    let Written { url, master_key_file } = section.into_inner();
    let url = url.ok_or_else(|| Fault::missing(Some(at), "storage.url", RIGHT_URL))?;
    Ok(Storage {
        directory: base.join(directory(&url)?),
        master_key_file: base.required(master_key_file, at, "storage.master_key_file", RIGHT_KEY)?,
    })
}

fn directory(url: &Spanned<String>) -> Result<&str, Fault> {
    let text = url.get_ref().as_str();
    if text.starts_with("postgres:") || text.starts_with("postgresql:") {
        return Err(Fault::at(url, format!("PostgreSQL comes with a later version; {RIGHT_URL}")));
    }
    let path = text.strip_prefix("sqlite:").map(|path| path.strip_prefix("//").unwrap_or(path));
    path.filter(|path| !path.is_empty())
        .ok_or_else(|| Fault::at(url, format!("\"{text}\" is not a store; {RIGHT_URL}")))
}
