//! Whose a mailbox is, for one login: the addresses that it may send as.
//!
//! A mailbox is the user's own if it is the account's address, that address with a `+tag` which nobody else has for an
//! address, or one of the account's identities. An app password may allow fewer than all of these, never more.

use std::collections::HashSet;

use types::{Domain, Mailbox, SenderPattern};

use crate::session_rights::SessionRights;

/// Whose a mailbox is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// The user's, whoever else may use it.
    User,
    /// It is the account's address with a tag, unless another account has that very address.
    UserUnlessTaken,
    /// Not the user's, or not for this login.
    SomebodyElse,
}

/// The names of a login in their normal forms, made once for all the mailboxes of a message.
#[derive(Debug)]
pub struct Names<'a> {
    address: &'a Mailbox,
    addresses: HashSet<String>,
    /// Of whole domains. Kept apart: `*` is a good local part too.
    domains: HashSet<String>,
    /// There is the identity `*`.
    any: bool,
    senders: &'a [SenderPattern],
}

impl<'a> Names<'a> {
    /// Those of the account, as it stands now.
    #[must_use]
    pub fn of(rights: &'a SessionRights) -> Self {
        let mut addresses = HashSet::from([rights.address.normal()]);
        let mut domains = HashSet::new();
        let mut any = false;
        for identity in &rights.identities {
            match identity {
                SenderPattern::Address(address) => drop(addresses.insert(address.normal())),
                SenderPattern::Domain(domain) => drop(domains.insert(domain.normal())),
                SenderPattern::Any => any = true,
            }
        }
        Self { address: &rights.address, addresses, domains, any, senders: &rights.senders }
    }

    /// Whose this mailbox is, for this login.
    #[must_use]
    pub fn owner(&self, mailbox: &Mailbox) -> Owner {
        if !self.is_allowed(mailbox) {
            return Owner::SomebodyElse;
        }
        if self.any { Owner::User } else { self.named_owner(mailbox) }
    }

    /// Whose it is, the identity `*` left aside.
    fn named_owner(&self, mailbox: &Mailbox) -> Owner {
        if self.addresses.contains(&mailbox.normal()) || self.is_of_a_domain(mailbox) {
            Owner::User
        } else if mailbox.is_tagged(self.address) {
            Owner::UserUnlessTaken
        } else {
            Owner::SomebodyElse
        }
    }

    /// Whether this login may send in anybody's name.
    #[must_use]
    pub fn is_anybody(&self) -> bool {
        self.any && self.senders.is_empty()
    }

    /// Whether only the identity `*` makes this mailbox the user's.
    #[must_use]
    pub fn needs_any(&self, mailbox: &Mailbox) -> bool {
        self.any && self.named_owner(mailbox) == Owner::SomebodyElse
    }

    /// Whether this login may use all that this sender stands for.
    #[must_use]
    pub fn cover(&self, sender: &SenderPattern) -> bool {
        match sender {
            SenderPattern::Address(address) => self.owner(address) != Owner::SomebodyElse,
            SenderPattern::Domain(domain) => self.any || self.domains.contains(&domain.normal()),
            SenderPattern::Any => self.any,
        }
    }

    fn is_of_a_domain(&self, mailbox: &Mailbox) -> bool {
        let domain = mailbox.host().domain().map(Domain::normal);
        mailbox.fits_wildcard() && domain.is_some_and(|domain| self.domains.contains(&domain))
    }

    /// Whether the app password lets it be used, if it is the user's.
    fn is_allowed(&self, mailbox: &Mailbox) -> bool {
        self.senders.is_empty() || self.senders.iter().any(|sender| allows(sender, mailbox))
    }
}

