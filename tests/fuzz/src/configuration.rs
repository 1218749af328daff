//! The configuration: whatever stands in the file, it is read to the same meaning each time, or refused with one line that says where.

use std::path::Path;

use config::Config;

/// The text of a file.
pub(crate) fn holds(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let path = Path::new("/etc/gatepost/gatepost.toml");
    let read = || Config::parse(text, path).map_err(|error| error.to_string());
    let config = read();
    assert_eq!(config, read());
    match config {
        Ok(config) => {
            assert!(!config.listen.is_empty() && !config.hostname.is_empty());
            assert!(
                config.storage.master_key_file.is_absolute(),
                "relative to the file, not to where one stands"
            );
        }
        Err(error) => {
            let place =
                error.strip_prefix("/etc/gatepost/gatepost.toml:").unwrap_or_else(|| panic!("{error}"));
            assert!(
                place.starts_with(|first: char| first.is_ascii_digit() || first == ' '),
                "no place: {error}"
            );
            assert!(!error.contains(char::is_control), "more than a line: {error:?}");
        }
    }
}
