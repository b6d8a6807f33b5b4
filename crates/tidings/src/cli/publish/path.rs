//! Paths of fields: `repo.name` is the field `name` of the object `repo`.

use serde_json::Value;

/// Where in a line a value is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FieldPath(String);

/// The text is not a path of fields.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a field such as `repo.name`")]
pub(super) struct NotAPath;

impl FieldPath {
    pub(super) fn parse(text: &str) -> Result<Self, NotAPath> {
        let good =
            text.split('.').all(|field| !field.is_empty()) && !text.contains(['{', '}', '/']);
        good.then(|| Self(text.to_owned())).ok_or(NotAPath)
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// The text of the field, if it is there and is a text, a number, or true or false.
    pub(super) fn text_in(&self, line: &Value) -> Option<String> {
        let value = self
            .0
            .split('.')
            .try_fold(line, |value, field| value.get(field))?;
        match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(truth) => Some(truth.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_are_found_inside_each_other() {
        let line = json!({"a": {"b": {"c": "deep"}}, "n": 7, "t": true, "z": null, "l": [1]});
        let find = |path: &str| FieldPath::parse(path).expect(path).text_in(&line);
        assert_eq!(find("a.b.c").as_deref(), Some("deep"));
        assert_eq!(find("n").as_deref(), Some("7"));
        assert_eq!(find("t").as_deref(), Some("true"));
        for absent in ["x", "a", "a.b", "a.b.c.d", "n.x", "z", "l"] {
            assert_eq!(find(absent), None, "{absent}");
        }
        for bad in ["", ".", "a.", ".a", "a..b", "{a}", "a/b"] {
            assert_eq!(FieldPath::parse(bad), Err(NotAPath), "{bad}");
        }
    }
}
