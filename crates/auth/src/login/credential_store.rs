//! What a store must have for logins.

use store::{
    Accounts, AppPasswords, Audit, Certificates, ChallengeKeys, Identities, SealedSecrets, SecondFactors,
    Throttles,
};

/// A store with all that logging in needs.
pub trait CredentialStore:
    Accounts
    + AppPasswords
    + Audit
    + Certificates
    + ChallengeKeys
    + Identities
    + SealedSecrets
    + SecondFactors
    + Throttles
{
}

impl<S> CredentialStore for S where
    S: Accounts
        + AppPasswords
        + Audit
        + Certificates
        + ChallengeKeys
        + Identities
        + SealedSecrets
        + SecondFactors
        + Throttles
{
}
