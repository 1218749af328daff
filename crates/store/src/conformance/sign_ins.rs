//! What [`SignIns`] promises, through two handles to one store.
#![expect(missing_docs, reason = "the names say it")]

use types::{SignInId, WebSessionId};

use super::sample::{account, app_password, at, frank, plain};
use crate::{
    Account, Accounts, Act, Action, AppPasswords, Audit, AuditFilter, NewSignIn, OwnSettings, Page, Remedy,
    Revocation, SignIn, SignInState, SignIns, Throttles, WebSession, WebSessions, network_of,
};

const DAY: i64 = 24 * 60 * 60;

fn noted(n: u8, credential: &str, ip: &str, seconds: i64) -> NewSignIn {
    NewSignIn {
        id: SignInId::from_bytes([n; 16]),
        account: types::AccountId::from_bytes([1; 16]),
        credential: credential.to_owned(),
        ip: ip.parse().unwrap(),
        scope: "smtp",
        at: at(seconds),
    }
}

/// A login as the server notes it: where from, and that there was one.
async fn login<S: Accounts + SignIns>(store: &S, sign_in: NewSignIn) {
    store.logged_in(sign_in.account, sign_in.at, None);
    store.note_sign_in(sign_in);
    store.flush().await.unwrap();
}

async fn asked<S: SignIns>(store: &S, account: &Account) -> Vec<u8> {
    let asked = store.unanswered(account.id, 100).await.unwrap();
    asked.iter().map(|one| one.id.as_bytes()[0]).collect()
}

async fn alice<S: Accounts>(store: &S) -> Account {
    let alice = account(1, "alice@example.org");
    store.add(&alice, &frank(0)).await.unwrap();
    alice
}

const NOTHING: Remedy = Remedy { revocation: None, end_sessions: false, hold: false, list: true };

pub async fn the_first_login_is_known_and_each_new_place_is_asked_about<S>(one: &S, other: &S)
where
    S: Accounts + SignIns,
{
    let alice = alice(one).await;
    let before = one.revision().await;
    login(one, noted(1, "password", "192.0.2.1", 10)).await;
    assert!(asked(other, &alice).await.is_empty());
    login(one, noted(2, "phone", "192.0.2.1", 20)).await;
    login(other, noted(3, "phone", "192.0.2.2", 30)).await;
    login(one, noted(4, "phone", "2001:db8::1", 40)).await;
    login(other, noted(5, "phone", "2001:db8::2", 50)).await;
    assert_eq!(asked(one, &alice).await, [4, 3, 2], "the latest in front; a /64 is one place");
    let last = one.sign_in(alice.id, SignInId::from_bytes([4; 16])).await.unwrap().unwrap();
    let expected = SignIn {
        id: SignInId::from_bytes([4; 16]),
        account: alice.id,
        credential: "phone".to_owned(),
        network: network_of("2001:db8::1".parse().unwrap()),
        ip: "2001:db8::2".parse().unwrap(),
        scope: "smtp".to_owned(),
        first_at: at(40),
        at: at(50),
        state: SignInState::Asked,
    };
    assert_eq!(last, expected);
    let bob = account(2, "bob@example.org");
    assert_eq!(one.sign_in(bob.id, last.id).await.unwrap(), None, "of its own account alone");
    assert_eq!(one.revision().await, before, "a note moves no revision");
}

pub async fn a_place_that_was_not_used_for_a_month_is_new<S>(one: &S, other: &S)
where
    S: Accounts + SignIns,
{
    let alice = alice(one).await;
    login(one, noted(1, "password", "192.0.2.1", 10)).await;
    login(one, noted(2, "password", "192.0.2.1", 20 * DAY)).await;
    login(other, noted(3, "password", "192.0.2.1", 45 * DAY)).await;
    assert!(asked(one, &alice).await.is_empty(), "used in between");
    login(one, noted(4, "password", "192.0.2.1", 76 * DAY)).await;
    assert_eq!(asked(one, &alice).await, [4]);
    assert_eq!(other.prune_sign_ins(at(76 * DAY), at(76 * DAY)).await.unwrap(), 0);
    assert_eq!(other.prune_sign_ins(at(76 * DAY + 1), at(76 * DAY)).await.unwrap(), 1);
    login(one, noted(5, "password", "192.0.2.1", 200 * DAY)).await;
    assert_eq!(
        asked(one, &alice).await,
        [5],
        "an account that somebody has logged in to before has no first login"
    );
}

