//! Second factors: the sealed seed of a TOTP (RFC 6238), the steps that are used up, and recovery codes.

use std::future::Future;

use jiff::Timestamp;
use types::AccountId;

use crate::{Act, Error};

/// A day of steps (RFC 6238 section 4.1: 30 seconds each). A step further ahead of the present was used by a clock that was ahead.
pub const STEPS_AHEAD: u64 = 2880;

/// The second factor of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecondFactor {
    /// The seed, sealed.
    pub seed: Vec<u8>,
    /// When it was made: what tells this seed from others of the account.
    pub enrolled_at: Timestamp,
    /// Since when it is on; `None` while it waits for its first code.
    pub confirmed_at: Option<Timestamp>,
    /// This time step and all before it are used up.
    pub last_step: u64,
    /// How many recovery codes are left.
    pub recovery_codes: u32,
}

/// A second factor that is on from the start: its first code was right before it was kept.
#[derive(Debug, Clone)]
pub struct NewSecondFactor {
    /// The seed, sealed.
    pub seed: Vec<u8>,
    /// When it was made, as it was sealed with.
    pub enrolled_at: Timestamp,
    /// The step of its first code, which is used up.
    pub step: u64,
    /// The digests of its recovery codes.
    pub recovery_codes: Vec<[u8; 32]>,
}

/// The second factors. Seeds are sealed and recovery codes digested before they come here.
pub trait SecondFactors: Send + Sync + 'static {
    /// Prepares a second factor in place of one that was never confirmed, `enrolled_at` the time of the act;
    /// [`Error::AlreadyExists`] if one is on, [`Error::NotFound`] without such an account. Audited.
    fn enroll(
        &self,
        account: AccountId,
        seed: &[u8],
        act: &Act,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// The second factor of an account, on or only prepared.
    fn second_factor(
        &self,
        account: AccountId,
    ) -> impl Future<Output = Result<Option<SecondFactor>, Error>> + Send;

    /// Switches on the second factor that was prepared at `enrolled_at`, using up `step`, with these recovery
    /// codes. The version of the account grows, so that sessions opened by its password end, and the challenge keys of
    /// that go, which is no good for mail any more. `false`, and nothing
    /// changed, if there is none that waits, or the step is used up. Audited.
    fn confirm(
        &self,
        account: AccountId,
        enrolled_at: Timestamp,
        step: u64,
        recovery_codes: &[[u8; 32]],
        act: &Act,
    ) -> impl Future<Output = Result<bool, Error>> + Send;

    /// Uses up a step: `true` once, for the first to come, and only if it lies behind the last one used. If that one lies more than
    /// [`STEPS_AHEAD`] ahead, a clock that was ahead has used it, and it doesn't count.
    fn use_step(&self, account: AccountId, step: u64) -> impl Future<Output = Result<bool, Error>> + Send;

    /// Uses up a recovery code: `true` once. Audited.
    fn use_recovery_code(
        &self,
        account: AccountId,
        digest: &[u8; 32],
        act: &Act,
    ) -> impl Future<Output = Result<bool, Error>> + Send;

    /// Puts fresh recovery codes in the place of those left; `false` if no second factor is on. Audited.
    fn replace_recovery_codes(
        &self,
        account: AccountId,
        digests: &[[u8; 32]],
        act: &Act,
    ) -> impl Future<Output = Result<bool, Error>> + Send;

    /// Removes the second factor and its recovery codes; `false` if there was none. The version of the account grows.
    /// Audited.
    fn disable_second_factor(
        &self,
        account: AccountId,
        act: &Act,
    ) -> impl Future<Output = Result<bool, Error>> + Send;
}
