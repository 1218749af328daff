//! Every way for a code to be accepted or refused.

use std::sync::Mutex;

use jiff::{SignedDuration, Timestamp};
use store::{
    AuditFilter, AuditPage, AuditPlace, AuditResult, Counted, CountedPlace, Counter, Page, Resealed,
    ThrottleFilter, ThrottleKind,
};
use types::Mailbox;

use super::*;
use crate::keys::keyring::tests::keyring;
use crate::{KeyFileLock, MasterKeys};

const NOON: i64 = 1_800_000_000;

/// Six codes in three minutes.
fn six() -> Policy {
    let allowance = (6, SignedDuration::from_secs(180));
    Policy::new(true, allowance, allowance, allowance)
}

/// A store of one account, in memory. Counters of the minute never end by themselves.
#[derive(Default)]
struct Memory {
    factor: Mutex<Option<SecondFactor>>,
    codes: Mutex<Vec<[u8; 32]>>,
    marks: Mutex<Vec<Mark>>,
    events: Mutex<Vec<AuditEvent>>,
    out_of_order: Mutex<bool>,
    /// Marks stay counted: the store fails when they are to be cleared.
    counts_stay: Mutex<bool>,
    /// What was counted by, each time.
    counted_by: Mutex<Vec<Vec<ThrottleKind>>>,
    root: Mutex<Option<Vec<u8>>>,
    /// A key is added to this file and activated, and all is sealed anew, just before a seed is kept.
    rotated: Mutex<Option<std::path::PathBuf>>,
}

impl Memory {
    fn change<T>(
        &self,
        change: impl FnOnce(&mut SecondFactor) -> Option<T>,
    ) -> Result<Option<T>, store::Error> {
        if *self.out_of_order.lock().unwrap() {
            return Err(store::Error::Unavailable("out of order".into()));
        }
        Ok(self.factor.lock().unwrap().as_mut().and_then(change))
    }
}

impl SecondFactors for Memory {
    async fn enroll(&self, _: AccountId, seed: &[u8], act: &Act) -> Result<(), store::Error> {
        let rotated = self.rotated.lock().unwrap().take();
        if let Some(file) = rotated {
            let masters = MasterKeys::add(&KeyFileLock::take(&file).unwrap()).unwrap();
            Keyring::open(masters, self).await.unwrap().activate_newest(self).await.unwrap();
        }
        let mut factor = self.factor.lock().unwrap();
        if factor.as_ref().is_some_and(|factor| factor.confirmed_at.is_some()) {
            return Err(store::Error::AlreadyExists);
        }
        *factor = Some(SecondFactor {
            seed: seed.to_vec(),
            enrolled_at: act.at,
            confirmed_at: None,
            last_step: 0,
            recovery_codes: 0,
        });
        Ok(())
    }

    async fn second_factor(&self, _: AccountId) -> Result<Option<SecondFactor>, store::Error> {
        Ok(self.factor.lock().unwrap().clone())
    }

    async fn confirm(
        &self,
        _: AccountId,
        enrolled_at: Timestamp,
        step: u64,
        codes: &[[u8; 32]],
        act: &Act,
    ) -> Result<bool, store::Error> {
        let done = self.change(|factor| {
            let waits = factor.confirmed_at.is_none() && factor.enrolled_at == enrolled_at;
            (waits && step > factor.last_step).then(|| {
                (factor.confirmed_at, factor.last_step) = (Some(act.at), step);
            })
        })?;
        if done.is_some() {
            *self.codes.lock().unwrap() = codes.to_vec();
        }
        Ok(done.is_some())
    }

    async fn use_step(&self, _: AccountId, step: u64) -> Result<bool, store::Error> {
        let done = self.change(|factor| (step > factor.last_step).then(|| factor.last_step = step))?;
        Ok(done.is_some())
    }

    async fn use_recovery_code(
        &self,
        _: AccountId,
        digest: &[u8; 32],
        _: &Act,
    ) -> Result<bool, store::Error> {
        let mut codes = self.codes.lock().unwrap();
        let before = codes.len();
        codes.retain(|code| code != digest);
        Ok(codes.len() < before)
    }

    async fn replace_recovery_codes(
        &self,
        _: AccountId,
        digests: &[[u8; 32]],
        _: &Act,
    ) -> Result<bool, store::Error> {
        let done = self.change(|factor| factor.confirmed_at)?.is_some();
        if done {
            *self.codes.lock().unwrap() = digests.to_vec();
        }
        Ok(done)
    }

