//! Tells the program its version with the commit: of the work tree, or what `git archive` has written into `commit.txt`.
//! Without either it is the version alone.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=commit.txt");
    let version = std::env::var("CARGO_PKG_VERSION").unwrap_or_default();
    let told = match archived().or_else(checked_out) {
        Some(commit) => format!("{version} ({commit})"),
        None => version,
    };
    println!("cargo::rustc-env=GATEPOST_VERSION={told}");
}

/// `git archive` puts the commit in the place of a pattern.
fn archived() -> Option<String> {
    let commit = std::fs::read_to_string("commit.txt").ok()?;
    Some(commit.trim().to_owned()).filter(|commit| !commit.is_empty() && !commit.starts_with('$'))
}

fn checked_out() -> Option<String> {
    for name in ["HEAD", "logs/HEAD"] {
        let path = git(&["rev-parse", "--git-path", name])?;
        if Path::new(&path).exists() {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    git(&["rev-parse", "--short=10", "HEAD"])
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !text.is_empty()).then_some(text)
}
