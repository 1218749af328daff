//! What of the configuration the lights are about.

use std::path::PathBuf;

use config::{Config, Via};
use submission::tls::Identity;

/// What of the configuration the lights are about, which a reload changes.
#[derive(Debug, Clone)]
pub(crate) struct Meant {
    pub(super) hostname: String,
    /// What clients and browsers look for in the certificate.
    pub(super) names: Vec<String>,
    pub(super) identity: Option<Identity>,
    /// How many listeners for mail there have to be.
    pub(super) listeners: usize,
    pub(super) looks_up: bool,
    pub(super) backup_stamp: Option<PathBuf>,
}

impl Meant {
    /// What this configuration says.
    pub(crate) fn of(config: &Config, identity: Option<&Identity>) -> Self {
        let page_host = config
            .web
            .iter()
            .filter(|web| web.listen.iter().any(|listen| listen.tls))
            .map(|web| web.base_url.host());
        let names = std::iter::once(config.hostname.as_str()).chain(page_host).map(str::to_owned).collect();
        Self {
            hostname: config.hostname.clone(),
            names,
            identity: identity.filter(|_| config.tls.is_some()).cloned(),
            listeners: config.listen.len(),
            looks_up: config.delivery.ways().any(|(_, way)| way.via == Via::Mx),
            backup_stamp: config.health.backup_stamp.clone(),
        }
    }
}
