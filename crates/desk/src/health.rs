//! The server's health: a few lights, each with what it says, since when, and what to do.
//!
//! What is looked at, and how, is the server's matter; here stands what is made of it. `condition` has everything that a light can say, the files
//! named after lights judge what was found, `board` keeps what is known for whoever asks.
//!
//! Nothing in here looks at anything, and no mail waits for it.

mod condition;
pub use condition::{Condition, ConditionKind, Value};

mod state;
pub use state::LightState;

mod light;
pub use light::{Light, LightName};

mod window;
pub use window::Window;

mod certificate;
pub use certificate::{CertificateFacts, certificate};

mod delivery;
pub use self::delivery::{DeliveryFacts, Fates, delivery};

mod disk;
pub use disk::{DiskFacts, disk};

mod store;
pub use self::store::{StoreFacts, store};

mod logins;
pub use logins::{LoginFacts, logins};

mod backups;
pub use backups::backups;

mod board;
pub use board::{Health, Known};
