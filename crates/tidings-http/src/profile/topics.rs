//! What a profile's stream reads unless it is asked for other topics.

use std::fmt;

use tidings_core::pattern::{Pattern, PatternError};

use super::path::PathTemplate;

/// What stands in for a segment when a template is checked.
const SAMPLE: &str = "x";

/// The topics of a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TopicTemplate {
    /// The same for everybody; it needs a grant.
    Fixed(Pattern),
    /// With the segment of the path in its place; it needs a grant, because anybody may ask for any.
    Path {
        /// What the path calls the segment.
        name: String,
        /// What stands before the segment.
        before: String,
        /// What stands after it.
        after: String,
    },
    /// With places for claims of the credential, such as `workspace/{workspace_id}/**`. Whoever has the
    /// claims is granted what they come to.
    Claims(String),
}

/// Why a text is not a template of topics.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TopicTemplateError {
    /// The path's segment and a claim, or the segment twice: nobody could say who is granted what.
    #[error("it has more than the one place that the path fills in")]
    Mixed,
    /// Filled in, it is no pattern.
    #[error("it is not a pattern: {0}")]
    Pattern(#[from] PatternError),
}

/// What a path has in the place of a topic's segment cannot be one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotASegment {
    /// It would not stay one segment, or would be a wildcard.
    #[error("it contains {0:?}, which no segment of a topic may")]
    Character(char),
    /// What it comes to breaks a rule of topics.
    #[error(transparent)]
    Pattern(#[from] PatternError),
}

impl TopicTemplate {
    /// Takes a text as the topics of a profile with these paths.
    pub fn parse(text: &str, paths: &[PathTemplate]) -> Result<Self, TopicTemplateError> {
        let placeholder = paths.iter().find_map(PathTemplate::placeholder);
        let place = placeholder.map(|name| format!("{{{name}}}"));
        if let Some((before, after)) = place.and_then(|place| {
            let (before, after) = text.split_once(&place)?;
            Some((before.to_owned(), after.to_owned()))
        }) {
            if before.contains('{') || after.contains('{') {
                return Err(TopicTemplateError::Mixed);
            }
            Pattern::parse(&format!("{before}{SAMPLE}{after}"))?;
            let name = placeholder.unwrap_or_default().to_owned();
            return Ok(Self::Path {
                name,
                before,
                after,
            });
        }
        if text.contains('{') {
            return Ok(Self::Claims(text.to_owned()));
        }
        Ok(Self::Fixed(Pattern::parse(text)?))
    }

    /// What a request with this decoded segment asks for; nothing, if claims decide.
    pub(crate) fn asked(&self, segment: &str) -> Result<Option<Pattern>, NotASegment> {
        match self {
            Self::Fixed(pattern) => Ok(Some(pattern.clone())),
            Self::Claims(_) => Ok(None),
            Self::Path { before, after, .. } => {
                let is_foreign = |c: &char| matches!(c, '/' | '*' | '{' | '}');
                if let Some(character) = segment.chars().find(is_foreign) {
                    return Err(NotASegment::Character(character));
                }
                Ok(Some(Pattern::parse(&format!("{before}{segment}{after}"))?))
            }
        }
    }
}

impl fmt::Display for TopicTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(pattern) => pattern.fmt(f),
            Self::Path {
                name,
                before,
                after,
            } => write!(f, "{before}{{{name}}}{after}"),
            Self::Claims(text) => f.write_str(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths() -> [PathTemplate; 1] {
        [PathTemplate::parse("/api/projects/{projectId}/stream").expect("a path")]
    }

    #[test]
    fn a_template_knows_what_fills_it_in() {
        let of_path = TopicTemplate::parse("project/{projectId}", &paths()).expect("a template");
        let asked = of_path.asked("42").expect("a segment");
        assert_eq!(
            asked,
            Some(Pattern::parse("project/42").expect("a pattern"))
        );

        let of_claims = TopicTemplate::parse("workspace/{workspace_id}/**", &[]);
        let of_claims = of_claims.expect("a template");
        assert_eq!(of_claims.asked(""), Ok(None));

        let fixed = TopicTemplate::parse("news/*", &paths()).expect("a template");
        assert_eq!(
            fixed.asked("42"),
            Ok(Some(Pattern::parse("news/*").expect("a pattern")))
        );
    }

    #[test]
    fn a14_what_a_path_fills_in_stays_one_segment_and_no_wildcard() {
        let template = TopicTemplate::parse("project/{projectId}/log", &paths());
        let template = template.expect("a template");
        for (segment, character) in [("a/b", '/'), ("*", '*'), ("**", '*'), ("{x}", '{')] {
            let refused = template.asked(segment);
            assert_eq!(refused, Err(NotASegment::Character(character)), "{segment}");
        }
        for segment in ["", "..", "@user", "a\u{202e}b", "e\u{301}"] {
            let refused = template.asked(segment);
            assert!(matches!(refused, Err(NotASegment::Pattern(_))), "{segment}");
        }
    }

    #[test]
    fn what_cannot_be_filled_in_is_refused() {
        let mixed = TopicTemplate::parse("a/{projectId}/{team}", &paths());
        assert_eq!(mixed, Err(TopicTemplateError::Mixed));
        let twice = TopicTemplate::parse("a/{projectId}/{projectId}", &paths());
        assert_eq!(twice, Err(TopicTemplateError::Mixed));
        for bad in ["", "/a", "a/**/b", "a/{projectId}//b"] {
            let refused = TopicTemplate::parse(bad, &paths());
            assert!(
                matches!(refused, Err(TopicTemplateError::Pattern(_))),
                "{bad}"
            );
        }
    }
}
