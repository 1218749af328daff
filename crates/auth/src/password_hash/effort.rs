//! What the check of a hash costs, so that the slowest can be found.

/// What the check of a hash costs. Of two hashes of a kind the one that is more work takes longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Effort {
    pub(crate) kind: &'static str,
    /// In a unit of the kind's own.
    pub(crate) work: u64,
}

impl Effort {
    /// Of Argon2.
    pub(crate) const ARGON2: &'static str = "argon2";

    pub(crate) fn is_argon2(self) -> bool {
        self.kind == Self::ARGON2
    }
}
