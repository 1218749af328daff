//! `hostname`: the name the server goes by.

use toml::Spanned;

use crate::fault::Fault;

const RIGHT: &str = "write the full name of this server, such as \"mail.example.org\"";

pub(crate) fn mean(written: Option<Spanned<String>>) -> Result<String, Fault> {
    let written = written.ok_or_else(|| Fault::missing(None, "hostname", RIGHT))?;
    if !is_hostname(written.get_ref()) {
        return Err(Fault::at(&written, format!("\"{}\" is not a host name; {RIGHT}", written.get_ref())));
    }
    Ok(written.into_inner())
}

/// Letters, digits and hyphens in labels of at most 63 octets, 255 in all (RFC 5321 sections 2.3.5 and
/// 4.5.3.1.2); stricter than what clients may say, since it goes into every reply and trace line.
pub(crate) fn is_hostname(name: &str) -> bool {
    name.len() <= 255 && name.split('.').all(is_label)
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label.bytes().all(|octet| octet.is_ascii_alphanumeric() || octet == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}