pub async fn a_place_that_a_clock_ahead_has_noted_is_of_the_day_that_sees_it<S>(one: &S, other: &S)
where
    S: Accounts + SignIns,
{
    let alice = alice(one).await;
    login(one, noted(1, "password", "192.0.2.1", 10)).await;
    login(one, noted(2, "password", "2001:db8::1", 400 * DAY)).await;
    let last = async || {
        let found = one.sign_in(alice.id, SignInId::from_bytes([2; 16])).await.unwrap();
        found.map(|found| found.at)
    };
    assert_eq!(other.prune_sign_ins(at(0), at(399 * DAY)).await.unwrap(), 0);
    assert_eq!(last().await, Some(at(400 * DAY)), "a day ahead is no doubt");
    assert_eq!(other.prune_sign_ins(at(0), at(20 * DAY)).await.unwrap(), 0);
    assert_eq!(last().await, Some(at(20 * DAY)));
    assert_eq!(other.prune_sign_ins(at(20 * DAY + 1), at(51 * DAY)).await.unwrap(), 2);
    assert_eq!(last().await, None);
}

pub async fn what_was_the_owner_is_asked_about_no_more<S>(one: &S, other: &S)
where
    S: Accounts + Audit + SignIns,
{
    let alice = alice(one).await;
    login(one, noted(1, "password", "192.0.2.1", 10)).await;
    login(one, noted(2, "phone", "192.0.2.2", 20)).await;
    let id = SignInId::from_bytes([2; 16]);
    let bob = account(2, "bob@example.org");
    assert!(!one.own_sign_in(bob.id, id, &frank(30)).await.unwrap());
    assert!(other.own_sign_in(alice.id, id, &frank(30)).await.unwrap());
    assert!(!one.own_sign_in(alice.id, id, &frank(31)).await.unwrap(), "once");
    login(one, noted(3, "phone", "192.0.2.2", 40)).await;
    assert!(asked(one, &alice).await.is_empty());
    let answers = AuditFilter { action: Some(Action::SignInAnswer), ..AuditFilter::default() };
    let [told] = one.entries(&answers, Page::first(9)).await.unwrap().entries.try_into().unwrap();
    assert_eq!(
        (told.event.credential.as_deref(), told.event.account.as_deref()),
        (Some("phone"), Some("alice@example.org"))
    );
}

pub async fn what_was_a_stranger_is_revoked_with_all_sessions_at_once_and_once<S>(one: &S, other: &S)
where
    S: Accounts + AppPasswords + Audit + SignIns + Throttles + WebSessions,
{
    let alice = alice(one).await;
    let phone = app_password(7, &alice);
    one.create(&plain(&phone, [7; 32]), 9, &frank(1)).await.unwrap();
    for n in [1, 2] {
        let session = WebSession {
            id: WebSessionId::from_bytes([n; 16]),
            account: alice.id,
            version: alice.version,
            made_at: at(1),
            seen_at: at(1),
            confirmed_at: at(1),
            ends_at: at(1000),
            ip: "192.0.2.1".parse().unwrap(),
            agent: String::new(),
        };
        one.open_session(&session, &[n; 32], 20).await.unwrap();
    }
    let network = network_of("192.0.2.9".parse().unwrap());
    one.logged_in(alice.id, at(9), Some(network));
    login(one, noted(1, "password", "192.0.2.1", 10)).await;
    login(one, noted(2, &phone.id.to_string(), "192.0.2.9", 20)).await;
    let (id, act) = (
        SignInId::from_bytes([2; 16]),
        Act::web(
            &alice.address,
            "192.0.2.1".parse().unwrap(),
            WebSessionId::from_bytes([1; 16]).to_string(),
            at(30),
        ),
    );
    let revocation = Some(Revocation::AppPassword(phone.id));
    let remedy = Remedy { revocation, end_sessions: true, hold: true, list: true };
    let disowned = other.disown_sign_in(alice.id, id, &remedy, &act).await.unwrap().unwrap();
    let SignInState::Stranger(incident) = &disowned.state else { panic!("{disowned:?}") };
    assert_eq!((incident.label.as_deref(), incident.held, incident.hold), (Some("telephone 7"), None, true));
    assert!(one.by_digest(&[7; 32]).await.unwrap().is_none());
    assert_eq!(one.revoked_labels(alice.id).await.unwrap(), [(phone.id, "telephone 7".to_owned())]);
    let left = one.sessions(alice.id).await.unwrap();
    assert_eq!(left.iter().map(|session| session.id.as_bytes()[0]).collect::<Vec<_>>(), [1]);
    assert!(!one.is_familiar(&alice.address, &network, at(0)).await.unwrap());
    one.incident_held(id, 3).await.unwrap();
    let again = one.disown_sign_in(alice.id, id, &NOTHING, &act).await.unwrap().unwrap();
    let SignInState::Stranger(incident) = &again.state else { panic!("{again:?}") };
    assert_eq!((incident.held, incident.at), (Some(3), at(30)), "what was answered stands");
    let incidents = AuditFilter { action: Some(Action::Incident), ..AuditFilter::default() };
    assert_eq!(one.entries(&incidents, Page::first(9)).await.unwrap().entries.len(), 1);
    login(one, noted(3, &phone.id.to_string(), "192.0.2.9", 40)).await;
    assert_eq!(asked(other, &alice).await, [3], "there again, it is asked about again");
}

