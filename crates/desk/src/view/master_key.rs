//! A master key.

use serde::{Serialize, Serializer};

/// A master key: where it stands, and how much it has sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MasterKey {
    /// Its number.
    pub key: u32,
    /// Where it stands.
    pub state: MasterKeyState,
    /// How many secrets in the store are sealed under it.
    pub secrets: u64,
}

/// Where a master key stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MasterKeyState {
    /// It is in the key file, and does not seal yet.
    Staged,
    /// It seals.
    Active,
    /// It has sealed, and opens what it has sealed.
    Old,
    /// It is not in the key file, though something is sealed under it.
    Missing,
}

impl MasterKeyState {
    /// The state as it is written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            MasterKeyState::Staged => "staged",
            MasterKeyState::Active => "active",
            MasterKeyState::Old => "old",
            MasterKeyState::Missing => "missing",
        }
    }
}

impl Serialize for MasterKeyState {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_json_of_a_master_key_has_the_promised_keys() {
        let key = MasterKey { key: 2, state: MasterKeyState::Active, secrets: 3 };
        let expected = serde_json::json!({"key": 2, "state": "active", "secrets": 3});
        assert_eq!(serde_json::to_value(key).unwrap(), expected);
    }
}
