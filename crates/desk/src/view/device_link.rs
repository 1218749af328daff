//! A link for a device, and one that was just made.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use jiff::Timestamp;
use serde::Serialize;
use store::{Account, Enrolment, EnrolmentPurpose};
use zeroize::Zeroizing;

use super::secret;

/// A link that gives a device an app password, without what opens it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeviceLink {
    /// What it is withdrawn by.
    pub id: String,
    /// Which device it is for, in its owner's words.
    pub label: String,
    /// How it stands: `waiting`, `used`, `withdrawn` or `over`.
    pub state: &'static str,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// When somebody first looked at it.
    pub opened_at: Option<Timestamp>,
    /// When it was used.
    pub used_at: Option<Timestamp>,
    /// From where.
    pub used_ip: Option<IpAddr>,
    /// By what, as it calls itself.
    pub used_agent: Option<String>,
    /// The app password that was made.
    pub app_password: Option<String>,
    /// When that app password stops working.
    pub app_password_expires_at: Option<Timestamp>,
    /// Where it may be used from; everywhere, if empty.
    pub networks: Vec<IpNet>,
    /// In whose names it may send; in all that the account may, if empty.
    pub senders: Vec<String>,
}

/// A link that was just made.
#[derive(Serialize)]
pub struct NewDeviceLink {
    /// What there is to show of it from now on.
    #[serde(flatten)]
    pub device_link: DeviceLink,
    /// What opens it, shown this once.
    #[serde(serialize_with = "secret::shown")]
    pub link: Zeroizing<String>,
}

impl DeviceLink {
    /// The view of a link of this account as it stands now; `None` if it is for something else.
    pub(crate) fn of(enrolment: &Enrolment, account: &Account, now: Timestamp) -> Option<Self> {
        let EnrolmentPurpose::Device(planned) = &enrolment.purpose else { return None };
        let used = enrolment.used.as_ref();
        Some(Self {
            id: enrolment.id.to_string(),
            label: planned.label.clone(),
            state: enrolment.state(account, now).name(),
            created_at: enrolment.made_at,
            expires_at: enrolment.ends_at,
            opened_at: enrolment.opened_at,
            used_at: used.map(|used| used.at),
            used_ip: used.map(|used| used.ip),
            used_agent: used.map(|used| used.agent.clone()),
            app_password: used.and_then(|used| used.credential).map(|id| id.to_string()),
            app_password_expires_at: planned.expires_at,
            networks: planned.networks.clone(),
            senders: planned.senders.iter().map(ToString::to_string).collect(),
        })
    }
}

impl fmt::Debug for NewDeviceLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewDeviceLink").field("device_link", &self.device_link).finish_non_exhaustive()
    }
}