/// An address that is allowed is allowed with its tags.
fn allows(sender: &SenderPattern, mailbox: &Mailbox) -> bool {
    let tagged = matches!(sender, SenderPattern::Address(address) if mailbox.is_tagged(address));
    tagged || sender.matches(mailbox)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns(of: &[&str]) -> Vec<SenderPattern> {
        of.iter().map(|sender| sender.parse().unwrap()).collect()
    }

    fn ann(identities: &[&str], senders: &[&str]) -> SessionRights {
        SessionRights {
            address: Mailbox::parse("ann@example.org").unwrap(),
            identities: patterns(identities),
            senders: patterns(senders),
            until: None,
            undo: None,
            admin: false,
        }
    }

    fn owner(of: &str, senders: &SessionRights) -> Owner {
        Names::of(senders).owner(&Mailbox::parse(of).unwrap())
    }

    fn assert_owners(senders: &SessionRights, table: &[(&str, Owner)]) {
        for (mailbox, expected) in table {
            assert_eq!(owner(mailbox, senders), *expected, "{mailbox}");
        }
    }

    use Owner::{SomebodyElse, User, UserUnlessTaken};

    #[test]
    fn without_identities_an_account_is_its_address_and_the_tags_of_it() {
        let table = [
            ("ann@example.org", User),
            ("ANN@Example.ORG", User),
            ("\"ann\"@example.org", User),
            ("ann+lists@example.org", UserUnlessTaken),
            ("Ann+Lists@EXAMPLE.org", UserUnlessTaken),
            ("ann+@example.org", SomebodyElse),
            ("\"ann+ <bob@example.org>\"@example.org", SomebodyElse),
            ("ann+x@example.com", SomebodyElse),
            ("bob@example.org", SomebodyElse),
            ("bob+ann@example.org", SomebodyElse),
            ("ann@example.com", SomebodyElse),
            ("ann@sub.example.org", SomebodyElse),
            ("\"ann@example.org\"@evil.test", SomebodyElse),
            ("\" ann\"@example.org", SomebodyElse),
            ("\u{0430}nn@example.org", SomebodyElse),
            ("\u{ff41}nn@example.org", SomebodyElse),
            ("*@example.org", SomebodyElse),
        ];
        assert_owners(&ann(&[], &[]), &table);
    }

    #[test]
    fn identities_are_compared_in_one_normal_form() {
        let identities =
            ["Sales@Example.com", "jose\u{301}@b\u{fc}cher.example", "\"a b\"@example.net", "*@example.net"];
        let table = [
            ("ann@example.org", User),
            ("sales@example.com", User),
            ("SALES@EXAMPLE.COM", User),
            ("\"sales\"@example.com", User),
            ("\"sal\\es\"@example.com", User),
            ("sales+x@example.com", SomebodyElse),
            ("sale@example.com", SomebodyElse),
            ("sales@sub.example.com", SomebodyElse),
            ("JOSÉ@XN--BCHER-KVA.example", User),
            ("josé@BÜCHER.example", User),
            ("jose@bücher.example", SomebodyElse),
            ("josé@bucher.example", SomebodyElse),
            ("anybody@example.net", User),
            ("\"a b\"@Example.NET", User),
            ("\"a c\"@example.net", SomebodyElse),
            ("\"<ceo@bank.test>\"@example.net", SomebodyElse),
            ("=?utf-8?q?a@example.net", SomebodyElse),
            ("host.@example.net", User),
            ("*@example.net", User),
            ("anybody@sub.example.net", SomebodyElse),
            ("anybody@example.net.evil.test", SomebodyElse),
            ("anybody@[192.0.2.1]", SomebodyElse),
        ];
        assert_owners(&ann(&identities, &[]), &table);
    }

    #[test]
    fn an_app_password_may_allow_less_but_never_more() {
        let senders = ["sales@example.net", "eve@example.org", "ann@example.org"];
        let table = [
            ("sales@example.net", User),
            ("Sales+x@example.net", User),
            ("ann@example.org", User),
            ("ann+x@example.org", UserUnlessTaken),
            ("others@example.net", SomebodyElse),
            ("eve@example.org", SomebodyElse),
        ];
        assert_owners(&ann(&["*@example.net"], &senders), &table);
        let table = [("any@example.net", User), ("ann@example.org", SomebodyElse)];
        assert_owners(&ann(&["*@example.net"], &["*@example.net"]), &table);
        let table = [("any@example.net", SomebodyElse), ("ann@example.org", SomebodyElse)];
        assert_owners(&ann(&[], &["*@example.net"]), &table);
    }

    #[test]
    fn who_may_be_anybody_may_be_anybody() {
        let table = [
            ("bob@example.com", User),
            ("\"<ceo@bank.test>\"@example.net", User),
            ("=?utf-8?q?a@example.net", User),
            ("anybody@[192.0.2.1]", User),
            ("ann+x@example.org", User),
        ];
        assert_owners(&ann(&["*"], &[]), &table);
        let table = [("any@example.net", User), ("ann@example.org", SomebodyElse)];
        assert_owners(&ann(&["*"], &["*@example.net"]), &table);
        let table = [("ann@example.org", User), ("bob@example.org", SomebodyElse)];
        assert_owners(&ann(&[], &["*"]), &table);
    }

    #[test]
    fn an_account_that_is_called_star_is_not_everybody() {
        let star = SessionRights { address: Mailbox::parse("*@example.org").unwrap(), ..ann(&[], &[]) };
        assert_owners(&star, &[("*@example.org", User), ("ann@example.org", SomebodyElse)]);
    }

    #[test]
    fn what_an_app_password_is_to_allow_must_be_allowed_to_the_account() {
        let rights = ann(&["*@example.net", "sales@example.com"], &[]);
        let covers = |sender: &str| Names::of(&rights).cover(&sender.parse().unwrap());
        for own in
            ["Ann@example.org", "ann+x@example.org", "*@EXAMPLE.net", "a@example.net", "sales@example.com"]
        {
            assert!(covers(own), "{own}");
        }
        for foreign in [
            "*",
            "*@example.org",
            "*@example.com",
            "*@sub.example.net",
            "sales+x@example.com",
            "bob@example.org",
        ] {
            assert!(!covers(foreign), "{foreign}");
        }
        let rights = ann(&["*"], &[]);
        for own in ["*", "*@example.com", "\"a b\"@example.com"] {
            assert!(Names::of(&rights).cover(&own.parse().unwrap()), "{own}");
        }
    }
}
