//! Places in a JSON object, as settings name them: `user.id`, or `/https:~1~1example.com~1roles`.

use std::fmt;

use serde_json::{Map, Value};

use crate::limits::PLACE_SEGMENTS_MAX;

/// Where in a JSON object a value stands.
///
/// As text: names joined by dots, or a JSON pointer (RFC 6901) for names that hold dots themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place(Vec<String>);

/// The text names no place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "it is no place in a JSON object such as `user.id` or `/user/id`, of up to \
     {PLACE_SEGMENTS_MAX} names: `{0}`"
)]
pub struct NotAPlace(String);

impl Place {
    /// Reads the text form.
    pub fn parse(text: &str) -> Result<Self, NotAPlace> {
        let names: Option<Vec<String>> = match text.strip_prefix('/') {
            Some(pointer) => pointer.split('/').map(unescaped).collect(),
            None => Some(text.split('.').map(str::to_owned).collect()),
        };
        names
            .filter(|names| names.len() <= PLACE_SEGMENTS_MAX)
            .filter(|names| names.iter().all(|name| !name.is_empty()))
            .map(Self)
            .ok_or_else(|| NotAPlace(text.to_owned()))
    }

    /// The value there. Leads through objects only, never into arrays.
    pub fn find<'a>(&self, object: &'a Map<String, Value>) -> Option<&'a Value> {
        let (last, path) = self.0.split_last()?;
        let mut object = object;
        for name in path {
            object = object.get(name)?.as_object()?;
        }
        object.get(last)
    }
}

/// A name of a JSON pointer without its escapes.
fn unescaped(name: &str) -> Option<String> {
    let mut plain = String::with_capacity(name.len());
    let mut characters = name.chars();
    while let Some(character) = characters.next() {
        plain.push(match character {
            '~' => match characters.next()? {
                '0' => '~',
                '1' => '/',
                _ => return None,
            },
            other => other,
        });
    }
    Some(plain)
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.iter().any(|name| name.contains(['.', '/', '~'])) {
            self.0
                .iter()
                .try_for_each(|name| write!(f, "/{}", name.replace('~', "~0").replace('/', "~1")))
        } else {
            f.write_str(&self.0.join("."))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_place_is_found_by_either_spelling() {
        let value = json!({"user": {"id": "u1"}, "https://a.example/roles": ["A"], "a~": 1});
        let object = value.as_object().expect("an object");
        let find = |text: &str| Place::parse(text).expect(text).find(object).cloned();
        assert_eq!(find("user.id"), Some(json!("u1")));
        assert_eq!(find("/user/id"), Some(json!("u1")));
        assert_eq!(find("/https:~1~1a.example~1roles"), Some(json!(["A"])));
        assert_eq!(find("/a~0"), Some(json!(1)));
        for nowhere in [
            "id",
            "user.name",
            "user.id.x",
            "/https:~1~1a.example~1roles/0",
        ] {
            assert_eq!(find(nowhere), None, "{nowhere}");
        }
    }

    #[test]
    fn a_place_survives_its_text_and_has_limits() {
        for text in ["sub", "user.id", "/a.b/c", "/a~1b", "/a~0b"] {
            assert_eq!(Place::parse(text).expect(text).to_string(), text);
        }
        let deep = ["a"; PLACE_SEGMENTS_MAX + 1].join(".");
        Place::parse(&deep[2..]).expect("as deep as allowed");
        for bad in ["", "/", "a..b", ".a", "a.", "/a//b", "/a~", "/a~2", &deep] {
            Place::parse(bad).expect_err(bad);
        }
    }
}
