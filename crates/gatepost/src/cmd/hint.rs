//! What to type when something went wrong: the desk says what, this says which command helps.

use desk::{Missing, Taken, Trouble};

/// What stands behind the sentence of a trouble, if a command helps.
pub(crate) fn of(trouble: &Trouble) -> Option<String> {
    match trouble {
        Trouble::Missing(missing) => Some(of_missing(missing)),
        Trouble::Taken(taken) => of_taken(taken),
        Trouble::TooMany { account, .. } => {
            Some(format!("; revoke one: `gatepost app-password list {account}`"))
        }
        Trouble::TooManyTokens { account, .. } => {
            Some(format!("; revoke one: `gatepost token list {account}`"))
        }
        Trouble::TooManyWebhooks { .. } => Some("; remove one: `gatepost webhook list`".to_owned()),
        Trouble::Weak(_) => Some(" (--generate makes a good one, --allow-weak takes any)".to_owned()),
        Trouble::Damaged(account) => {
            Some(format!("; begin again with `gatepost totp disable {account}` and `enroll`"))
        }
        Trouble::NobodyToTell(id) | Trouble::DamagedMessage { id, .. } => {
            Some(format!("; `gatepost queue remove {id}` removes it"))
        }
        Trouble::Held(id) => Some(format!("; `gatepost queue release {id}` lets it go")),
        Trouble::Withheld(id) => Some(format!("; `gatepost queue remove {id}` removes it")),
        Trouble::TooLate { id, .. } => {
            Some(format!("; `gatepost message stop {id}` stops it for those who do not have it"))
        }
        Trouble::NoPages => {
            Some("; write [web] base_url = \"https://HOST\" into the configuration".to_owned())
        }
        Trouble::SeveralAppPasswords { .. }
        | Trouble::SeveralSessions { .. }
        | Trouble::SeveralTokens { .. }
        | Trouble::NotTheirScope { .. }
        | Trouble::NoWebhookUrl(_)
        | Trouble::TokenTooLong { .. }
        | Trouble::TooManyLinks { .. }
        | Trouble::LinkOvertaken(_)
        | Trouble::InvitationTime
        | Trouble::SignInOvertaken(_)
        | Trouble::SeveralMessages { .. }
        | Trouble::NotCovered { .. }
        | Trouble::LastAdministrator(_)
        | Trouble::OwnAddress(_)
        | Trouble::NoCertificate
        | Trouble::Expired(_)
        | Trouble::Changed(_)
        | Trouble::Overtaken(_)
        | Trouble::Unfit(_)
        | Trouble::WrongCode
        | Trouble::Throttled { .. }
        | Trouble::DamagedDkimKey(_)
        | Trouble::HeldByRoute { .. }
        | Trouble::Unexpected { .. }
        | Trouble::Done { .. }
        | Trouble::UndoTooLong { .. }
        | Trouble::NotAudited(_)
        | Trouble::Unavailable(_) => None,
    }
}

/// The sentence of a trouble, and what to type.
pub(crate) fn told(trouble: &Trouble) -> String {
    format!("{trouble}{}", of(trouble).unwrap_or_default())
}

fn of_missing(missing: &Missing) -> String {
    let shown_by = |list: String| format!("; `gatepost {list}` shows those there are");
    match missing {
        Missing::Account(_) => shown_by("user list".to_owned()),
        Missing::AppPassword { account, .. } => shown_by(format!("app-password list {account}")),
        Missing::Certificate { account, .. } => shown_by(format!("certificate list {account}")),
        Missing::Session { account, .. } => shown_by(format!("session list {account}")),
        Missing::Token { account, .. } => shown_by(format!("token list {account}")),
        Missing::Link { account, .. } => format!("; `gatepost invite {account}` makes one"),
        Missing::SignIn(_) => String::new(),
        Missing::Webhook(_) => shown_by("webhook list".to_owned()),
        Missing::Identity { account, .. } => shown_by(format!("identity list {account}")),
        Missing::DkimKey(name) => shown_by(format!("dkim list {}", name.domain())),
        Missing::Message(_) => shown_by("queue list".to_owned()),
        Missing::SentMessage(_) => shown_by("message list".to_owned()),
        Missing::SecondFactor(account) => format!("; `gatepost totp enroll {account}` begins it"),
        Missing::PreparedSecondFactor(account) => format!("; first `gatepost totp enroll {account}`"),
    }
}

fn of_taken(taken: &Taken) -> Option<String> {
    match taken {
        Taken::Account(account) => Some(format!("; `gatepost user show {account}` shows it")),
        Taken::Certificate { owner: Some(owner), fingerprint } => {
            Some(format!("; `gatepost certificate remove {owner} {fingerprint}` takes it away"))
        }
        Taken::Certificate { owner: None, .. } | Taken::Identity { .. } | Taken::DkimKey(_) => None,
        Taken::SecondFactor(account) => Some(format!("; `gatepost totp disable {account}` first")),
    }
}