    async fn disable_second_factor(&self, _: AccountId, _: &Act) -> Result<bool, store::Error> {
        Ok(self.factor.lock().unwrap().take().is_some())
    }
}

/// Those of the day are none of this store's concern.
fn is_short(counter: &&Counter) -> bool {
    counter.key.kind == ThrottleKind::Totp
}

impl Throttles for Memory {
    async fn throttled(&self, _: &[Counter], _: Timestamp) -> Result<Option<Throttled>, store::Error> {
        Ok(None)
    }

    async fn attempt(&self, counters: &[Counter], now: Timestamp) -> Result<Option<Throttled>, store::Error> {
        self.counted_by.lock().unwrap().push(counters.iter().map(|counter| counter.key.kind).collect());
        let Some(Counter { key, allowance, mark }) = counters.iter().find(is_short) else { return Ok(None) };
        let mut marks = self.marks.lock().unwrap();
        if allowance.is_used_up(&marks) {
            return Ok(Some(Throttled { key: key.clone(), until: now + allowance.window }));
        }
        if !marks.contains(mark) {
            marks.push(*mark);
        }
        Ok(None)
    }

    async fn succeeded(&self, _: &[Counter], _: &[Counter]) -> Result<(), store::Error> {
        if *self.counts_stay.lock().unwrap() {
            return Err(store::Error::Unavailable("out of order".into()));
        }
        self.marks.lock().unwrap().clear();
        Ok(())
    }

    async fn withdraw(&self, counters: &[Counter]) -> Result<(), store::Error> {
        let taken_back = |mark: &Mark| counters.iter().filter(is_short).any(|counter| counter.mark == *mark);
        self.marks.lock().unwrap().retain(|mark| !taken_back(mark));
        Ok(())
    }

    async fn counted(
        &self,
        _: &ThrottleFilter,
        _: Page<CountedPlace>,
        _: Timestamp,
    ) -> Result<Vec<Counted>, store::Error> {
        Ok(Vec::new())
    }

    async fn clear_account(&self, _: &Mailbox, _: &Act) -> Result<u64, store::Error> {
        Ok(0)
    }

    async fn clear_network(&self, _: &ipnet::IpNet, _: &Act) -> Result<u64, store::Error> {
        Ok(0)
    }

    async fn is_familiar(&self, _: &Mailbox, _: &ipnet::IpNet, _: Timestamp) -> Result<bool, store::Error> {
        Ok(false)
    }

    async fn prune_throttles(&self, _: Timestamp, _: Timestamp) -> Result<(), store::Error> {
        Ok(())
    }
}

impl SealedSecrets for Memory {
    async fn root_key(&self) -> Result<Option<Vec<u8>>, store::Error> {
        Ok(self.root.lock().unwrap().clone())
    }

    async fn keep_root_key(&self, sealed: &[u8]) -> Result<(), store::Error> {
        self.root.lock().unwrap().get_or_insert(sealed.to_vec());
        Ok(())
    }

    async fn any_app_password(&self) -> Result<bool, store::Error> {
        Ok(false)
    }

    async fn sealed(
        &self,
        _: Option<SealedPlace>,
        _: u32,
    ) -> Result<Vec<(SealedPlace, Vec<u8>)>, store::Error> {
        Ok(Vec::new())
    }

    async fn reseal(&self, secrets: &[Resealed]) -> Result<u64, store::Error> {
        for secret in secrets {
            if secret.place == SealedPlace::RootKey {
                *self.root.lock().unwrap() = Some(secret.new.clone());
                continue;
            }
            self.change(|factor| (factor.seed == secret.old).then(|| factor.seed.clone_from(&secret.new)))?;
        }
        Ok(0)
    }
}

impl Audit for Memory {
    fn note(&self, event: AuditEvent) {
        self.events.lock().unwrap().push(event);
    }

    async fn record(&self, event: &AuditEvent) -> Result<(), store::Error> {
        self.note(event.clone());
        Ok(())
    }

    async fn entries(&self, _: &AuditFilter, _: Page<AuditPlace>) -> Result<AuditPage, store::Error> {
        Ok(AuditPage { entries: Vec::new(), last: None })
    }

    async fn first_logins(
        &self,
        _: &str,
        _: Timestamp,
    ) -> Result<Vec<(std::net::IpAddr, Timestamp)>, store::Error> {
        Ok(Vec::new())
    }

    async fn prune(&self, _: Timestamp, _: Timestamp) -> Result<u64, store::Error> {
        Ok(0)
    }
}

