//! Accounts, credentials, the audit trail, in whichever backend.

use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;
use jiff::Timestamp;
use store::{
    AcceptedInvitation, Account, AccountFilter, Act, Amounts, ApiToken, ApiTokens, AppPassword,
    AppPasswordPlace, AppPasswords, Audit, AuditEvent, AuditFilter, AuditPage, AuditPlace, Certificate,
    CertificatePlace, Certificates, ChallengeKey, ChallengeKeys, ChallengeKind, Challenged, Correspondent,
    Counted, CountedPlace, Counter, Departure, DkimKey, DkimKeys, Enrolment, EnrolmentUse, Enrolments, Error,
    Full, Identities, Identity, Import, KnownRequest, LastAdministrator, LastUse, LimitChanges,
    LimitedAccount, LimitedFilter, Limits, Loan, Login, NewAppPassword, NewSignIn, OwnLimits, OwnSettings,
    Page, Remedy, RequestName, Resealed, Revision, SealedPlace, SealedSecrets, SecondFactor, SecondFactors,
    Sending, Sent, Share, SignIn, SignIns, StoredAnswer, StoredIdempotency, StoredRights, StsPolicies,
    StsPolicy, ThrottleFilter, Throttled, Throttles, WebSession, WebSessions, Webhook, WebhookAttempt,
    WebhookDelivery, Webhooks,
};
use store_sqlite::SqliteAccounts;
use types::{
    AccountId, ApiTokenId, CredentialId, DkimKeyName, EnrolmentId, Fingerprint, Mailbox, SenderPattern,
    SignInId, WebSessionId, WebhookDeliveryId, WebhookId,
};

/// Accounts, credentials, the audit trail. A clone is another handle to the same.
#[derive(Debug, Clone)]
pub enum Accounts {
    /// In `accounts.db`.
    Sqlite(SqliteAccounts),
}

impl store::Accounts for Accounts {
    ask_backend! {
        async fn add(&self, account: &Account, act: &Act) -> Result<(), Error>;
        async fn import(&self, import: &Import, act: &Act) -> Result<(), Error>;
        async fn by_address(&self, address: &Mailbox) -> Result<Option<Account>, Error>;
        async fn by_id(&self, id: AccountId) -> Result<Option<Account>, Error>;
        async fn session_rights(&self, login: &Login) -> Result<Option<StoredRights>, Error>;
        async fn list(&self, filter: &AccountFilter, page: Page<String>) -> Result<Vec<Account>, Error>;
        async fn hashes_unlike(&self, prefix: &str, after: Option<AccountId>, at_most: u32) -> Result<Vec<(AccountId, String)>, Error>;
        async fn set_password(&self, id: AccountId, hash: &str, act: &Act) -> Result<(), Error>;
        async fn rehash(&self, id: AccountId, old: &str, new: &str, act: &Act) -> Result<bool, Error>;
        async fn depart(&self, id: AccountId, departure: &Departure, last: LastAdministrator, act: &Act) -> Result<(), Error>;
        async fn set_disabled(&self, id: AccountId, disabled: bool, act: &Act) -> Result<(), Error>;
        async fn set_undo(&self, id: AccountId, undo: Option<Duration>, act: &Act) -> Result<(), Error>;
        async fn set_settings(&self, id: AccountId, settings: &OwnSettings, act: &Act) -> Result<(), Error>;
        async fn remove(&self, id: AccountId, act: &Act) -> Result<(), Error>;
        async fn revision(&self) -> Option<Revision>;
        async fn flush(&self) -> Result<(), Error>;
        fn may_lack(&self) -> bool;
        fn logged_in(&self, id: AccountId, at: Timestamp, network: Option<IpNet>);
    }
}

