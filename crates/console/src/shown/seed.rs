//! The seed of a second factor as people type it.

use zeroize::Zeroizing;

/// Letters in fours.
pub(crate) fn grouped(seed: &str) -> Zeroizing<String> {
    let mut grouped = Zeroizing::new(String::with_capacity(seed.len() * 2));
    for (at, letter) in seed.chars().enumerate() {
        if at > 0 && at % 4 == 0 {
            grouped.push(' ');
        }
        grouped.push(letter);
    }
    grouped
}
