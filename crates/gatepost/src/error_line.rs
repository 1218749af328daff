//! An error as people read it: one line, with what to do about it.

use std::io::{self, ErrorKind};

/// An error with its causes, on one line, so that a script or a log can take it whole. A cause that its
/// effect has told already is not told twice.
pub(crate) fn of(error: &anyhow::Error) -> String {
    let mut told = String::new();
    for cause in error.chain().map(|cause| flat(&cause.to_string())) {
        if !told.contains(&cause) {
            told.push_str(if told.is_empty() { "" } else { ": " });
            told.push_str(&cause);
        }
    }
    if is_denied(error) {
        told.push_str("; run this as somebody who may, such as the user of the server");
    }
    told
}

fn flat(text: &str) -> String {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ")
}

fn is_denied(error: &anyhow::Error) -> bool {
    let mut causes = error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>());
    causes.any(|cause| cause.kind() == ErrorKind::PermissionDenied)
}

#[cfg(test)]
mod tests {
    use anyhow::{Context as _, anyhow};

    use super::*;

    #[test]
    fn an_error_is_one_line_that_tells_each_cause_once() {
        let error =
            anyhow!("no such file").context("a.toml: no such file; name another").context("two\n  lines\n");
        assert_eq!(of(&error), "two; lines: a.toml: no such file; name another");
    }

    #[test]
    fn whoever_may_not_is_told_to_be_somebody_else() {
        let denied = Err::<(), _>(io::Error::from(ErrorKind::PermissionDenied)).context("cannot read a.key");
        let line = of(&denied.unwrap_err());
        assert!(line.starts_with("cannot read a.key: permission denied; run this as "), "{line}");
    }
}