impl AppPasswords for Accounts {
    ask_backend! {
        async fn create(&self, new: &NewAppPassword, at_most: u32, act: &Act) -> Result<(), Error>;
        async fn by_digest(&self, digest: &[u8; 32]) -> Result<Option<(AppPassword, Account)>, Error>;
        async fn of_account(&self, account: AccountId, page: Page<AppPasswordPlace>) -> Result<Vec<AppPassword>, Error>;
        async fn app_password_counts(&self, accounts: &[AccountId]) -> Result<Vec<(AccountId, u64)>, Error>;
        async fn relabel(&self, account: AccountId, id: CredentialId, label: &str, act: &Act) -> Result<bool, Error>;
        async fn revoke(&self, account: AccountId, id: CredentialId, act: &Act) -> Result<bool, Error>;
        async fn revoked(&self, digest: &[u8; 32]) -> Result<Option<CredentialId>, Error>;
        async fn revoked_labels(&self, account: AccountId) -> Result<Vec<(CredentialId, String)>, Error>;
        async fn prune_revoked(&self, before: Timestamp) -> Result<u64, Error>;
        async fn imported(&self, selector: &[u8; 32]) -> Result<Vec<(String, AppPassword, Account)>, Error>;
        async fn imported_hashes(&self, after: Option<CredentialId>, at_most: u32) -> Result<Vec<(CredentialId, String, u32)>, Error>;
        async fn adopt(&self, id: CredentialId, digest: &[u8; 32], act: &Act) -> Result<bool, Error>;
        fn used(&self, id: CredentialId, last_use: LastUse);
    }
}

impl Certificates for Accounts {
    ask_backend! {
        async fn add_certificate(&self, certificate: &Certificate, act: &Act) -> Result<(), Error>;
        async fn by_fingerprint(&self, fingerprint: &Fingerprint) -> Result<Option<(Certificate, Account)>, Error>;
        async fn certificates(&self, account: AccountId, page: Page<CertificatePlace>) -> Result<Vec<Certificate>, Error>;
        async fn remove_certificate(&self, account: AccountId, fingerprint: &Fingerprint, act: &Act) -> Result<bool, Error>;
        fn certificate_used(&self, fingerprint: Fingerprint, last_use: LastUse);
    }
}

impl WebSessions for Accounts {
    ask_backend! {
        async fn open_session(&self, session: &WebSession, digest: &[u8; 32], at_most: u32) -> Result<(), Error>;
        async fn session_by_digest(&self, digest: &[u8; 32]) -> Result<Option<(WebSession, Account)>, Error>;
        async fn renew_session(&self, old: &[u8; 32], new: &[u8; 32], version: i64, at: Timestamp) -> Result<bool, Error>;
        async fn sessions(&self, account: AccountId) -> Result<Vec<WebSession>, Error>;
        async fn end_session(&self, account: AccountId, id: WebSessionId, act: &Act) -> Result<bool, Error>;
        async fn end_sessions(&self, account: AccountId, but: Option<WebSessionId>, act: &Act) -> Result<u64, Error>;
        async fn count_sessions(&self) -> Result<u64, Error>;
        async fn prune_sessions(&self, used_since: Timestamp, now: Timestamp) -> Result<u64, Error>;
        fn session_seen(&self, id: WebSessionId, at: Timestamp);
    }
}

impl ApiTokens for Accounts {
    ask_backend! {
        async fn add_token(&self, token: &ApiToken, digest: &[u8; 32], at_most: u32, act: &Act) -> Result<(), Error>;
        async fn token_by_digest(&self, digest: &[u8; 32]) -> Result<Option<(ApiToken, Account)>, Error>;
        async fn tokens(&self, account: AccountId) -> Result<Vec<ApiToken>, Error>;
        async fn revoke_token(&self, account: AccountId, id: ApiTokenId, act: &Act) -> Result<bool, Error>;
        async fn prune_tokens(&self, before: Timestamp) -> Result<u64, Error>;
        fn token_used(&self, id: ApiTokenId, at: Timestamp, ip: IpAddr);
    }
}

