//! Takes accounts into the store, some at a time, and counts.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::Context as _;
use auth::challenge_key::Password;
use auth::{Hasher, ImportedPassword, Keyring};
use futures_util::future::join_all;
use rand::RngExt as _;
use serde::Serialize;
use store::{
    Account, Accounts as _, Act, AppPassword, Import, ImportedAppPassword, ImportedSecondFactor, Scope,
    SealedPlace,
};
use stores::Accounts;
use tokio::task::JoinSet;
use types::{AccountId, CredentialId, Secret};

use crate::import::{ForeignAppPassword, Found, Newcomer, Place};
use crate::{clock, output, scram};

/// What has become of what was found.
#[derive(Debug, Default, Serialize)]
pub(super) struct Tally {
    accounts: u64,
    app_passwords: u64,
    second_factors: u64,
    identities: u64,
    /// Accounts that are there already, and were left as they are.
    existing: u64,
    /// Lines that were not taken.
    not_taken: u64,
    /// Those, and those of accounts that were taken without a part.
    refused: Vec<Refused>,
    /// What belongs to accounts that were taken, and could not be.
    lacking: u64,
    dry_run: bool,
}

/// A line that was not taken, or not whole.
#[derive(Debug, Serialize)]
struct Refused {
    file: String,
    line: u64,
    reason: String,
}

impl Refused {
    fn at(place: &Place, flaw: &str) -> Self {
        Self { file: place.file.to_string(), line: place.line, reason: flaw.to_owned() }
    }
}

impl Tally {
    /// How much was wrong.
    pub(super) fn flaws(&self) -> u64 {
        self.not_taken + self.lacking
    }

    /// For people.
    pub(super) fn shown(&self) -> String {
        let taken = if self.dry_run { "accounts to take" } else { "accounts taken" };
        output::fields([
            (taken, self.accounts.to_string()),
            ("their app passwords", self.app_passwords.to_string()),
            ("their second factors", self.second_factors.to_string()),
            ("their identities", self.identities.to_string()),
            ("there already", self.existing.to_string()),
            ("lines not taken", self.not_taken.to_string()),
            ("taken, but for a part", self.lacking.to_string()),
        ])
    }
}

/// The way in.
pub(super) struct Intake<'a> {
    store: &'a Accounts,
    keyring: Option<Keyring>,
    hasher: Arc<Hasher>,
    /// Whether SCRAM keys are made of passwords in clear.
    pub(super) scram: bool,
    /// Who brings them, and when.
    act: Act,
    seen: HashMap<String, Place>,
    pub(super) tally: Tally,
}

impl<'a> Intake<'a> {
    pub(super) fn new(
        store: &'a Accounts,
        keyring: Option<Keyring>,
        hasher: Hasher,
        dry_run: bool,
        act: Act,
    ) -> Self {
        let tally = Tally { dry_run, ..Tally::default() };
        Self { store, keyring, hasher: Arc::new(hasher), scram: false, act, seen: HashMap::new(), tally }
    }

    /// Takes some of what was found, at most as many as may be hashed at once.
    ///
    /// # Errors
    /// When the store fails. What was taken before stays taken.
    pub(super) async fn take(&mut self, some: Vec<Found>) -> anyhow::Result<()> {
        let mut welcome = Vec::with_capacity(some.len());
        for Found { place, newcomer } in some {
            match newcomer {
                Ok(newcomer) => {
                    if self.admit(&place, &newcomer).await? {
                        welcome.push((place, newcomer));
                    }
                }
                Err(flaw) => self.refuse(&place, &flaw),
            }
        }
        let shown: Vec<Option<Secret>> = welcome.iter().map(|(_, newcomer)| in_clear(newcomer)).collect();
        let mut taken = Vec::new();
        for ((place, newcomer), shown) in self.hashed(welcome).await?.into_iter().zip(shown) {
            taken.extend(self.keep(&place, newcomer).await?.zip(shown));
        }
        self.keep_scram(taken).await;
        Ok(())
    }

    /// Makes the SCRAM keys of passwords that are known, on all cores.
    async fn keep_scram(&self, taken: Vec<(Account, Secret)>) {
        let Some(keyring) = self.keyring.as_ref().filter(|_| self.scram) else { return };
        let keep = async |(account, password)| {
            let password = Password::Account(password);
            let means = (keyring, &*self.hasher);
            let lack = desk::keep_scram(self.store, means, &account, &password, self.act.at).await;
            scram::tell(&account.address, lack);
        };
        join_all(taken.into_iter().map(keep)).await;
    }

    /// Whether this newcomer is to be taken; if not, why is told and counted.
    async fn admit(&mut self, place: &Place, newcomer: &Newcomer) -> anyhow::Result<bool> {
        let address = &newcomer.address;
        if let Some(before) = self.seen.get(&address.normal()) {
            let flaw = format!("{address} stands at {before} already; leave one of the two");
            self.refuse(place, &flaw);
            return Ok(false);
        }
        self.seen.insert(address.normal(), place.clone());
        if self.store.by_address(address).await?.is_some() {
            self.leave(place, newcomer);
            return Ok(false);
        }
        if let Some(ImportedPassword::Clear(password)) = &newcomer.password
            && let Err(flaw) = desk::fit(password.declassify())
        {
            self.refuse(place, &format!("{address}: {flaw}"));
            return Ok(false);
        }
        Ok(true)
    }

    fn refuse(&mut self, place: &Place, flaw: &str) {
        eprintln!("{place}: {}", output::harmless(flaw));
        self.tally.not_taken += 1;
        self.tally.refused.push(Refused::at(place, flaw));
    }

    fn leave(&mut self, place: &Place, newcomer: &Newcomer) {
        eprintln!("{place}: there is an account {} already; it is left as it is", newcomer.address);
        self.tally.existing += 1;
    }