#[cfg(test)]
mod tests {
    use types::{CredentialId, Fingerprint, Mailbox, QueueId};

    use super::*;

    fn alice() -> Mailbox {
        Mailbox::parse("alice@example.org").unwrap()
    }

    #[test]
    fn each_trouble_is_told_with_what_to_type() {
        let fingerprint = Fingerprint::from_octets([0xab; 32]);
        let id = QueueId::from_bytes([0; 16]);
        let (account, which) = (alice(), "tablet".to_owned());
        let sender = "*@example.net".parse().unwrap();
        let table: [(Trouble, &str); 17] = [
            (
                Missing::Account(alice()).into(),
                "there is no account alice@example.org; `gatepost user list` shows those there are",
            ),
            (
                Missing::AppPassword { account: account.clone(), which: which.clone() }.into(),
                "alice@example.org has no app password \"tablet\"; `gatepost app-password list alice@example.org` shows those there are",
            ),
            (
                Trouble::SeveralAppPasswords {
                    account: account.clone(),
                    which,
                    ids: vec![CredentialId::from_bytes([0; 16]); 2],
                },
                "alice@example.org has 2 app passwords \"tablet\": 00000000000000000000000000, 00000000000000000000000000; name one by its identifier",
            ),
            (
                Missing::Identity { account: account.clone(), sender }.into(),
                "alice@example.org has no identity *@example.net; `gatepost identity list alice@example.org` shows those there are",
            ),
            (
                Missing::SecondFactor(alice()).into(),
                "two-factor authentication is not on for alice@example.org; `gatepost totp enroll alice@example.org` begins it",
            ),
            (
                Missing::PreparedSecondFactor(alice()).into(),
                "no second factor is prepared for alice@example.org; first `gatepost totp enroll alice@example.org`",
            ),
            (
                Missing::Message("0abc".to_owned()).into(),
                "there is no message 0abc in the queue; `gatepost queue list` shows those there are",
            ),
            (
                Taken::Account(alice()).into(),
                "there is an account alice@example.org already; `gatepost user show alice@example.org` shows it",
            ),
            (
                Taken::SecondFactor(alice()).into(),
                "two-factor authentication is on for alice@example.org already; `gatepost totp disable alice@example.org` first",
            ),
            (
                Trouble::TooMany { account: account.clone(), limit: 2 },
                "alice@example.org has 2 app passwords already; revoke one: `gatepost app-password list alice@example.org`",
            ),
            (
                Trouble::TooManyWebhooks { limit: 20 },
                "there are 20 webhooks already; remove one: `gatepost webhook list`",
            ),
            (
                Trouble::NotCovered {
                    account: account.clone(),
                    sender: Box::new("*".parse().unwrap()),
                    own: vec!["alice@example.org".to_owned(), "*@example.net".to_owned()],
                },
                "alice@example.org may not send as *, only as alice@example.org, *@example.net",
            ),
            (
                Trouble::Changed(alice()),
                "alice@example.org was changed meanwhile, and no app password is made; try again",
            ),
            (
                Trouble::Throttled { until: "2026-11-21T12:00:00.5Z".parse().unwrap() },
                "too many wrong codes; try again after 2026-11-21 12:00:00Z",
            ),
            (
                Trouble::Damaged(alice()),
                "the seed of alice@example.org does not open: it was damaged or moved, or its key is not in the key file; begin again with `gatepost totp disable alice@example.org` and `enroll`",
            ),
            (
                Trouble::Held(id),
                "00000000000000000000000000 is held; `gatepost queue release 00000000000000000000000000` lets it go",
            ),
            (
                Trouble::SeveralMessages { begun: "0".to_owned(), ids: vec![id, id], more: true },
                "0 begins more than one identifier: 00000000000000000000000000, 00000000000000000000000000 and others; write more of it",
            ),
        ];
        for (trouble, expected) in table {
            assert_eq!(told(&trouble), expected, "{}", trouble.code());
        }
        let taken = Taken::Certificate { owner: Some(alice()), fingerprint };
        let expected = format!(
            "that certificate is one of alice@example.org already; `gatepost certificate remove alice@example.org {fingerprint}` takes it away"
        );
        assert_eq!(told(&taken.into()), expected);
        let missing = Missing::Certificate { account, fingerprint };
        let expected = format!(
            "alice@example.org has no certificate {fingerprint}; `gatepost certificate list alice@example.org` shows those there are"
        );
        assert_eq!(told(&missing.into()), expected);
    }
}
