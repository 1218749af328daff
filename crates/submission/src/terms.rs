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
        let starttls = |starttls| {
            let mut settings = settings.clone();
            settings.starttls = starttls;
            Arc::new(settings)
        };
        let limits = limits.bounded();
        Self { limits, with_starttls: starttls(true), without_starttls: starttls(false) }
    }
}
