//! What must hold whatever comes in, one function for each parser and one for the whole session.
//!
//! A property takes any octets and panics where it does not hold. Two callers try to make it: the targets of cargo-fuzz
//! (`libfuzzer/`), for hours, and `tests/replay.rs`, in seconds, with the corpus and some thousand mutations of it.

// These parsers are private to their crates. Their files are compiled here once more, so that nothing has to be made public for the
// sake of a test.
#[path = "../../../crates/submission/src/proxy.rs"]
mod proxy;
#[path = "../../../crates/gatepost/src/import/mod.rs"]
#[expect(dead_code, reason = "the command takes in what here is only looked at")]
mod import;
#[path = "../../../crates/gatepost/src/argument.rs"]
#[expect(dead_code, reason = "imports need one of its functions")]
mod argument;
#[path = "../../../crates/gatepost/src/printable.rs"]
mod printable;

mod pieces;
mod play;
mod model;

mod lines;
mod commands;
mod session;
mod xclient;
mod framing;
mod sasl_exchanges;

mod header;
mod addresses;
mod repair;

mod replies;
mod reports;

mod proxy_header;

mod tokens;

mod configuration;
mod imports;

pub mod mutation;

/// A property, and the name of its corpus and of its target.
#[derive(Debug, Clone, Copy)]
pub struct Property {
    /// The name.
    pub name: &'static str,
    /// Panics if it does not hold for these octets.
    pub holds: fn(&[u8]),
}

/// All of them.
pub const PROPERTIES: [Property; 16] = [
    Property { name: "lines", holds: lines::holds },
    Property { name: "commands", holds: commands::holds },
    Property { name: "session", holds: session::holds },
    Property { name: "xclient", holds: xclient::holds },
    Property { name: "framing", holds: framing::holds },
    Property { name: "sasl", holds: sasl_exchanges::holds },
    Property { name: "header", holds: header::holds },
    Property { name: "addresses", holds: addresses::holds },
    Property { name: "repair", holds: repair::holds },
    Property { name: "signed", holds: repair::signed_stays },
    Property { name: "replies", holds: replies::holds },
    Property { name: "reports", holds: reports::holds },
    Property { name: "proxy", holds: proxy_header::holds },
    Property { name: "tokens", holds: tokens::holds },
    Property { name: "configuration", holds: configuration::holds },
    Property { name: "imports", holds: imports::holds },
];

/// The property of this name.
///
/// # Panics
/// If there is none.
pub fn property(name: &str) -> Property {
    PROPERTIES
        .into_iter()
        .find(|property| property.name == name)
        .unwrap_or_else(|| panic!("no property {name}"))
}