    /// The newcomers in the same order, with passwords in clear hashed on all cores.
    async fn hashed(&self, mut newcomers: Vec<(Place, Newcomer)>) -> anyhow::Result<Vec<(Place, Newcomer)>> {
        let mut runs = JoinSet::new();
        for (at, (_, newcomer)) in newcomers.iter_mut().enumerate() {
            if self.tally.dry_run {
                continue;
            }
            if let Some(ImportedPassword::Clear(password)) = &newcomer.password {
                let (hasher, password) = (Arc::clone(&self.hasher), password.clone());
                runs.spawn(async move { (at, hasher.hash(password).await) });
            }
        }
        while let Some(run) = runs.join_next().await {
            let (at, hash) = run?;
            if let Some((_, newcomer)) = newcomers.get_mut(at) {
                newcomer.password = Some(ImportedPassword::Hash(hash?));
            }
        }
        Ok(newcomers)
    }

    /// The account, if it is in the store now.
    async fn keep(&mut self, place: &Place, mut newcomer: Newcomer) -> anyhow::Result<Option<Account>> {
        newcomer.app_passwords.retain(|password| password.expires_at.is_none_or(|end| end > self.act.at));
        if self.tally.dry_run {
            self.count(place, &newcomer);
            return Ok(None);
        }
        let import = self.import(&newcomer).await?;
        match self.store.import(&import, &self.act).await {
            Err(store::Error::AlreadyExists) => {
                self.leave(place, &newcomer);
                return Ok(None);
            }
            stored => stored.with_context(|| {
                format!("{place}: cannot take {}; run the same once more for the rest", newcomer.address)
            })?,
        }
        self.settle(&import).await?;
        self.count(place, &newcomer);
        Ok(Some(import.account))
    }

    fn count(&mut self, place: &Place, newcomer: &Newcomer) {
        for lack in &newcomer.lacks {
            let flaw = format!("{} is taken without {lack}", newcomer.address);
            eprintln!("{place}: {}", output::harmless(&flaw));
            self.tally.refused.push(Refused::at(place, &flaw));
        }
        let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        self.tally.accounts += 1;
        self.tally.app_passwords += number(newcomer.app_passwords.len());
        self.tally.second_factors += u64::from(newcomer.seed.is_some());
        self.tally.identities += number(newcomer.identities.len());
        self.tally.lacking += number(newcomer.lacks.len());
    }

    async fn import(&self, newcomer: &Newcomer) -> anyhow::Result<Import> {
        let account = self.account(newcomer);
        let passwords = newcomer.app_passwords.iter().map(|password| self.app_password(account.id, password));
        let second_factor = match &newcomer.seed {
            Some(seed) => Some(self.second_factor(account.id, seed.octets()).await?),
            None => None,
        };
        Ok(Import {
            app_passwords: passwords.collect::<anyhow::Result<_>>()?,
            second_factor,
            identities: newcomer.identities.clone(),
            account,
        })
    }

    fn account(&self, newcomer: &Newcomer) -> Account {
        let password_hash = match &newcomer.password {
            Some(ImportedPassword::Hash(hash)) => Some(hash.clone()),
            Some(ImportedPassword::Clear(_)) | None => None,
        };
        let id = AccountId::new(clock::unix_ms(self.act.at), rand::rng().random());
        Account {
            name: newcomer.name.clone(),
            admin: newcomer.admin,
            disabled: newcomer.disabled,
            password_hash,
            totp: newcomer.seed.is_some(),
            ..Account::new(id, newcomer.address.clone(), newcomer.created_at.unwrap_or(self.act.at))
        }
    }

    fn app_password(
        &self,
        account: AccountId,
        foreign: &ForeignAppPassword,
    ) -> anyhow::Result<ImportedAppPassword> {
        let (mut random, created_at) = (rand::rng(), foreign.created_at.unwrap_or(self.act.at));
        let app_password = AppPassword {
            id: CredentialId::new(clock::unix_ms(created_at), random.random()),
            account,
            label: foreign.label.clone(),
            scopes: vec![Scope::Smtp],
            networks: Vec::new(),
            senders: Vec::new(),
            created_at,
            expires_at: foreign.expires_at,
            last_used: None,
        };
        let selector = self.keyring()?.selector(account, foreign.selector.as_bytes());
        Ok(ImportedAppPassword {
            app_password,
            digest: random.random(),
            selector,
            hash: foreign.hash.clone(),
        })
    }

    async fn second_factor(&self, account: AccountId, seed: &Secret) -> anyhow::Result<ImportedSecondFactor> {
        let place = SealedPlace::TotpSeed { account, enrolled_at: self.act.at };
        let seed = self.keyring()?.sealer(self.store).await?.seal(place, seed);
        Ok(ImportedSecondFactor { seed, enrolled_at: self.act.at })
    }

    /// What was sealed before another master key was activated, and stored behind it, ends under that key, too.
    async fn settle(&self, import: &Import) -> anyhow::Result<()> {
        if let Some(ImportedSecondFactor { seed, enrolled_at }) = &import.second_factor {
            let place = SealedPlace::TotpSeed { account: import.account.id, enrolled_at: *enrolled_at };
            self.keyring()?.settle(self.store, place, seed).await?;
        }
        Ok(())
    }

    fn keyring(&self) -> anyhow::Result<&Keyring> {
        self.keyring.as_ref().context("this form has no secrets to seal")
    }
}

fn in_clear(newcomer: &Newcomer) -> Option<Secret> {
    match &newcomer.password {
        Some(ImportedPassword::Clear(password)) => Some(password.clone()),
        Some(ImportedPassword::Hash(_)) | None => None,
    }
}
