//! A JSON object in which every name occurs once.
//!
//! Of a repeated name, one reader takes the first and another the last: RFC 7515, section 4, and RFC
//! 7519, section 4, let us refuse it.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::{Map, Value};

/// Reads one object, which must be all there is.
pub(crate) fn read(json: &[u8]) -> Option<Map<String, Value>> {
    serde_json::from_slice::<Object>(json)
        .ok()
        .map(|object| object.0)
}

struct Object(Map<String, Value>);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(OneOfEach)
    }
}

struct OneOfEach;

impl<'de> Visitor<'de> for OneOfEach {
    type Value = Object;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Object, A::Error> {
        let mut object = Map::new();
        while let Some((name, value)) = entries.next_entry()? {
            if object.insert(name, value).is_some() {
                return Err(A::Error::custom("a name occurs twice"));
            }
        }
        Ok(Object(object))
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn an_object_names_each_thing_once() {
        assert_eq!(
            super::read(br#" {"a": 1, "b": {}} "#).expect("one").len(),
            2
        );
        for bad in [r#"{"a":1,"a":1}"#, "[]", "1", "", "{} {}", "{\"a\":1"] {
            assert_eq!(super::read(bad.as_bytes()), None, "{bad}");
        }
    }
}
