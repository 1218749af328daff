//! An invitation, and one that was just made.

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;
use store::{Account, Enrolment, EnrolmentPurpose};
use zeroize::Zeroizing;

use super::secret;

/// An invitation to choose the password of an account, without what opens it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Invitation {
    /// What it is withdrawn by.
    pub id: String,
    /// Whose account it is.
    pub account: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it.
    pub created_by: String,
    /// When it ends.
    pub expires_at: Timestamp,
    /// Whether the second factor is not asked for, and goes.
    pub second_factor_lost: bool,
}

/// An invitation that was just made.
#[derive(Serialize)]
pub struct NewInvitation {
    /// What there is to show of it from now on.
    #[serde(flatten)]
    pub invitation: Invitation,
    /// What opens it, shown this once.
    #[serde(serialize_with = "secret::shown")]
    pub link: Zeroizing<String>,
}

impl Invitation {
    /// The view of an invitation to this account; `None` if the link is for something else.
    pub(crate) fn of(enrolment: &Enrolment, account: &Account) -> Option<Self> {
        if !matches!(enrolment.purpose, EnrolmentPurpose::Invitation { .. }) {
            return None;
        }
        Some(Self {
            id: enrolment.id.to_string(),
            account: account.address.to_string(),
            created_at: enrolment.made_at,
            created_by: enrolment.made_by.clone(),
            expires_at: enrolment.ends_at,
            second_factor_lost: enrolment.takes_second_factor(account),
        })
    }
}

impl fmt::Debug for NewInvitation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewInvitation").field("invitation", &self.invitation).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use store::EnrolmentPurpose;
    use types::{AccountId, EnrolmentId, Mailbox};

    use super::*;

    #[test]
    fn the_json_of_a_new_invitation_has_the_promised_keys() {
        let at: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
        let alice =
            Account::new(AccountId::from_bytes([1; 16]), Mailbox::parse("alice@example.org").unwrap(), at);
        let enrolment = Enrolment {
            id: EnrolmentId::from_bytes([0; 16]),
            account: alice.id,
            purpose: EnrolmentPurpose::Invitation { second_factor_lost: true },
            version: 1,
            made_at: at,
            made_by: "frank".to_owned(),
            ends_at: at,
            opened_at: None,
            withdrawn_at: None,
            used: None,
        };
        let invitation = Invitation::of(&enrolment, &alice).unwrap();
        let new = NewInvitation { invitation, link: Zeroizing::new("https://x/invited/0".to_owned()) };
        let expected = serde_json::json!({
            "id": "00000000000000000000000000", "account": "alice@example.org", "created_at": "2026-11-21T12:00:00Z",
            "created_by": "frank", "expires_at": "2026-11-21T12:00:00Z", "second_factor_lost": true,
            "link": "https://x/invited/0",
        });
        assert!(!format!("{new:?}").contains("https"));
        assert_eq!(serde_json::to_value(new).unwrap(), expected);
    }
}
