//! `[auth.argon2]`: what the hash of an account password costs.

use serde::Deserialize;
use toml::Spanned;

use crate::fault::Fault;
use crate::value::{self, Size};

/// What the hash of an account password costs to make, and to check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Argon2 {
    /// Memory of one run, in KiB.
    pub memory_kib: u32,
    /// Passes over that memory.
    pub passes: u32,
}

impl Default for Argon2 {
    fn default() -> Argon2 {
        Argon2 { memory_kib: 19 * 1024, passes: 2 }
    }
}

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

/// The most is what a hash in the store may ask for; the least, the smallest memory that OWASP recommends with any number of
/// passes (Password Storage Cheat Sheet: 46 MiB in 1 pass, 19 in 2, 12 in 3, 9 in 4, 7 in 5).
const MEMORY: std::ops::RangeInclusive<u64> = 7 * MIB..=256 * MIB;
const PASSES: std::ops::RangeInclusive<u32> = 1..=16;

/// Memory times passes, in KiB: the weakest of those recommendations.
const LEAST_WORK: u64 = 35 * 1024;

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Written {
    memory: Option<Spanned<Size>>,
    passes: Option<Spanned<i64>>,
}

impl Written {
    pub(crate) fn mean(self) -> Result<Argon2, Fault> {
        let default = Argon2::default();
        let first = [self.memory.as_ref().map(Spanned::span), self.passes.as_ref().map(Spanned::span)];
        let memory = value::size(self.memory, u64::from(default.memory_kib) * KIB, MEMORY)?;
        let passes = value::number(self.passes, default.passes, PASSES)?;
        let memory_kib = u32::try_from(memory / KIB).unwrap_or(u32::MAX);
        match first.into_iter().flatten().next() {
            Some(span) if u64::from(memory_kib) * u64::from(passes) < LEAST_WORK => {
                Err(Fault::at(&Spanned::new(span, ()), too_little(memory, passes)))
            }
            Some(_) | None => Ok(Argon2 { memory_kib, passes }),
        }
    }
}

fn too_little(memory: u64, passes: u32) -> String {
    let memory = value::show_size(memory);
    format!(
        "{memory} in {passes} passes is too little to slow down whoever guesses; memory times passes must be 35 MiB or more, \
         such as \"19 MiB\" and 2"
    )
}
