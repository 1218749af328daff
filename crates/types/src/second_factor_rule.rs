//! Whether everybody needs a second factor.

/// Whether everybody needs a second factor.
///
/// Exhaustive: who gets in without one must not be decided by an arm for everything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SecondFactorRule {
    /// Whoever wants one sets one up.
    Optional,
    /// Whoever signs in without one is led to set one up, and sees no other page before.
    Required,
}

impl SecondFactorRule {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Optional, Self::Required];

    /// The rule as it is written in a configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Optional => "optional",
            Self::Required => "required",
        }
    }
}