impl StoredIdempotency for Accounts {
    ask_backend! {
        async fn begin_request(&self, name: &RequestName, digest: &[u8; 32], now: Timestamp, abandoned: Timestamp) -> Result<KnownRequest, Error>;
        async fn finish_request(&self, name: &RequestName, begun_at: Timestamp, answer: &StoredAnswer) -> Result<(), Error>;
        async fn forget_request(&self, name: &RequestName, begun_at: Timestamp) -> Result<(), Error>;
        async fn prune_requests(&self, before: Timestamp, now: Timestamp) -> Result<u64, Error>;
    }
}

impl Enrolments for Accounts {
    ask_backend! {
        async fn keep_enrolment(&self, enrolment: &Enrolment, digest: &[u8; 32], at_most: u32, act: &Act) -> Result<(), Error>;
        async fn enrolment_by_digest(&self, digest: &[u8; 32]) -> Result<Option<(Enrolment, Account)>, Error>;
        async fn enrolment(&self, account: AccountId, id: EnrolmentId) -> Result<Option<Enrolment>, Error>;
        async fn open_enrolments(&self, account: AccountId, now: Timestamp, at_most: u32) -> Result<Vec<Enrolment>, Error>;
        async fn enrolment_opened(&self, id: EnrolmentId, at: Timestamp) -> Result<(), Error>;
        async fn withdraw_enrolment(&self, account: AccountId, id: EnrolmentId, act: &Act) -> Result<bool, Error>;
        async fn use_device_link(&self, id: EnrolmentId, used: &EnrolmentUse, new: &NewAppPassword, at_most: u32, act: &Act) -> Result<bool, Error>;
        async fn accept_invitation(&self, id: EnrolmentId, accepted: &AcceptedInvitation, act: &Act) -> Result<bool, Error>;
        async fn prune_enrolments(&self, before: Timestamp, now: Timestamp) -> Result<u64, Error>;
    }
}

impl SignIns for Accounts {
    ask_backend! {
        async fn unanswered(&self, account: AccountId, at_most: u32) -> Result<Vec<SignIn>, Error>;
        async fn sign_in(&self, account: AccountId, id: SignInId) -> Result<Option<SignIn>, Error>;
        async fn own_sign_in(&self, account: AccountId, id: SignInId, act: &Act) -> Result<bool, Error>;
        async fn disown_sign_in(&self, account: AccountId, id: SignInId, remedy: &Remedy, act: &Act) -> Result<Option<SignIn>, Error>;
        async fn incident_held(&self, id: SignInId, held: u64) -> Result<(), Error>;
        async fn incidents(&self, at_most: u32) -> Result<Vec<(SignIn, Mailbox)>, Error>;
        async fn close_incident(&self, id: SignInId, act: &Act) -> Result<bool, Error>;
        async fn prune_sign_ins(&self, before: Timestamp, now: Timestamp) -> Result<u64, Error>;
        fn note_sign_in(&self, sign_in: NewSignIn);
    }
}

impl Webhooks for Accounts {
    ask_backend! {
        async fn add_webhook(&self, webhook: &Webhook, at_most: u32, act: &Act) -> Result<(), Error>;
        async fn webhooks(&self) -> Result<Vec<Webhook>, Error>;
        async fn remove_webhook(&self, id: WebhookId, act: &Act) -> Result<bool, Error>;
        async fn webhook_news(&self, at_most: u32) -> Result<(i64, Vec<(i64, AuditEvent)>), Error>;
        async fn keep_webhook_deliveries(&self, from_to: (i64, i64), deliveries: &[WebhookDelivery], at_most: u32) -> Result<u64, Error>;
        async fn keep_webhook_delivery(&self, delivery: &WebhookDelivery) -> Result<bool, Error>;
        async fn lease_webhook_deliveries(&self, now: Timestamp, until: Timestamp, at_most: u32) -> Result<Vec<(WebhookDelivery, Webhook)>, Error>;
        async fn record_webhook_attempt(&self, id: WebhookDeliveryId, attempt: &WebhookAttempt, now: Timestamp, patience: Timestamp)
            -> Result<bool, Error>;
        async fn webhook_deliveries(&self, webhook: WebhookId, page: Page<WebhookDeliveryId>) -> Result<Vec<WebhookDelivery>, Error>;
        async fn repeat_webhook_delivery(&self, webhook: WebhookId, id: WebhookDeliveryId, now: Timestamp) -> Result<bool, Error>;
        async fn waiting_webhook_deliveries(&self) -> Result<u64, Error>;
        async fn prune_webhook_deliveries(&self, before: Timestamp) -> Result<u64, Error>;
    }
}

