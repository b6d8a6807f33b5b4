//! Places in a JSON object, as settings name them: `user.id`, or `https://example\.com/roles`.

use std::fmt;
use std::str::FromStr;

use serde_json::{Map, Value};

use crate::limits::PLACE_NAMES_MAX;

/// Where in a JSON object a value stands: names of members, one inside the other, divided by dots. A
/// dot that belongs to a name is written `\.`, a backslash `\\`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place(Vec<String>);

/// The text names no place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "it is no place in a JSON object such as `user.id`, of up to {PLACE_NAMES_MAX} names: `{0}`"
)]
pub struct NotAPlace(String);

impl Place {
    /// The place of a member at the top, whatever its name holds.
    pub fn top(name: &str) -> Self {
        Self(vec![name.to_owned()])
    }

    /// The value there; `null` is nothing. Leads through objects only, never into arrays.
    pub(crate) fn find<'a>(&self, object: &'a Map<String, Value>) -> Option<&'a Value> {
        let (last, path) = self.0.split_last()?;
        let mut object = object;
        for name in path {
            object = object.get(name)?.as_object()?;
        }
        object.get(last).filter(|value| !value.is_null())
    }
}

impl FromStr for Place {
    type Err = NotAPlace;

    fn from_str(text: &str) -> Result<Self, NotAPlace> {
        names(text)
            .filter(|names| names.len() <= PLACE_NAMES_MAX)
            .filter(|names| names.iter().all(|name| !name.is_empty()))
            .map(Self)
            .ok_or_else(|| NotAPlace(text.to_owned()))
    }
}

fn names(text: &str) -> Option<Vec<String>> {
    let mut names = Vec::new();
    let mut name = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '.' => names.push(std::mem::take(&mut name)),
            '\\' => name.push(
                characters
                    .next()
                    .filter(|next| matches!(next, '.' | '\\'))?,
            ),
            other => name.push(other),
        }
    }
    names.push(name);
    Some(names)
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let escaped = |name: &String| name.replace('\\', r"\\").replace('.', r"\.");
        let names: Vec<String> = self.0.iter().map(escaped).collect();
        f.write_str(&names.join("."))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_place_is_found_through_objects_only() {
        let value = json!({"user": {"id": "u1", "role": null}, "https://a.b/roles": ["A"]});
        let object = value.as_object().expect("an object");
        let find = |text: &str| text.parse::<Place>().expect(text).find(object).cloned();
        assert_eq!(find("user.id"), Some(json!("u1")));
        assert_eq!(find(r"https://a\.b/roles"), Some(json!(["A"])));
        assert_eq!(
            Place::top("https://a.b/roles").find(object),
            Some(&json!(["A"]))
        );
        for nowhere in [
            "id",
            "user.name",
            "user.role",
            "user.id.x",
            r"https://a\.b/roles.0",
        ] {
            assert_eq!(find(nowhere), None, "{nowhere}");
        }
    }

    #[test]
    fn a_place_survives_its_text_and_has_limits() {
        for text in ["sub", "user.id", r"a\.b.c", r"a\\"] {
            assert_eq!(text.parse::<Place>().expect(text).to_string(), text);
        }
        let deep = ["a"; PLACE_NAMES_MAX + 1].join(".");
        deep[2..].parse::<Place>().expect("as deep as allowed");
        for bad in ["", "a..b", ".a", "a.", r"a\", r"a\b", &deep] {
            bad.parse::<Place>().expect_err(bad);
        }
    }
}
