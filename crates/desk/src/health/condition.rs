//! What a light can say.

use std::fmt;

use jiff::Timestamp;

use super::state::LightState;

/// Makes a kind of condition of each line: its name, how its light is, its key for translations, what it says, and what to do about it.
macro_rules! conditions {
    ($($kind:ident, $state:ident, $key:literal, $text:literal, $to_do:literal;)+) => {
        /// Everything that a light can say, without the values that go with it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[expect(missing_docs, reason = "each is told by its own text")]
        pub enum ConditionKind {
            $($kind,)+
        }

        impl ConditionKind {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)+];

            /// How the light is.
            #[must_use]
            pub fn state(self) -> LightState {
                match self {
                    $(Self::$kind => LightState::$state,)+
                }
            }

            /// By what a translation finds it.
            #[must_use]
            pub fn key(self) -> &'static str {
                match self {
                    $(Self::$kind => $key,)+
                }
            }

            /// What it says in English, with names in curly brackets for the values.
            #[must_use]
            pub fn text(self) -> &'static str {
                match self {
                    $(Self::$kind => $text,)+
                }
            }

            /// What to do about it, in English; empty if nothing is.
            #[must_use]
            pub fn to_do(self) -> &'static str {
                match self {
                    $(Self::$kind => $to_do,)+
                }
            }
        }
    };
}

conditions! {
    TookTooLong, Unknown, "took_too_long", "no answer came in time", "Look again in a minute; if it stays so, look at the load of the machine and its disk.";

    DoorAnswers, Good, "door_answers", "every listener answers", "";
    DoorSilent, Broken, "door_silent", "{listener} does not answer: {why}", "Look for listen.failed in the log, and whether something else has the port.";
    DoorLate, Broken, "door_late", "{listener} does not answer within {seconds} seconds", "Look at the load of the machine, and for listen.failed in the log.";

    CertificateGood, Good, "certificate_good", "good until {until}", "";
    CertificateNone, Good, "certificate_none", "none is used", "";
    CertificateEnds, Look, "certificate_ends", "it ends on {until}", "Renew it, then reload the server.";
    CertificateName, Look, "certificate_name", "it is not for {name}", "Get one that is for this name, too, then reload the server.";
    CertificateEnded, Broken, "certificate_ended", "it ended on {until}: clients refuse it", "Renew it, then reload the server.";
    CertificateUnread, Broken, "certificate_unread", "it can't be understood", "Get another one, then reload the server.";

    DeliveryGood, Good, "delivery_good", "mail leaves as usual", "";
    DeliveryTroubled, Look, "delivery_troubled", "destinations that don't answer: {number}, such as {destination}", "Their mail is tried again by itself. If it is your own smarthost, look whether it runs.";
    DeliveryPutOff, Look, "delivery_put_off", "of the mail of the last 15 minutes {percent} % was put off, of that of a day {usual} %", "Look at the last replies in the queue.";
    DeliveryUnusable, Broken, "delivery_unusable", "mail for {host} waits: {why}", "Put the login or the TLS of this host right in [delivery], then reload the server.";
    DeliveryUnread, Broken, "delivery_unread", "the queue can't be read: {why}", "Look for spool.failing in the log.";

    DiskGood, Good, "disk_good", "{free} free; a commit takes {ms} ms", "";
    DiskShort, Look, "disk_short", "{free} of {total} are left", "Make room on the disk of the store.";
    DiskSlow, Look, "disk_slow", "a commit takes {ms} ms", "Look at what else uses the disk of the store, and whether the disk is sound.";
    DiskFull, Broken, "disk_full", "no room for mail: {free} of {total} are left, and clients are told 452", "Make room on the disk of the store.";
    DiskUnknown, Unknown, "disk_unknown", "the system does not say how much is free: {why}", "";

    StoreGood, Good, "store_good", "it takes writes, and its secrets open", "";
    StoreMayLack, Look, "store_may_lack", "confirmed changes may be missing ({what})", "Look at gatepost store check, and run it with --accept to go on without what is missing.";
    StoreSecrets, Broken, "store_secrets", "sealed secrets that don't open: {number}", "Put the master key back that they were sealed under: gatepost check says which.";
    StoreSecretsUnread, Unknown, "store_secrets_unread", "whether its secrets open can't be told: {why}", "Run gatepost check.";
    StoreUnwritable, Broken, "store_unwritable", "it can't be written: {why}", "Look at the disk, and for store.file-gone, store.failing and spool.failing in the log.";

    DnsGood, Good, "dns_good", "the name servers answer, with DNSSEC signatures", "";
    DnsUnused, Good, "dns_unused", "no mail hosts are looked up", "";
    DnsUnproven, Look, "dns_unproven", "the name servers pass on no DNSSEC signatures, or no right ones", "Let [dns] servers name one that does, such as unbound on this machine.";
    DnsSilent, Broken, "dns_silent", "the name servers don't answer: {why}", "Look at [dns] servers, and whether they can be reached from here.";
    DnsLate, Broken, "dns_late", "the name servers don't answer within {seconds} seconds", "Look at [dns] servers, and whether they can be reached from here.";

    LoginsUsual, Good, "logins_usual", "refused in the last hour: {refused}", "";
    LoginsMany, Look, "logins_many", "refused in the last hour: {refused}, usually {usual}", "The audit trail says who was tried, and from where. App passwords go on working.";
    LoginsUnjudged, Broken, "logins_unjudged", "not judged in the last 15 minutes: {number}; clients are told 454", "Look for auth.unavailable and store.failing in the log.";

    BackupGood, Good, "backup_good", "the last was made on {at}", "";
    BackupOld, Look, "backup_old", "none since {at}", "Look why none was made; gatepost store backup makes one.";
    BackupNone, Broken, "backup_none", "there is no mark of any: {why}", "Let what makes backups touch the file health.backup_stamp once one is made.";
}

