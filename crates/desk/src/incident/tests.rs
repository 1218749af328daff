//! Answers of an owner, on a store of SQLite.

use auth::{Credential, SessionToken, User};
use bytes::Bytes;
use store::{Accounts as _, NewDelivery, NewSignIn, Operation, SignIns as _, Spool as _, Submission};
use types::{CredentialId, ForwardPath, Mailbox, QueueId, ReversePath, Secret, SignInId};

use super::{Answer, NotMe};
use crate::accounts::unix_ms;
use crate::tests::{Office, alice, frank, now};
use crate::{AppPasswordWish, SignedIn, Trouble};

const HOME: &str = "192.0.2.1";
const ELSEWHERE: &str = "198.51.100.7";

async fn signed_in(office: &Office) -> (SessionToken, SignedIn) {
    let account = office.desk.find(&office.account.address).await.unwrap();
    let (address, version) = (account.address.clone(), account.version);
    let user = User { account: account.id, address, credential: Credential::AccountPassword, version };
    let (token, _) = office.desk.open_session(&user, HOME.parse().unwrap(), "Browser").await.unwrap();
    let who = office.desk.signed_in(&token).await.unwrap().unwrap();
    (token, who)
}

/// Somebody logs in from there with this; as the first of all, if `first`.
async fn login(office: &Office, n: u8, credential: &str, ip: &str, scope: &'static str) -> SignInId {
    let id = SignInId::from_bytes([n; 16]);
    let (account, ip) = (office.account.id, ip.parse().unwrap());
    office.store.accounts().logged_in(account, now(), None);
    let credential = credential.to_owned();
    office.store.accounts().note_sign_in(NewSignIn { id, account, credential, ip, scope, at: now() });
    office.store.accounts().flush().await.unwrap();
    id
}

async fn app_password(office: &Office) -> CredentialId {
    let wish = AppPasswordWish {
        label: "phone".to_owned(),
        scopes: vec![store::Scope::Smtp],
        networks: Vec::new(),
        senders: Vec::new(),
        expires_at: None,
        cram_md5: false,
    };
    let (made, _) = office.desk.create_app_password(&frank(), &office.account, &wish).await.unwrap();
    made.app_password.id.parse().unwrap()
}

/// Something is handed in with the account password, so many seconds from now.
async fn handed_in(office: &Office, seconds: u64) -> QueueId {
    let (id, spool) = (QueueId::new(unix_ms(now()) + seconds * 1000, [1; 10]), office.store.spool());
    let path = ReversePath::Mailbox(alice());
    let new = Submission::new(id, office.account.id, "alice@example.org", path, now());
    let recipients = vec![ForwardPath::Mailbox(Mailbox::parse("bob@example.net").unwrap()).into()];
    let submission = Submission { recipients, credential: Some("password".to_owned()), ..new };
    let mut incoming = spool.open(id);
    spool.append(&mut incoming, Bytes::from_static(b"Subject: x\r\n\r\n")).await.unwrap();
    let delivery = NewDelivery::of_all(&submission, "there".into(), None);
    spool.commit(submission, incoming, vec![delivery]).await.unwrap();
    id
}

fn all() -> NotMe {
    NotMe { revoke: true, new_password: None, end_sessions: true, hold: true, list: true }
}

#[tokio::test]
async fn a_session_is_not_asked_about_the_sign_in_that_it_was_opened_by() {
    let office = Office::open().await;
    login(&office, 1, "password", "203.0.113.1", "master").await;
    let own = login(&office, 2, "password", HOME, "master").await;
    let other = login(&office, 3, "password", ELSEWHERE, "master").await;
    let (token, who) = signed_in(&office).await;
    let asked = office.desk.unfamiliar_sign_ins(&who).await.unwrap();
    assert_eq!(asked.iter().map(|one| one.id.clone()).collect::<Vec<_>>(), [other.to_string()]);
    let who = (&token, &who);
    let answered = office.desk.answer_sign_in(&frank(), who, own, &Answer::Me).await;
    assert_eq!(answered.unwrap_err().code(), "no-sign-in");
    assert!(office.desk.answer_sign_in(&frank(), who, other, &Answer::Me).await.unwrap().is_new);
    assert!(!office.desk.answer_sign_in(&frank(), who, other, &Answer::Me).await.unwrap().is_new);
    assert!(office.desk.unfamiliar_sign_ins(who.1).await.unwrap().is_empty());
}

#[tokio::test]
async fn not_me_revokes_and_lists_and_may_be_said_twice() {
    let office = Office::open().await;
    let phone = app_password(&office).await;
    login(&office, 1, "password", HOME, "master").await;
    let id = login(&office, 2, &phone.to_string(), ELSEWHERE, "smtp").await;
    let (token, who) = signed_in(&office).await;
    let shown = office.desk.show_sign_in(&who, id).await.unwrap();
    assert_eq!((shown.place.label.as_deref(), shown.can_revoke, shown.answer), (Some("phone"), true, None));
    for is_new in [true, false] {
        let answer = Answer::NotMe(all());
        let answered = office.desk.answer_sign_in(&frank(), (&token, &who), id, &answer).await.unwrap();
        assert_eq!((answered.is_new, answered.held), (is_new, Some(0)));
    }
    assert!(office.desk.show_app_password(&office.account, phone).await.is_err());
    let [listed] = office.desk.incidents().await.unwrap().try_into().unwrap();
    assert_eq!((listed.label.as_deref(), listed.waiting), (Some("phone"), 0));
    office.desk.close_incident(&frank(), id, None).await.unwrap();
    assert!(office.desk.incidents().await.unwrap().is_empty());
}

