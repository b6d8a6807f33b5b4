//! Paths of profiles: fixed, or with one segment that the client fills in.

use std::fmt;

use tidings_core::limits::TOPIC_BYTES_MAX;

/// A path such as `/api/projects/{projectId}/stream`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathTemplate {
    text: String,
    /// Where the name of the segment stands between its braces.
    name: Option<(usize, usize)>,
}

/// Why a text is not a path of a profile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathTemplateError {
    /// It does not begin with `/`, or has an empty segment.
    #[error("it is not a `/` and segments with `/` between them")]
    Form,
    /// More bytes than a path of a profile needs.
    #[error("it has more than {TOPIC_BYTES_MAX} bytes")]
    TooLong,
    /// A character that a path would have encoded, or that could be read in two ways.
    #[error("it contains {0:?} where only `A-Za-z0-9._~-` stand between `/`")]
    Character(char),
    /// A `{name}` that is not one whole segment, or a second one.
    #[error("it has braces, where one segment may be `{{name}}`")]
    Placeholder,
}

impl PathTemplate {
    /// Takes a text as a path.
    pub fn parse(text: &str) -> Result<Self, PathTemplateError> {
        if text.len() > TOPIC_BYTES_MAX {
            return Err(PathTemplateError::TooLong);
        }
        let segments = text.strip_prefix('/').ok_or(PathTemplateError::Form)?;
        let mut name = None;
        let mut at = 1;
        for segment in segments.split('/') {
            if segment.is_empty() || matches!(segment, "." | "..") {
                return Err(PathTemplateError::Form);
            }
            let inner = segment
                .strip_prefix('{')
                .and_then(|rest| rest.strip_suffix('}'));
            let plain = inner.unwrap_or(segment);
            if inner.is_some() && name.replace((at + 1, at + 1 + plain.len())).is_some() {
                return Err(PathTemplateError::Placeholder);
            }
            if plain.is_empty() || plain.contains(['{', '}']) {
                return Err(PathTemplateError::Placeholder);
            }
            let is_plain = |c: char| c.is_ascii_alphanumeric() || "._~-".contains(c);
            if let Some(character) = plain.chars().find(|c| !is_plain(*c)) {
                return Err(PathTemplateError::Character(character));
            }
            at += segment.len() + 1;
        }
        Ok(Self {
            text: text.to_owned(),
            name,
        })
    }

    /// A path of the table of routes, which tests check.
    pub(crate) fn of_table(text: &'static str) -> Self {
        let name = text.split_once('{').and_then(|(before, rest)| {
            let (name, _) = rest.split_once('}')?;
            Some((before.len() + 1, before.len() + 1 + name.len()))
        });
        Self {
            text: text.to_owned(),
            name,
        }
    }

    /// The path as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The name of the segment that the client fills in.
    pub fn placeholder(&self) -> Option<&str> {
        let (from, to) = self.name?;
        self.text.get(from..to)
    }

    /// The raw text of that segment if a request's path matches; empty for a path without one.
    pub(crate) fn capture<'a>(&self, path: &'a str) -> Option<&'a str> {
        let Some((from, to)) = self.name else {
            return (self.text == path).then_some("");
        };
        let (prefix, suffix) = (self.text.get(..from - 1)?, self.text.get(to + 1..)?);
        let segment = path.strip_prefix(prefix)?.strip_suffix(suffix)?;
        (!segment.is_empty() && !segment.contains('/')).then_some(segment)
    }

    /// Whether some request's path matches both.
    pub(crate) fn meets(&self, other: &Self) -> bool {
        let (left, right) = (self.text.split('/'), other.text.split('/'));
        let is_any = |segment: &str| segment.starts_with('{');
        left.clone().count() == right.clone().count()
            && left
                .zip(right)
                .all(|(one, two)| one == two || is_any(one) || is_any(two))
    }
}

impl fmt::Display for PathTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> PathTemplate {
        PathTemplate::parse(text).expect(text)
    }

    #[test]
    fn a_path_is_matched_by_whole_segments() {
        let fixed = path("/api/sse");
        assert_eq!(fixed.capture("/api/sse"), Some(""));
        assert_eq!(fixed.placeholder(), None);
        for other in ["/api/sse/", "/API/sse", "/api", "/api/sse/x"] {
            assert_eq!(fixed.capture(other), None, "{other}");
        }
        let open = path("/api/projects/{projectId}/stream");
        assert_eq!(open.placeholder(), Some("projectId"));
        assert_eq!(open.capture("/api/projects/4%2F2/stream"), Some("4%2F2"));
        for other in [
            "/api/projects//stream",
            "/api/projects/a/b/stream",
            "/api/projects/stream",
            "/api/projects/a/streams",
        ] {
            assert_eq!(open.capture(other), None, "{other}");
        }
        assert_eq!(path("/streams/{id}").capture("/streams/7"), Some("7"));
    }

    #[test]
    fn what_is_not_one_canonical_path_is_refused() {
        use PathTemplateError::{Character, Form, Placeholder, TooLong};
        for (text, error) in [
            ("", Form),
            ("events", Form),
            ("/", Form),
            ("//events", Form),
            ("/events/", Form),
            ("/a/../b", Form),
            ("/a/./b", Form),
            ("/a b", Character(' ')),
            ("/a%2Fb", Character('%')),
            ("/a?b", Character('?')),
            ("/é", Character('é')),
            ("/{}", Placeholder),
            ("/{a}/{b}", Placeholder),
            ("/x{a}", Placeholder),
            ("/{a", Placeholder),
            ("/{{a}}", Placeholder),
        ] {
            assert_eq!(PathTemplate::parse(text), Err(error), "{text}");
        }
        let longest = format!("/{}", "a".repeat(TOPIC_BYTES_MAX - 1));
        PathTemplate::parse(&longest).expect("fits");
        assert_eq!(PathTemplate::parse(&(longest + "a")), Err(TooLong));
    }

    #[test]
    fn two_paths_meet_if_one_request_may_mean_both() {
        for (one, two, meets) in [
            ("/a/b", "/a/b", true),
            ("/a/b", "/a/c", false),
            ("/a/{x}", "/a/b", true),
            ("/a/{x}", "/{y}/b", true),
            ("/a/{x}", "/a/b/c", false),
            ("/a/{x}/c", "/a/b/d", false),
        ] {
            assert_eq!(path(one).meets(&path(two)), meets, "{one} {two}");
            assert_eq!(path(two).meets(&path(one)), meets, "{two} {one}");
        }
    }
}
