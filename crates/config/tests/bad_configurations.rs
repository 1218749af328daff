//! Each file in `tests/bad` is refused with exactly the message of its first line.

#![expect(clippy::unwrap_used, reason = "a test")]

use std::fs;
use std::path::{Path, PathBuf};

use config::Config;

fn bad_files() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad");
    fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn each_bad_configuration_is_explained_in_one_line() {
    let files = bad_files();
    assert!(files.len() >= 40, "only {} files", files.len());
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let expected = text.lines().next().unwrap().strip_prefix("# ").unwrap();
        let Err(error) = Config::load(&file) else { panic!("{} was taken", file.display()) };
        let said = error.to_string();
        let said = said.strip_prefix(&format!("{}:", file.display())).unwrap();
        assert_eq!(said, expected, "{}", file.display());
        assert!(!said.contains('\n'), "more than a line: {said}");
        assert!(said.contains("; "), "does not say what would be right: {said}");
    }
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = Config::load(Path::new("/nonexistent/gatepost.toml")).unwrap_err().to_string();
    assert!(error.starts_with("/nonexistent/gatepost.toml: cannot be read: "), "{error}");
}
