//! The choices about TLS: when it begins on a listener, how a host's certificate is taken, which versions are spoken.

/// When TLS begins on a connection.
///
/// Exhaustive: whether a connection is protected must not be decided by an arm for everything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ListenTls {
    /// With the STARTTLS command (RFC 3207), as on port 587.
    StartTls,
    /// At once (RFC 8314 section 3.3), as on port 465.
    Implicit,
    /// Never: for development, or behind something that ends TLS. Nobody can log in then, unless the settings of the session allow
    /// AUTH without TLS.
    Off,
}

impl ListenTls {
    /// Every choice.
    pub const ALL: [Self; 3] = [Self::StartTls, Self::Implicit, Self::Off];

    /// The choice as it is written in a configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::StartTls => "starttls",
            Self::Implicit => "implicit",
            Self::Off => "off",
        }
    }
}

/// How TLS to a fixed host is used.
///
/// Exhaustive: whether a connection is protected must not be decided by an arm for everything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HostTls {
    /// With a certificate for the host's name, or the mail stays.
    Verify,
    /// If it is offered, whatever the certificate; in the clear otherwise.
    Opportunistic,
    /// Never.
    Off,
}

impl HostTls {
    /// Every choice.
    pub const ALL: [Self; 3] = [Self::Verify, Self::Opportunistic, Self::Off];

    /// The choice as it is written in a configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Verify => "verify",
            Self::Opportunistic => "opportunistic",
            Self::Off => "off",
        }
    }
}

/// A version of TLS; older ones are not spoken at all (RFC 8996).
///
/// Exhaustive: another one is a new version of these packages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TlsVersion {
    /// TLS 1.2, RFC 5246.
    #[default]
    V1_2,
    /// TLS 1.3, RFC 8446.
    V1_3,
}

impl TlsVersion {
    /// Every version, the oldest first.
    pub const ALL: [Self; 2] = [Self::V1_2, Self::V1_3];

    /// The version as it is written in a configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::V1_2 => "1.2",
            Self::V1_3 => "1.3",
        }
    }
}