impl Identities for Accounts {
    ask_backend! {
        async fn add_identity(&self, account: AccountId, identity: &Identity, act: &Act) -> Result<(), Error>;
        async fn identities(&self, account: AccountId, page: Page<String>) -> Result<Vec<Identity>, Error>;
        async fn sender_domains(&self, domain: Option<&str>, page: Page<String>) -> Result<Vec<String>, Error>;
        async fn remove_identity(&self, account: AccountId, sender: &SenderPattern, act: &Act) -> Result<bool, Error>;
    }
}

impl StsPolicies for Accounts {
    ask_backend! {
        async fn sts_policy(&self, domain: &str) -> Result<Option<StsPolicy>, Error>;
        async fn keep_sts_policy(&self, policy: &StsPolicy) -> Result<(), Error>;
        async fn sts_policy_used(&self, domain: &str, at: Timestamp) -> Result<(), Error>;
        async fn drop_sts_policy(&self, domain: &str) -> Result<(), Error>;
        async fn sts_policies_to_refresh(&self, now: Timestamp, used_since: Timestamp, page: Page<String>) -> Result<Vec<StsPolicy>, Error>;
        async fn prune_sts_policies(&self, now: Timestamp) -> Result<u64, Error>;
    }
}

impl ChallengeKeys for Accounts {
    ask_backend! {
        async fn keep_challenge_key(&self, key: &ChallengeKey, version: i64) -> Result<bool, Error>;
        async fn has_challenge_key(&self, kind: ChallengeKind, account: AccountId, credential: Option<CredentialId>)
            -> Result<bool, Error>;
        async fn with_challenge_key(&self, kind: ChallengeKind, app_passwords: &[CredentialId]) -> Result<Vec<CredentialId>, Error>;
        async fn challenged(&self, address: &Mailbox, kind: ChallengeKind) -> Result<Option<Challenged>, Error>;
    }
}

impl DkimKeys for Accounts {
    ask_backend! {
        async fn add_dkim_key(&self, key: &DkimKey, act: &Act) -> Result<(), Error>;
        async fn dkim_key(&self, name: &DkimKeyName) -> Result<Option<DkimKey>, Error>;
        async fn dkim_keys(&self, domain: Option<&str>, page: Page<DkimKeyName>) -> Result<Vec<DkimKey>, Error>;
        async fn any_active_dkim_key(&self) -> Result<bool, Error>;
        async fn active_dkim_keys(&self, domains: &[&str]) -> Result<Vec<DkimKey>, Error>;
        async fn activate_dkim_key(&self, name: &DkimKeyName, act: &Act) -> Result<Option<DkimKeyName>, Error>;
        async fn retire_dkim_key(&self, name: &DkimKeyName, act: &Act) -> Result<bool, Error>;
        async fn wipe_dkim_key(&self, name: &DkimKeyName, act: &Act) -> Result<bool, Error>;
    }
}