/// An account and its app, which shows the codes of `seed`.
struct Scene {
    store: Memory,
    keyring: Keyring,
    account: Account,
    seed: Seed,
}

impl Scene {
    async fn enrolled() -> Scene {
        let (store, keyring) = (Memory::default(), keyring());
        let address = Mailbox::parse("alice@example.org").unwrap();
        let account = Account::new(AccountId::from_bytes([1; 16]), address, at(0));
        let (seed, _) = enroll(&store, &keyring, account.id, &frank(0)).await.unwrap();
        Scene { store, keyring, account, seed }
    }

    async fn on() -> (Scene, [RecoveryCode; CODES]) {
        let scene = Scene::enrolled().await;
        let Confirmation::Confirmed(codes) = scene.confirm(&scene.code(0), 0).await else {
            panic!("not confirmed")
        };
        (scene, codes)
    }

    /// What the app shows so many seconds after noon.
    fn code(&self, second: i64) -> String {
        self.seed.code(totp::step_at(at(second)).unwrap())
    }

    /// A code that no step has for some minutes.
    fn wrong(&self, number: usize) -> String {
        let right: Vec<String> = (-10..10).map(|step| self.code(step * 30)).collect();
        (0..1_000_000)
            .map(|code| format!("{code:06}"))
            .filter(|code| !right.contains(code))
            .nth(number)
            .unwrap()
    }

    async fn confirm(&self, code: &str, second: i64) -> Confirmation {
        let code = Secret::new(code);
        confirm(&self.store, &self.keyring, &self.account, &code, &six(), &frank(second)).await.unwrap()
    }

    async fn check(&self, code: &str, second: i64) -> SecondFactorOutcome {
        let code = Secret::new(code);
        check(
            &self.store,
            &self.keyring,
            &self.account,
            &code,
            (&six(), CodeFrom::OtherNetwork),
            &self.her(second),
        )
        .await
        .unwrap()
    }

    /// What the owner of the account does while the server serves it.
    fn her(&self, second: i64) -> Act {
        Act::account(&self.account.address, at(second))
    }

    fn damage(&self, damage: impl FnOnce(&mut SecondFactor)) {
        damage(self.store.factor.lock().unwrap().as_mut().unwrap());
    }