/// A value that goes with a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A number of things.
    Number(u64),
    /// A size.
    Octets(u64),
    /// A time.
    Time(Timestamp),
    /// Words, which may be strangers'.
    Text(String),
}

/// What a light says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// What it is.
    pub kind: ConditionKind,
    /// The values that go with it, by their names.
    pub values: Vec<(&'static str, Value)>,
}

impl Condition {
    /// One of this kind, without values.
    #[must_use]
    pub fn of(kind: ConditionKind) -> Self {
        Self { kind, values: Vec::new() }
    }

    /// This condition, with a value.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: Value) -> Self {
        self.values.push((name, value));
        self
    }

    /// This condition, with words.
    #[must_use]
    pub fn saying(self, name: &'static str, text: impl ToString) -> Self {
        self.with(name, Value::Text(text.to_string()))
    }

    /// A text with the values of this condition in it, each as `shown` has it.
    #[must_use]
    pub fn fill(&self, text: &str, shown: impl Fn(&Value) -> String) -> String {
        let (mut filled, mut rest) = (String::new(), text);
        while let Some((before, behind)) = rest.split_once('{') {
            let (name, behind) = behind.split_once('}').unwrap_or((behind, ""));
            filled.push_str(before);
            let value = self.values.iter().find(|(known, _)| *known == name);
            filled.extend(value.map(|(_, value)| shown(value)));
            rest = behind;
        }
        filled + rest
    }
}

/// In English, in one line.
impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.fill(self.kind.text(), in_english))
    }
}

fn in_english(value: &Value) -> String {
    match value {
        Value::Number(number) => number.to_string(),
        Value::Octets(octets) => format!("{} MB", octets / 1_000_000),
        Value::Time(at) => at.strftime("%Y-%m-%d %H:%M UTC").to_string(),
        Value::Text(text) => text.clone(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_condition_says_its_values() {
        let short = Condition::of(ConditionKind::DiskShort)
            .with("free", Value::Octets(71_400_000))
            .with("total", Value::Octets(2_000_000_000));
        assert_eq!(short.to_string(), "71 MB of 2000 MB are left");
        let until = Value::Time("2027-01-02T03:04:05Z".parse().unwrap());
        let ends = Condition::of(ConditionKind::CertificateEnds).with("until", until);
        assert_eq!(ends.to_string(), "it ends on 2027-01-02 03:04 UTC");
        let odd = Condition::of(ConditionKind::DeliveryUnread).saying("why", "{why} {");
        let expected = "the queue can't be read: {why} {";
        assert_eq!(odd.to_string(), expected, "what a value says is no text of ours");
    }

    #[test]
    fn what_is_not_good_says_what_to_do_and_each_has_a_key_of_its_own() {
        let keys: BTreeSet<_> = ConditionKind::ALL.iter().map(|kind| kind.key()).collect();
        assert_eq!(keys.len(), ConditionKind::ALL.len());
        for kind in ConditionKind::ALL {
            let says = !kind.to_do().is_empty();
            match kind.state() {
                LightState::Good => assert!(!says, "{kind:?}"),
                LightState::Look | LightState::Broken => assert!(says, "{kind:?}"),
                LightState::Unknown => {}
            }
        }
    }
}
