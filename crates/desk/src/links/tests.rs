//! Links on a store of SQLite: what opens them, what ends them, and what comes of them.

use std::cell::Cell;

use auth::EnrolmentLink;
use auth::totp::Seed;
use jiff::{SignedDuration, Timestamp};
use store::{Accounts as _, EnrolmentState, PlannedAppPassword, SecondFactors as _};
use types::Secret;

use crate::tests::{Office, frank, now};
use crate::{Acceptance, FoundLink, LinkBrowser, Trouble};

const PASSWORD: &str = "correct horse battery staple";

thread_local! {
    /// Seconds since the office was opened.
    static PASSED: Cell<i64> = const { Cell::new(0) };
}

fn later() -> Timestamp {
    now() + SignedDuration::from_secs(PASSED.get())
}

async fn office() -> Office {
    PASSED.set(0);
    let mut office = Office::open().await;
    office.desk.now = later;
    office
}

fn browser(cookie: &str) -> LinkBrowser<'_> {
    LinkBrowser { ip: "192.0.2.1".parse().unwrap(), agent: "Phone/1.0\u{1b}", cookie }
}

fn planned(senders: &[&str]) -> PlannedAppPassword {
    let senders = senders.iter().map(|sender| sender.parse().unwrap()).collect();
    PlannedAppPassword { label: "phone".to_owned(), senders, ..PlannedAppPassword::default() }
}

fn end_of(url: &str, path: &str) -> EnrolmentLink {
    let end = url.strip_prefix(&format!("https://mail.example.org/{path}/")).unwrap();
    EnrolmentLink::parse(end).unwrap()
}

async fn device_link(office: &Office) -> EnrolmentLink {
    let new = office.desk.make_device_link(&frank(), &office.account, planned(&[])).await.unwrap();
    end_of(&new.link, "enrol")
}

async fn invitation(office: &Office, is_lost: bool) -> EnrolmentLink {
    let day = SignedDuration::from_hours(24);
    let new = office.desk.invite(&frank(), &office.account, day, is_lost).await.unwrap();
    end_of(&new.link, "invited")
}

async fn found(office: &Office, link: &EnrolmentLink) -> FoundLink {
    office.desk.find_link(link).await.unwrap().unwrap()
}

fn acceptance(password: &str) -> Acceptance<'_> {
    Acceptance { password: Secret::new(password), second_factor: None, revoke_app_passwords: false }
}

#[tokio::test]
async fn a_link_is_good_for_its_time() {
    let office = office().await;
    let (device, invited) = (device_link(&office).await, invitation(&office, false).await);
    assert!(office.desk.find_link(&EnrolmentLink::generate()).await.unwrap().is_none());
    for (link, seconds) in [(device, 600), (invited, 24 * 3600)] {
        for (passed, state) in [(seconds - 1, EnrolmentState::Waiting), (seconds, EnrolmentState::Over)] {
            PASSED.set(passed);
            assert_eq!(found(&office, &link).await.state(later()), state, "{passed}");
        }
    }
    assert!(office.desk.waiting_device_links(&office.account).await.unwrap().is_empty());
    assert!(office.desk.invitation(&office.account).await.unwrap().is_none());
}

#[tokio::test]
async fn a_link_makes_no_app_password_that_has_ended() {
    let office = office().await;
    let plan = PlannedAppPassword { expires_at: Some(now() + SignedDuration::from_secs(60)), ..planned(&[]) };
    let new = office.desk.make_device_link(&frank(), &office.account, plan).await.unwrap();
    let link = end_of(&new.link, "enrol");
    for (passed, state) in [(59, EnrolmentState::Waiting), (60, EnrolmentState::Over)] {
        PASSED.set(passed);
        assert_eq!(found(&office, &link).await.state(later()), state, "{passed}");
    }
}

#[tokio::test]
async fn a_device_gets_what_was_planned_and_its_browser_is_known_again() {
    let office = office().await;
    let foreign =
        office.desk.make_device_link(&frank(), &office.account, planned(&["bob@example.org"])).await;
    assert_eq!(foreign.unwrap_err().code(), "not-covered");
    let plan = PlannedAppPassword {
        networks: vec!["192.0.2.0/24".parse().unwrap()],
        ..planned(&["alice@example.org"])
    };
    let new = office.desk.make_device_link(&frank(), &office.account, plan).await.unwrap();
    let link = found(&office, &end_of(&new.link, "enrol")).await;
    let (made, _) = office.desk.use_device_link(&frank(), &link, browser("cookie")).await.unwrap();
    assert_eq!(
        (made.app_password.label.as_str(), &*made.app_password.senders),
        ("phone", &["alice@example.org".to_owned()][..])
    );
    assert_eq!(made.app_password.networks.len(), 1);
    let again = office.desk.use_device_link(&frank(), &link, browser("cookie")).await;
    assert_eq!(again.unwrap_err().code(), "no-link");
    let now = found(&office, &end_of(&new.link, "enrol")).await;
    assert!(office.desk.link_was_used_by(&now, "cookie").await.unwrap());
    assert!(!office.desk.link_was_used_by(&now, "another").await.unwrap());
    let id = new.device_link.id.parse().unwrap();
    let shown = office.desk.device_link(&office.account, id).await.unwrap();
    assert_eq!((shown.state, shown.used_agent.as_deref()), ("used", Some("Phone/1.0\u{fffd}")));
    assert_eq!(shown.app_password, Some(made.app_password.id));
}