    fn events(&self) -> Vec<(Action, AuditResult, String)> {
        let events = self.store.events.lock().unwrap();
        events.iter().map(|event| (event.action, event.result, event.reason.to_string())).collect()
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(NOON + second).unwrap()
}

/// What Frank does at the command line.
fn frank(second: i64) -> Act {
    Act::command("frank", at(second))
}

fn failed(action: Action, reason: &str) -> (Action, AuditResult, String) {
    (action, AuditResult::Failure, reason.to_owned())
}

#[tokio::test]
async fn it_is_on_only_after_a_right_code() {
    let scene = Scene::enrolled().await;
    assert_eq!(scene.check(&scene.code(0), 0).await, SecondFactorOutcome::Wrong);
    assert_eq!(scene.confirm(&scene.wrong(0), 0).await, Confirmation::Wrong);
    assert_eq!(scene.events(), [failed(Action::TotpConfirm, "bad-code")]);
    assert!(matches!(scene.confirm(&scene.code(0), 0).await, Confirmation::Confirmed(_)));
    assert_eq!(scene.confirm(&scene.code(30), 30).await, Confirmation::On);
    let again = enroll(&scene.store, &scene.keyring, scene.account.id, &frank(60)).await;
    assert!(matches!(again, Err(KeyringError::Store(store::Error::AlreadyExists))));
    scene.store.factor.lock().unwrap().take();
    assert_eq!(scene.confirm(&scene.code(60), 60).await, Confirmation::NotPrepared);
    assert_eq!(scene.check(&scene.code(60), 60).await, SecondFactorOutcome::Wrong);
}

#[tokio::test]
async fn otp_01_a_code_is_right_once() {
    let (scene, _) = Scene::on().await;
    assert_eq!(scene.check(&scene.code(0), 0).await, SecondFactorOutcome::Wrong, "used to confirm");
    assert_eq!(scene.check(&scene.code(30), 30).await, SecondFactorOutcome::Accepted);
    assert_eq!(scene.check(&scene.code(30), 31).await, SecondFactorOutcome::Wrong);
    // The step after it, from a phone that is ahead; then the present one is used up with it.
    assert_eq!(scene.check(&scene.code(90), 60).await, SecondFactorOutcome::Accepted);
    assert_eq!(scene.check(&scene.code(60), 61).await, SecondFactorOutcome::Wrong);
}

#[tokio::test]
async fn otp_03_a_clock_that_steps_back_makes_no_code_right_again() {
    let (scene, _) = Scene::on().await;
    assert_eq!(scene.check(&scene.code(600), 600).await, SecondFactorOutcome::Accepted);
    assert_eq!(scene.check(&scene.code(0), 0).await, SecondFactorOutcome::Wrong);
    assert_eq!(scene.check(&scene.code(570), 570).await, SecondFactorOutcome::Wrong);
    assert_eq!(scene.check(&scene.code(630), 630).await, SecondFactorOutcome::Accepted);
}

#[tokio::test]
async fn a_recovery_code_stands_in_once() {
    let (scene, codes) = Scene::on().await;
    let typed = codes[3].declassify().to_uppercase().replace('-', " ");
    assert_eq!(scene.check(&typed, 1).await, SecondFactorOutcome::Accepted);
    assert_eq!(scene.check(&typed, 1).await, SecondFactorOutcome::Wrong);
    assert_eq!(scene.check(&codes[4].declassify(), 1).await, SecondFactorOutcome::Accepted);
    assert_eq!(scene.store.codes.lock().unwrap().len(), 8);
}

#[tokio::test]
async fn fresh_recovery_codes_replace_those_left() {
    let (scene, old) = Scene::on().await;
    let made = replace_recovery_codes(&scene.store, &scene.keyring, scene.account.id, &frank(1)).await;
    let new = made.unwrap().unwrap();
    assert_eq!(scene.check(&old[0].declassify(), 1).await, SecondFactorOutcome::Wrong);
    assert_eq!(scene.check(&new[0].declassify(), 1).await, SecondFactorOutcome::Accepted);
    let scene = Scene::enrolled().await;
    let made = replace_recovery_codes(&scene.store, &scene.keyring, scene.account.id, &frank(1)).await;
    assert_eq!(made.unwrap(), None);
}

#[tokio::test]
async fn a_recovery_code_does_not_confirm() {
    let (scene, codes) = Scene::on().await;
    scene.damage(|factor| factor.confirmed_at = None);
    assert_eq!(scene.confirm(&codes[0].declassify(), 30).await, Confirmation::Wrong);
}

#[tokio::test]
async fn otp_02_after_six_wrong_codes_not_even_the_right_one_is_judged() {
    let (scene, codes) = Scene::on().await;
    for number in 0..6 {
        assert_eq!(scene.check(&scene.wrong(number), 30).await, SecondFactorOutcome::Wrong);
    }
    for typed in [scene.wrong(6), scene.wrong(0), scene.code(30), codes[0].declassify().to_string()] {
        assert!(matches!(scene.check(&typed, 30).await, SecondFactorOutcome::Throttled(_)), "{typed}");
    }
    scene.store.marks.lock().unwrap().clear();
    assert_eq!(scene.check(&scene.code(30), 30).await, SecondFactorOutcome::Accepted);
    assert!(scene.store.marks.lock().unwrap().is_empty(), "a success clears what was counted");
}

#[tokio::test]
async fn confirming_is_throttled_too() {
    let scene = Scene::enrolled().await;
    for number in 0..6 {
        assert_eq!(scene.confirm(&scene.wrong(number), 0).await, Confirmation::Wrong);
    }
    assert!(matches!(scene.confirm(&scene.code(0), 0).await, Confirmation::Throttled(_)));
    assert_eq!(scene.events().last(), Some(&failed(Action::TotpConfirm, "throttled")));
}

#[tokio::test]
async fn a_wrong_code_counts_once_in_each_step() {
    let (scene, _) = Scene::on().await;
    let wrong = scene.wrong(0);
    for second in [30, 31, 59, 60, 61, 90] {
        assert_eq!(scene.check(&wrong, second).await, SecondFactorOutcome::Wrong);
    }
    // It is a new guess when the codes are others: that of 30, of 60 and of 90.
    assert_eq!(scene.store.marks.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn otp_04_a_seed_that_does_not_open_fails_closed_and_is_audited() {
    let (scene, codes) = Scene::on().await;
    scene.damage(|factor| *factor.seed.last_mut().unwrap() ^= 1);
    for typed in [scene.code(30), codes[0].declassify().to_string()] {
        assert_eq!(scene.check(&typed, 30).await, SecondFactorOutcome::Damaged);
    }
    assert_eq!(
        scene.events(),
        [failed(Action::SecretOpen, "damaged"), failed(Action::SecretOpen, "damaged")]
    );
    scene.damage(|factor| factor.confirmed_at = None);
    assert_eq!(scene.confirm(&scene.code(30), 30).await, Confirmation::Damaged);
    assert!(scene.store.marks.lock().unwrap().is_empty(), "nobody has guessed wrong");
}

#[tokio::test]
async fn otp_04_a_seed_of_another_account_or_another_time_does_not_open() {
    let (mut scene, _) = Scene::on().await;
    scene.account.id = AccountId::from_bytes([2; 16]);
    assert_eq!(scene.check(&scene.code(30), 30).await, SecondFactorOutcome::Damaged);
    let (scene, _) = Scene::on().await;
    scene.damage(|factor| factor.enrolled_at = at(1));
    assert_eq!(scene.check(&scene.code(30), 30).await, SecondFactorOutcome::Damaged);
}

#[tokio::test]
async fn a_code_that_could_not_be_judged_counts_once_however_often_it_is_tried() {
    let (scene, _) = Scene::on().await;
    *scene.store.out_of_order.lock().unwrap() = true;
    let code = Secret::new(scene.code(30));
    for _ in 0..3 {
        let (store, account, act) = (&scene.store, &scene.account, scene.her(30));
        let checked =
            check(store, &scene.keyring, account, &code, (&six(), CodeFrom::OtherNetwork), &act).await;
        assert!(matches!(checked, Err(store::Error::Unavailable(_))));
    }
    assert_eq!(scene.store.marks.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_seed_that_is_kept_while_another_key_is_activated_ends_under_that_key() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("master.key");
    let store = Memory::default();
    let keyring = Keyring::open(MasterKeys::generate(&file).unwrap(), &store).await.unwrap();
    *store.rotated.lock().unwrap() = Some(file.clone());
    let account = AccountId::from_bytes([1; 16]);
    let (seed, unsettled) = enroll(&store, &keyring, account, &frank(0)).await.unwrap();
    assert!(unsettled.is_none());
    let sealed = store.factor.lock().unwrap().clone().unwrap().seed;
    let place = SealedPlace::TotpSeed { account, enrolled_at: at(0) };
    assert_eq!(keyring.open_sealed(place, &sealed).unwrap(), *seed.octets());
    let sealer = keyring.sealer(&store).await.unwrap();
    assert_eq!(sealer.number(), 2);
    assert!(sealer.reseal(place, &sealed).unwrap().is_none(), "it is sealed under the newest key");
}

#[tokio::test]
async fn a_seed_that_was_kept_is_told_though_it_could_not_be_sealed_anew() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("master.key");
    let store = Memory::default();
    let keyring = Keyring::open(MasterKeys::generate(&file).unwrap(), &store).await.unwrap();
    *store.rotated.lock().unwrap() = Some(file.clone());
    *store.out_of_order.lock().unwrap() = true;
    let account = AccountId::from_bytes([1; 16]);
    let (seed, unsettled) = enroll(&store, &keyring, account, &frank(0)).await.unwrap();
    assert!(matches!(unsettled, Some(KeyringError::Store(store::Error::Unavailable(_)))));
    let sealed = store.factor.lock().unwrap().clone().unwrap().seed;
    let place = SealedPlace::TotpSeed { account, enrolled_at: at(0) };
    assert_eq!(keyring.open_sealed(place, &sealed).unwrap(), *seed.octets());
}

#[tokio::test]
async fn what_a_right_code_has_done_is_told_though_its_count_could_not_be_cleared() {
    let scene = Scene::enrolled().await;
    *scene.store.counts_stay.lock().unwrap() = true;
    assert!(matches!(scene.confirm(&scene.code(0), 0).await, Confirmation::Confirmed(_)));
    assert_eq!(scene.check(&scene.code(30), 30).await, SecondFactorOutcome::Accepted);
}

/// The counter of the day stops whoever guesses on day after day. Who has the store could read the seed.
#[tokio::test]
async fn only_at_the_command_line_the_counter_of_the_day_stops_nobody_who_confirms() {
    let scene = Scene::enrolled().await;
    let counted = async |act: &Act| {
        let wrong = Secret::new(scene.wrong(0));
        confirm(&scene.store, &scene.keyring, &scene.account, &wrong, &six(), act).await.unwrap();
        scene.store.counted_by.lock().unwrap().drain(..).collect::<Vec<_>>()
    };
    use ThrottleKind::{Totp, TotpDay};
    assert_eq!(counted(&frank(0)).await, [vec![Totp], vec![TotpDay]]);
    assert_eq!(counted(&scene.her(0)).await, [vec![Totp, TotpDay]], "decided by both");
}