pub async fn another_password_ends_what_was_proved_before<S>(one: &S, other: &S)
where
    S: Accounts + SignIns,
{
    let alice = alice(one).await;
    login(one, noted(1, "password", "192.0.2.1", 10)).await;
    login(one, noted(2, "password", "192.0.2.2", 20)).await;
    let remedy = Remedy { revocation: Some(Revocation::Password("another".to_owned())), ..NOTHING };
    other.disown_sign_in(alice.id, SignInId::from_bytes([2; 16]), &remedy, &frank(30)).await.unwrap();
    let now = one.by_id(alice.id).await.unwrap().unwrap();
    assert_eq!((now.password_hash.as_deref(), now.version), (Some("another"), alice.version + 1));
    let none = SignInId::from_bytes([9; 16]);
    assert_eq!(one.disown_sign_in(alice.id, none, &remedy, &frank(31)).await.unwrap(), None);
    assert_eq!(one.by_id(alice.id).await.unwrap().unwrap().version, now.version, "nothing without a sign-in");
}

pub async fn incidents_are_looked_at_once_and_kept_until_then<S>(one: &S, other: &S)
where
    S: Accounts + SignIns,
{
    let alice = alice(one).await;
    for (n, list) in [(1, false), (2, true), (3, true)] {
        login(one, noted(n, &format!("c{n}"), "192.0.2.1", i64::from(n))).await;
        let id = SignInId::from_bytes([n; 16]);
        let remedy = Remedy { list, ..NOTHING };
        one.disown_sign_in(alice.id, id, &remedy, &frank(10 + i64::from(n))).await.unwrap();
    }
    let listed = async |store: &S| {
        let all = store.incidents(9).await.unwrap();
        assert!(all.iter().all(|(_, address)| *address == alice.address));
        all.iter().map(|(one, _)| one.id.as_bytes()[0]).collect::<Vec<_>>()
    };
    assert_eq!(listed(other).await, [3, 2]);
    assert_eq!(one.prune_sign_ins(at(1000), at(1000)).await.unwrap(), 1, "those that are listed stay");
    let id = SignInId::from_bytes([2; 16]);
    assert!(other.close_incident(id, &frank(20)).await.unwrap());
    assert!(!one.close_incident(id, &frank(21)).await.unwrap());
    assert_eq!(listed(one).await, [3]);
    assert_eq!(one.prune_sign_ins(at(1000), at(1000)).await.unwrap(), 1);
    one.remove(alice.id, &frank(30)).await.unwrap();
    assert!(listed(other).await.is_empty(), "a removed account takes them along");
}

pub async fn an_account_has_a_bounded_number_of_places<S>(one: &S, _: &S)
where
    S: Accounts + SignIns,
{
    let alice = alice(one).await;
    login(one, noted(1, "password", "192.0.2.1", 0)).await;
    let most = i64::from(SignIn::OF_ACCOUNT);
    for n in 0..most + 10 {
        let id = SignInId::new(u64::try_from(n).unwrap(), [7; 10]);
        one.note_sign_in(NewSignIn { id, ..noted(0, &format!("c{n}"), "192.0.2.2", 10 + n) });
    }
    one.flush().await.unwrap();
    let left = one.unanswered(alice.id, 10_000).await.unwrap();
    assert_eq!(left.len(), usize::try_from(most).unwrap());
    assert_eq!(left[0].credential, format!("c{}", most + 9), "the newest are kept");
}

pub async fn what_an_owner_chooses_is_kept_and_proves_nothing_anew<S>(one: &S, other: &S)
where
    S: Accounts + Audit,
{
    let alice = alice(one).await;
    let settings = OwnSettings {
        name: Some("Alice A.".to_owned()),
        undo: Some(std::time::Duration::from_secs(20)),
        preferences: crate::Preferences {
            language: Some("de".to_owned()),
            time_zone: Some("Europe/Berlin".to_owned()),
            colours: Some(crate::Colours::Dark),
        },
    };
    one.set_settings(alice.id, &settings, &frank(5)).await.unwrap();
    let now = other.by_id(alice.id).await.unwrap().unwrap();
    let OwnSettings { name, undo, preferences } = settings;
    assert_eq!(now, Account { name, undo, preferences, ..alice.clone() });
    one.set_settings(alice.id, &OwnSettings::default(), &frank(6)).await.unwrap();
    assert_eq!(other.by_id(alice.id).await.unwrap().unwrap(), Account { name: None, ..alice.clone() });
    let nobody =
        one.set_settings(types::AccountId::from_bytes([9; 16]), &OwnSettings::default(), &frank(7)).await;
    assert!(matches!(nobody, Err(crate::Error::NotFound)), "{nobody:?}");
    let changes = AuditFilter { action: Some(Action::UserSettings), ..AuditFilter::default() };
    assert_eq!(one.entries(&changes, Page::first(9)).await.unwrap().entries.len(), 2);
}
