//! Templates: patterns with places for claims, such as `workspace/{workspace}/**`.

use std::fmt;

use serde_json::{Map, Value};
use tidings_core::audience::Subject;
use tidings_core::grant::PublishGrant;
use tidings_core::pattern::Pattern;

use crate::claims::path::{ClaimPath, ClaimPathFault};
use crate::limits::{CLAIM_VALUES_MAX, PLACEHOLDERS_MAX};

/// The placeholder of the subject, as events and other parts of the hub know it.
const SUBJECT: &str = "sub";

/// What stands in for a claim when a template is checked.
const SAMPLE: &str = "x";

/// A pattern of a rule. What a claim fills in is always a part of one segment: it can neither end
/// the segment nor be a wildcard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    Subject,
    Claim(ClaimPath),
}

/// Why a text is not a template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// `{` without `}`, or `}` without `{`.
    #[error("its braces do not match")]
    Braces,
    /// `{}` or a path that is none.
    #[error("a placeholder does not name a claim: {0}")]
    Claim(#[from] ClaimPathFault),
    /// More placeholders than anybody needs.
    #[error("it has more than {PLACEHOLDERS_MAX} placeholders")]
    TooManyPlaceholders,
    /// Without its placeholders it is no pattern.
    #[error("it is not a pattern: {0}")]
    Pattern(String),
}

impl Template {
    /// Takes a text as a pattern for reading.
    pub fn for_reading(text: &str) -> Result<Self, TemplateError> {
        let template = Self::parse(text)?;
        let sample = template.with(SAMPLE);
        Pattern::parse(&sample).map_err(|fault| TemplateError::Pattern(fault.to_string()))?;
        Ok(template)
    }

    /// Takes a text as a pattern or an audience for publishing.
    pub fn for_publishing(text: &str) -> Result<Self, TemplateError> {
        let template = Self::parse(text)?;
        let sample = template.with(SAMPLE);
        PublishGrant::parse(&sample).map_err(|fault| TemplateError::Pattern(fault.to_string()))?;
        Ok(template)
    }

    fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let mut rest = text;
        let mut placeholders = 0;
        while let Some((literal, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').ok_or(TemplateError::Braces)?;
            if literal.contains('}') || name.contains('{') {
                return Err(TemplateError::Braces);
            }
            placeholders += 1;
            if placeholders > PLACEHOLDERS_MAX {
                return Err(TemplateError::TooManyPlaceholders);
            }
            parts.push(Part::Literal(literal.to_owned()));
            parts.push(if name == SUBJECT {
                Part::Subject
            } else {
                Part::Claim(name.parse()?)
            });
            rest = after;
        }
        if rest.contains('}') {
            return Err(TemplateError::Braces);
        }
        parts.push(Part::Literal(rest.to_owned()));
        Ok(Self { parts })
    }

    fn begins_with(&self, text: &str) -> bool {
        matches!(self.parts.first(), Some(Part::Literal(first)) if first.starts_with(text))
    }

    fn with(&self, value: &str) -> String {
        let texts = self.parts.iter().map(|part| match part {
            Part::Literal(text) => text.as_str(),
            Part::Subject | Part::Claim(_) => value,
        });
        texts.collect()
    }

    /// The texts that come of filling in claims: one, or one for each of a claim's values. Says what
    /// is missing if there is none.
    pub(crate) fn fill(
        &self,
        subject: Option<&Subject>,
        claims: &Map<String, Value>,
    ) -> Result<Vec<String>, String> {
        let mut texts = vec![String::new()];
        for part in &self.parts {
            let values = match part {
                Part::Literal(text) => vec![text.clone()],
                Part::Subject => {
                    let subject = subject.ok_or("the request is nobody's")?;
                    vec![checked(SUBJECT, subject.as_str())?]
                }
                Part::Claim(path) => values(path, claims)?,
            };
            if texts.len() * values.len() > CLAIM_VALUES_MAX {
                return Err(format!(
                    "its claims have more than {CLAIM_VALUES_MAX} values"
                ));
            }
            texts = texts
                .iter()
                .flat_map(|text| values.iter().map(move |value| format!("{text}{value}")))
                .collect();
        }
        // `{team}/*` is a topic, whatever the team is called.
        let is_audience = |text: &String| text.starts_with('@');
        if !self.begins_with("@") && texts.iter().any(is_audience) {
            return Err("a claim begins with `@`, as only audiences do".to_owned());
        }
        Ok(texts)
    }
}

/// The values of a claim: a text, a whole number, or several of them.
fn values(path: &ClaimPath, claims: &Map<String, Value>) -> Result<Vec<String>, String> {
    let one = |value: &Value| match value {
        Value::String(text) => checked(path, text),
        Value::Number(number) if number.is_i64() || number.is_u64() => Ok(number.to_string()),
        _ => Err(format!(
            "the claim `{path}` is neither a text, nor a whole number, nor a list of them"
        )),
    };
    match path.find(claims) {
        Err(_) | Ok(None) => Err(format!("the claim `{path}` is missing")),
        Ok(Some(Value::Array(entries))) if entries.is_empty() => {
            Err(format!("the claim `{path}` is empty"))
        }
        Ok(Some(Value::Array(entries))) => entries.iter().map(one).collect(),
        Ok(Some(value)) => one(value).map(|value| vec![value]),
    }
}

/// A value that stays within one segment and is no wildcard. It is not repeated in the error,
/// because it is a part of the credential.
fn checked(claim: impl fmt::Display, value: &str) -> Result<String, String> {
    if value.is_empty() {
        return Err(format!("the claim `{claim}` is empty"));
    }
    if value.contains(['/', '*', '{', '}']) {
        return Err(format!(
            "the claim `{claim}` has a character of patterns: `/*{{}}`"
        ));
    }
    Ok(value.to_owned())
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts.iter().try_for_each(|part| match part {
            Part::Literal(text) => f.write_str(text),
            Part::Subject => write!(f, "{{{SUBJECT}}}"),
            Part::Claim(path) => write!(f, "{{{path}}}"),
        })
    }
}
