//! The parts of the pages, of which a listener serves those that it is told to.

/// A part of the pages.
///
/// Exhaustive: what a listener shows to whoever can reach it must not be decided by an arm for everything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WebPart {
    /// Those of one's own account.
    Account,
    /// Those of administration.
    Admin,
    /// What mail programs are set up with: the settings of the server, for people and for programs.
    Clients,
    /// What both do, for programs with a token.
    Api,
    /// What the server does, in figures for programs.
    Metrics,
    /// Whether it lives, and can do its work, for whoever watches over it.
    Health,
}

impl WebPart {
    /// Every part.
    pub const ALL: [Self; 6] =
        [Self::Account, Self::Admin, Self::Clients, Self::Api, Self::Metrics, Self::Health];

    /// The part as it is written in a configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Admin => "admin",
            Self::Clients => "clients",
            Self::Api => "api",
            Self::Metrics => "metrics",
            Self::Health => "health",
        }
    }
}
