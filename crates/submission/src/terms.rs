//! What sessions are promised: settings and limits.

use std::sync::Arc;

use esmtp::Settings;

use crate::limits::Limits;

/// What a session is promised when it begins.
pub(crate) struct Terms {
    pub(crate) limits: Limits,
    pub(crate) with_starttls: Arc<Settings>,
    pub(crate) without_starttls: Arc<Settings>,
}

impl Terms {
    pub(crate) fn new(settings: Settings, limits: Limits) -> Self {
        let with_starttls = Arc::new(Settings { starttls: true, ..settings.clone() });
        let limits = limits.bounded();
        Self { limits, with_starttls, without_starttls: Arc::new(Settings { starttls: false, ..settings }) }
    }
}
