//! Parameters that are lists: topics and event types; and what else selects events.

use std::borrow::Cow;

use tidings_core::event_type::{TypeFilter, TypeGlob};
use tidings_core::limits::PATTERNS_PER_CONNECTION_MAX;
use tidings_core::pattern::Pattern;

use super::error::{QueryError, QueryFault};

/// The items of a list separated by commas. `\,` is a comma and `\\` a backslash within an item; any
/// other backslash is itself. An empty text has no items.
pub fn split_list(text: &str) -> impl Iterator<Item = Cow<'_, str>> {
    let mut rest = (!text.is_empty()).then_some(text);
    std::iter::from_fn(move || {
        let item = rest.take()?;
        let mut escaped = false;
        let comma = item.bytes().position(|byte| {
            let ends = byte == b',' && !escaped;
            escaped = byte == b'\\' && !escaped;
            ends
        });
        let item = match comma {
            Some(at) => {
                rest = Some(&item[at + 1..]);
                &item[..at]
            }
            None => item,
        };
        Some(unescape(item))
    })
}

fn unescape(item: &str) -> Cow<'_, str> {
    if !item.contains('\\') {
        return Cow::Borrowed(item);
    }
    let mut plain = String::with_capacity(item.len());
    let mut characters = item.chars().peekable();
    while let Some(character) = characters.next() {
        match characters.peek() {
            Some(next @ (',' | '\\')) if character == '\\' => {
                plain.push(*next);
                characters.next();
            }
            _ => plain.push(character),
        }
    }
    Cow::Owned(plain)
}

/// The patterns of every `topics=` of a request; none if there is none or all are empty.
pub fn patterns<'a>(values: impl IntoIterator<Item = &'a str>) -> Result<Vec<Pattern>, QueryError> {
    let refuse = |fault| QueryError::new("topics", fault);
    let mut patterns = Vec::new();
    let mut count = 0;
    for item in values.into_iter().flat_map(split_list) {
        count += 1;
        // Past the limit only the count matters.
        if count <= PATTERNS_PER_CONNECTION_MAX {
            patterns.push(Pattern::parse(&item).map_err(|reason| {
                refuse(QueryFault::Pattern {
                    value: item.into_owned(),
                    reason,
                })
            })?);
        }
    }
    if count > PATTERNS_PER_CONNECTION_MAX {
        return Err(refuse(QueryFault::TooManyPatterns(count)));
    }
    Ok(patterns)
}

/// The filter of every `events=` of a request; everything if there is none or all are empty.
pub fn types<'a>(values: impl IntoIterator<Item = &'a str>) -> Result<TypeFilter, QueryError> {
    let refuse = |fault| QueryError::new("events", fault);
    let globs = values
        .into_iter()
        .flat_map(split_list)
        .map(|item| {
            TypeGlob::parse(&item).map_err(|reason| {
                refuse(QueryFault::Type {
                    value: item.into_owned(),
                    reason,
                })
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    TypeFilter::new(globs).map_err(|fault| refuse(QueryFault::TooManyTypes(fault)))
}

/// Whether `audience=` keeps the reader's own audience: `none` omits it, `own` is as if it were not
/// there.
pub fn audience(value: &str) -> Result<bool, QueryError> {
    match value {
        "none" => Ok(false),
        "own" => Ok(true),
        _ => Err(QueryError::new(
            "audience",
            QueryFault::Value {
                expected: "`none` or `own`",
                found: value.to_owned(),
            },
        )),
    }
}