#[tokio::test]
async fn another_password_is_judged_before_anything_is_done_and_the_session_goes_on() {
    let office = Office::open().await;
    let chosen = |text: &str| crate::Chosen { secret: Secret::new(text), strength: crate::Strength::Any };
    office.desk.change_password(&frank(), &office.account, &chosen("correct horse")).await.unwrap();
    login(&office, 1, "password", HOME, "master").await;
    let id = login(&office, 2, "password", ELSEWHERE, "master").await;
    let (token, who) = signed_in(&office).await;
    let with = |new: Option<&str>| Answer::NotMe(NotMe { new_password: new.map(Secret::new), ..all() });
    for wrong in [None, Some("short")] {
        let refused = office.desk.answer_sign_in(&frank(), (&token, &who), id, &with(wrong)).await;
        assert!(matches!(refused, Err(Trouble::Unfit(_) | Trouble::Weak(_))), "{refused:?}");
    }
    assert!(office.desk.incidents().await.unwrap().is_empty());
    let answer = with(Some("battery staple rope ladder"));
    let act = who.act(HOME.parse().unwrap(), now());
    let answered = office.desk.answer_sign_in(&act, (&token, &who), id, &answer).await.unwrap();
    let token = answered.token.unwrap();
    assert!(answered.has_new_password && office.desk.signed_in(&token).await.unwrap().is_some());
    assert_eq!(office.desk.sessions(&who.account, None).await.unwrap().len(), 1);
}

#[tokio::test]
async fn messages_that_cannot_be_held_are_held_when_it_is_said_again() {
    let office = Office::open().await;
    login(&office, 1, "password", HOME, "master").await;
    let id = login(&office, 2, "http", ELSEWHERE, "smtp").await;
    let (token, who) = signed_in(&office).await;
    let answer = Answer::NotMe(NotMe { revoke: false, ..all() });
    office
        .trigger("CREATE TRIGGER no BEFORE UPDATE OF held ON sign_ins BEGIN SELECT RAISE(ABORT, 'no'); END")
        .await;
    let answered = office.desk.answer_sign_in(&frank(), (&token, &who), id, &answer).await.unwrap();
    assert!(answered.is_new && answered.held.is_none() && answered.not_held.is_some());
    assert!(office.desk.show_sign_in(&who, id).await.unwrap().answer.unwrap().is_unfinished);
    office.trigger("DROP TRIGGER no").await;
    let answered = office.desk.answer_sign_in(&frank(), (&token, &who), id, &answer).await.unwrap();
    assert!(!answered.is_new && answered.held == Some(0) && answered.not_held.is_none());
}

/// The next account password is called as the one before: an administrator must not remove what the owner sends with it.
#[tokio::test]
async fn what_its_owner_sends_with_the_next_password_is_none_of_an_incident() {
    let office = Office::open().await;
    let old = crate::Chosen { secret: Secret::new("correct horse"), strength: crate::Strength::Any };
    office.desk.change_password(&frank(), &office.account, &old).await.unwrap();
    login(&office, 1, "password", HOME, "master").await;
    let id = login(&office, 2, "password", ELSEWHERE, "smtp").await;
    let (token, who) = signed_in(&office).await;
    handed_in(&office, 1).await;
    let new_password = Some(Secret::new("battery staple rope ladder"));
    let answer = Answer::NotMe(NotMe { new_password, ..all() });
    let answered = office.desk.answer_sign_in(&frank(), (&token, &who), id, &answer).await.unwrap();
    assert_eq!(answered.held, Some(1));
    let owners = handed_in(&office, 3600).await;
    assert_eq!(office.desk.show_incident(id).await.unwrap().waiting, 1);
    let removed = office.desk.close_incident(&frank(), id, Some(Operation::Remove)).await.unwrap();
    assert_eq!(removed, Some(1));
    assert_eq!(office.desk.messages_of(&office.account).await.unwrap(), [owners]);
}

/// A session does not outlast a password that somebody else has set at the same moment.
#[tokio::test]
async fn a_session_ends_whose_new_password_is_not_the_accounts() {
    let office = Office::open().await;
    let old = crate::Chosen { secret: Secret::new("correct horse"), strength: crate::Strength::Any };
    office.desk.change_password(&frank(), &office.account, &old).await.unwrap();
    login(&office, 1, "password", HOME, "master").await;
    let id = login(&office, 2, "password", ELSEWHERE, "master").await;
    let (token, who) = signed_in(&office).await;
    let overtakes = "CREATE TRIGGER overtakes AFTER UPDATE OF password_hash ON accounts
        BEGIN UPDATE accounts SET password_hash = 'of another' WHERE id = NEW.id; END";
    office.trigger(overtakes).await;
    let new_password = Some(Secret::new("battery staple rope ladder"));
    let answer = Answer::NotMe(NotMe { new_password, ..all() });
    let act = who.act(HOME.parse().unwrap(), now());
    let answered = office.desk.answer_sign_in(&act, (&token, &who), id, &answer).await.unwrap();
    assert!(answered.token.is_none());
    assert!(office.desk.signed_in(&token).await.unwrap().is_none());
}