impl SecondFactors for Accounts {
    ask_backend! {
        async fn enroll(&self, account: AccountId, seed: &[u8], act: &Act) -> Result<(), Error>;
        async fn second_factor(&self, account: AccountId) -> Result<Option<SecondFactor>, Error>;
        async fn confirm(&self, account: AccountId, enrolled_at: Timestamp, step: u64, recovery_codes: &[[u8; 32]], act: &Act)
            -> Result<bool, Error>;
        async fn use_step(&self, account: AccountId, step: u64) -> Result<bool, Error>;
        async fn use_recovery_code(&self, account: AccountId, digest: &[u8; 32], act: &Act) -> Result<bool, Error>;
        async fn replace_recovery_codes(&self, account: AccountId, digests: &[[u8; 32]], act: &Act) -> Result<bool, Error>;
        async fn disable_second_factor(&self, account: AccountId, act: &Act) -> Result<bool, Error>;
    }
}

impl SealedSecrets for Accounts {
    ask_backend! {
        async fn root_key(&self) -> Result<Option<Vec<u8>>, Error>;
        async fn keep_root_key(&self, sealed: &[u8]) -> Result<(), Error>;
        async fn any_app_password(&self) -> Result<bool, Error>;
        async fn sealed(&self, after: Option<SealedPlace>, at_most: u32) -> Result<Vec<(SealedPlace, Vec<u8>)>, Error>;
        async fn reseal(&self, secrets: &[Resealed]) -> Result<u64, Error>;
    }
}

impl Throttles for Accounts {
    ask_backend! {
        async fn throttled(&self, counters: &[Counter], now: Timestamp) -> Result<Option<Throttled>, Error>;
        async fn attempt(&self, counters: &[Counter], now: Timestamp) -> Result<Option<Throttled>, Error>;
        async fn succeeded(&self, counters: &[Counter], others: &[Counter]) -> Result<(), Error>;
        async fn withdraw(&self, counters: &[Counter]) -> Result<(), Error>;
        async fn counted(&self, filter: &ThrottleFilter, page: Page<CountedPlace>, now: Timestamp) -> Result<Vec<Counted>, Error>;
        async fn clear_account(&self, account: &Mailbox, act: &Act) -> Result<u64, Error>;
        async fn clear_network(&self, network: &IpNet, act: &Act) -> Result<u64, Error>;
        async fn is_familiar(&self, address: &Mailbox, network: &IpNet, since: Timestamp) -> Result<bool, Error>;
        async fn prune_throttles(&self, now: Timestamp, familiar_since: Timestamp) -> Result<(), Error>;
    }
}

impl Sending for Accounts {
    ask_backend! {
        async fn own_limits(&self, account: AccountId) -> Result<OwnLimits, Error>;
        async fn change_own_limits(&self, account: AccountId, changes: &LimitChanges, act: &Act) -> Result<(), Error>;
        async fn sent(&self, account: AccountId) -> Result<Option<Sent>, Error>;
        async fn sent_by(&self, accounts: &[AccountId]) -> Result<Vec<(AccountId, Sent)>, Error>;
        async fn limited_accounts(&self, filter: &LimitedFilter, page: Page<String>) -> Result<Vec<LimitedAccount>, Error>;
        async fn strangers(&self, account: AccountId, recipients: &[Correspondent]) -> Result<Vec<Correspondent>, Error>;
        async fn lend(&self, account: AccountId, left: &Share, wanted: &Amounts, limits: &Limits, now: Timestamp)
            -> Result<Result<Loan, Full>, Error>;
        async fn prune_correspondents(&self, before: Timestamp, now: Timestamp) -> Result<u64, Error>;
        fn note_sent(&self, account: AccountId, sent: &Share, recipients: &[Correspondent], at: Timestamp);
        fn give_back(&self, account: AccountId, left: &Share);
    }
}

impl Audit for Accounts {
    ask_backend! {
        async fn record(&self, event: &AuditEvent) -> Result<(), Error>;
        async fn entries(&self, filter: &AuditFilter, page: Page<AuditPlace>) -> Result<AuditPage, Error>;
        async fn first_logins(&self, account: &str, since: Timestamp) -> Result<Vec<(IpAddr, Timestamp)>, Error>;
        async fn prune(&self, before: Timestamp, now: Timestamp) -> Result<u64, Error>;
        fn note(&self, event: AuditEvent);
    }
}
