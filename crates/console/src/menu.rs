//! The menus: which pages there are for whoever is signed in.

use crate::texts::Texts;

/// An entry of a menu.
#[derive(Debug)]
pub(crate) struct Item {
    /// Where it leads.
    pub(crate) path: &'static str,
    /// The name of its picture in `sprite.html`, without `i-`.
    pub(crate) icon: &'static str,
    /// What it is called.
    pub(crate) label: fn(Texts) -> &'static str,
}

impl Item {
    /// What it is called, for a template.
    pub(crate) fn words(&self, t: &Texts) -> &'static str {
        (self.label)(*t)
    }
}

/// Of one's own account.
pub(crate) const ACCOUNT: &[Item] = &[
    Item { path: "/account", icon: "home", label: Texts::overview },
    Item { path: "/account/app-passwords", icon: "key", label: Texts::app_passwords },
    Item { path: "/account/second-factor", icon: "shield", label: Texts::second_factor },
    Item { path: "/account/password", icon: "lock", label: Texts::password },
    Item { path: "/account/sign-ins", icon: "list", label: Texts::sign_ins },
    Item { path: "/account/sessions", icon: "screen", label: Texts::browser_sessions },
    Item { path: "/account/tokens", icon: "token", label: Texts::tokens },
    Item { path: "/account/messages", icon: "send", label: Texts::sent_messages },
    Item { path: "/account/certificates", icon: "seal", label: Texts::certificates },
    Item { path: "/account/settings", icon: "gear", label: Texts::settings },
];

/// Of administration.
pub(crate) const ADMINISTRATION: &[Item] = &[
    Item { path: "/admin", icon: "pulse", label: Texts::overview },
    Item { path: "/admin/accounts", icon: "people", label: Texts::accounts },
    Item { path: "/admin/queue", icon: "queue", label: Texts::queue },
    Item { path: "/admin/messages", icon: "send", label: Texts::sent_messages },
    Item { path: "/admin/limits", icon: "gauge", label: Texts::sending_limits },
    Item { path: "/admin/locked-out", icon: "lock", label: Texts::locked_out },
    Item { path: "/admin/domains", icon: "globe", label: Texts::domains },
    Item { path: "/admin/audit", icon: "list", label: Texts::audit_trail },
    Item { path: "/admin/health", icon: "gauge", label: Texts::server_health },
    Item { path: "/admin/webhooks", icon: "globe", label: Texts::webhooks },
];

/// From one's own account to administration, and back.
pub(crate) const TO_ADMINISTRATION: Item =
    Item { path: "/admin", icon: "gear", label: Texts::administration };
pub(crate) const TO_ACCOUNT: Item = Item { path: "/account", icon: "key", label: Texts::your_account };
