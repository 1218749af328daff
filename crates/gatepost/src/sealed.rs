//! How to speak of sealed secrets that do not open, or will not once an old key is gone.

use std::collections::BTreeMap;

use anyhow::Error;
use auth::SealError;
use desk::OldKey;

use crate::{error_line, output};

/// Tells on stderr that something which was made just now is sealed under an old master key, if it is.
pub(crate) fn tell_old_key(old: Option<OldKey>) {
    let Some(old) = old else { return };
    output::warn(&format!(
        "it is made, and opens only as long as the old master key is in the key file: {}; `gatepost key activate` seals it anew",
        error_line::of(&Error::new(old))
    ));
}

/// How many do not open, and why.
pub(crate) fn told(faults: impl Iterator<Item = SealError>) -> String {
    let mut counts: BTreeMap<SealError, u64> = BTreeMap::new();
    faults.for_each(|fault| *counts.entry(fault).or_default() += 1);
    let all: u64 = counts.values().sum();
    let reasons: Vec<String> = counts.iter().map(|(fault, count)| format!("{count}: {fault}")).collect();
    let noun = if all == 1 { "sealed secret does" } else { "sealed secrets do" };
    format!("{all} {noun} not open ({})", reasons.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_counted_by_their_reason() {
        let faults = [SealError::Damaged, SealError::UnknownKey(1), SealError::UnknownKey(1)];
        let told = told(faults.into_iter());
        assert!(
            told.starts_with("3 sealed secrets do not open (2: it is sealed under master key 1,"),
            "{told}"
        );
        assert!(told.contains("; 1: it is damaged"), "{told}");
    }
}
