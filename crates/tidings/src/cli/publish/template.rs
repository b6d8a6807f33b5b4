//! Topics made of fields: `repo/{repo.name}`.

use serde_json::Value;
use tidings_core::topic::Topic;

use super::path::{FieldPath, NotAPath};

/// A topic with places for fields of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Field(FieldPath),
}

/// Why a text is not a template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum TemplateError {
    /// A brace without its partner.
    #[error("a `{{` or `}}` stands alone")]
    Brace,
    /// What stands between braces is no field.
    #[error("between `{{` and `}}`: {0}")]
    Field(#[from] NotAPath),
    /// It could never become a topic.
    #[error("it can make no topic: {0}")]
    Topic(String),
}

impl Template {
    pub(super) fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (field, after) = after.split_once('}').ok_or(TemplateError::Brace)?;
            if !before.is_empty() {
                pieces.push(Piece::Text(before.to_owned()));
            }
            pieces.push(Piece::Field(FieldPath::parse(field)?));
            rest = after;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        let lonely = |piece: &Piece| matches!(piece, Piece::Text(text) if text.contains('}'));
        if pieces.iter().any(lonely) {
            return Err(TemplateError::Brace);
        }
        let template = Self(pieces);
        // Any field will do to see whether the rest is right.
        match template.fill(|_| Some("x".to_owned())) {
            Ok(_) => Ok(template),
            Err(problem) => Err(TemplateError::Topic(problem)),
        }
    }

    /// The topic of a line, or why it has none.
    pub(super) fn topic_of(&self, line: &Value) -> Result<Topic, String> {
        self.fill(|field| field.text_in(line))
    }

    fn fill(&self, value: impl Fn(&FieldPath) -> Option<String>) -> Result<Topic, String> {
        let mut text = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(literal) => text.push_str(literal),
                Piece::Field(field) => {
                    let found = value(field)
                        .ok_or_else(|| format!("it has no field `{}`", field.as_str()))?;
                    text.push_str(&found);
                }
            }
        }
        Topic::parse(&text).map_err(|error| format!("`{text}` is not a topic: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_template_makes_topics_of_lines() {
        let line = json!({"repo": {"name": "rust-lang/rust"}, "id": 7, "bad": "a//b"});
        let make = |text: &str| {
            let template = Template::parse(text).expect(text);
            template.topic_of(&line).map(|topic| topic.to_string())
        };
        assert_eq!(
            make("repo/{repo.name}").as_deref(),
            Ok("repo/rust-lang/rust")
        );
        assert_eq!(make("{id}/x{id}").as_deref(), Ok("7/x7"));
        assert_eq!(make("plain").as_deref(), Ok("plain"));
        assert!(make("{nothing}").expect_err("absent").contains("`nothing`"));
        assert!(
            make("{bad}")
                .expect_err("no topic")
                .contains("empty segment")
        );
    }

    #[test]
    fn a_template_that_can_make_no_topic_is_refused() {
        for bad in [
            "",
            "a/{b",
            "a}/b",
            "a/{}",
            "a/{b}}",
            "/{a}",
            "{a}//b",
            "@user/{a}",
            "*/{a}",
        ] {
            assert!(Template::parse(bad).is_err(), "{bad}");
        }
    }
}
