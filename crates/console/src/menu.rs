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
pub(crate) const ACCOUNT: &[Item] = &[Item { path: "/account", icon: "home", label: Texts::overview }];
