//! Objects of JSON in which no name stands twice.
//!
//! RFC 7519 section 4: names must be unique, or the last one counts. Which one counts for another reader of the same
//! token nobody knows, so such an object is none.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde_json::{Map, Value};

/// Members and their values.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Object(Map<String, Value>);

impl Object {
    /// Nothing if it is not JSON, not an object, or has a name twice.
    pub(crate) fn parse(octets: &[u8]) -> Option<Object> {
        serde_json::from_slice(octets).ok()
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// The member, if it is a string.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_str)
    }

    /// Without the members that are `null`, as some write what they do not know.
    pub(crate) fn without_nulls(mut self) -> Object {
        self.0.retain(|_, value| !value.is_null());
        self
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Object, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Object;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Object, A::Error> {
        let mut members = Map::new();
        while let Some((name, value)) = access.next_entry::<String, Value>()? {
            if members.insert(name, value).is_some() {
                return Err(A::Error::custom("a name stands twice"));
            }
        }
        Ok(Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stands_once() {
        assert!(Object::parse(br#"{"a":1,"b":{"a":2}}"#).is_some());
        for wrong in
            [r#"{"a":1,"a":1}"#, r#"{"a":1,"\u0061":2}"#, "[]", "\"a\"", "", "{", r#"{"a":1e400}"#, "{} {}"]
        {
            assert!(Object::parse(wrong.as_bytes()).is_none(), "{wrong}");
        }
        assert!(Object::parse(&[b"{\"a\":", [b'['; 5000].as_slice()].concat()).is_none());
    }
}