#[tokio::test]
async fn a_link_is_looked_at_for_the_first_time_once() {
    let office = office().await;
    let link = device_link(&office).await;
    for seconds in [5, 6] {
        PASSED.set(seconds);
        office.desk.link_opened(&found(&office, &link).await).await.unwrap();
    }
    let [shown] = office.desk.waiting_device_links(&office.account).await.unwrap().try_into().unwrap();
    assert_eq!(shown.opened_at, Some(now() + SignedDuration::from_secs(5)));
}

#[tokio::test]
async fn an_invitation_is_good_for_five_minutes_to_a_week() {
    let office = office().await;
    for (seconds, is_made) in [(299, false), (300, true), (7 * 86_400, true), (7 * 86_400 + 1, false)] {
        let made =
            office.desk.invite(&frank(), &office.account, SignedDuration::from_secs(seconds), false).await;
        assert_eq!(made.is_ok(), is_made, "{seconds}");
    }
}

#[tokio::test]
async fn a_second_factor_that_is_not_there_is_not_lost() {
    let office = office().await;
    let day = SignedDuration::from_hours(24);
    let new = office.desk.invite(&frank(), &office.account, day, true).await.unwrap();
    assert!(!new.invitation.second_factor_lost);
    assert!(office.desk.withdraw_invitation(&frank(), &office.account).await.unwrap());
    assert!(!office.desk.withdraw_invitation(&frank(), &office.account).await.unwrap());
    assert!(office.desk.invitation(&office.account).await.unwrap().is_none());
}

#[test]
fn what_a_browser_is_known_again_by_is_not_written_down() {
    let shown = format!("{:?}", browser("secret"));
    assert!(shown.contains("192.0.2.1") && !shown.contains("secret"), "{shown}");
}

#[tokio::test]
async fn a_link_needs_pages_to_lead_to() {
    let mut office = office().await;
    office.desk.settings.base_url = None;
    let made = office.desk.make_device_link(&frank(), &office.account, planned(&[])).await;
    assert!(matches!(made, Err(Trouble::NoPages)), "{made:?}");
}

#[tokio::test]
async fn an_invitation_sets_the_password_and_the_second_factor_together() {
    let office = office().await;
    let link = invitation(&office, false).await;
    let invited = found(&office, &link).await;
    for (weak, code) in [("x7#qZp!w", "weak"), ("", "unfit")] {
        let said = office.desk.accept_invitation(&frank(), &invited, acceptance(weak), browser("c")).await;
        assert_eq!(said.unwrap_err().code(), code, "{weak}");
    }
    let seed = Seed::generate();
    let with =
        |code: &str| Acceptance { second_factor: Some((&seed, Secret::new(code))), ..acceptance(PASSWORD) };
    let said = office.desk.accept_invitation(&frank(), &invited, with("nothing"), browser("c")).await;
    assert_eq!(said.unwrap_err().code(), "wrong-code");
    assert!(office.store.accounts().by_id(office.account.id).await.unwrap().unwrap().password_hash.is_none());
    let code = code_of(&seed);
    let accepted =
        office.desk.accept_invitation(&frank(), &invited, with(&code), browser("c")).await.unwrap();
    assert_eq!(accepted.recovery_codes.unwrap().recovery_codes.len(), 10);
    let now = office.store.accounts().by_id(office.account.id).await.unwrap().unwrap();
    assert!(now.totp && now.password_hash.is_some());
    let factor = office.store.accounts().second_factor(now.id).await.unwrap().unwrap();
    assert_eq!(factor.recovery_codes, 10);
    let again = office.desk.accept_invitation(&frank(), &invited, acceptance(PASSWORD), browser("c")).await;
    assert_eq!(again.unwrap_err().code(), "no-link");
}

/// The code of now: the first of all that the seed takes.
fn code_of(seed: &Seed) -> String {
    (0..1_000_000).map(|code| format!("{code:06}")).find(|code| seed.step_of(code, now()).is_some()).unwrap()
}

#[tokio::test]
async fn who_was_overtaken_by_a_change_of_the_account_begins_anew() {
    let office = office().await;
    let link = invitation(&office, false).await;
    let invited = found(&office, &link).await;
    office.store.accounts().set_password(office.account.id, "another", &frank()).await.unwrap();
    let said = office.desk.accept_invitation(&frank(), &invited, acceptance(PASSWORD), browser("c")).await;
    assert!(matches!(said, Err(Trouble::LinkOvertaken(_))), "{said:?}");
    let invited = found(&office, &link).await;
    office.desk.accept_invitation(&frank(), &invited, acceptance(PASSWORD), browser("c")).await.unwrap();
}
