//! The query string as pairs of name and value, decoded once and strictly.

use std::borrow::Cow;

use super::error::{QueryError, QueryFault};
use crate::limits::QUERY_PARAMETERS_MAX;
use crate::shown::nearest;

/// A parameter's name and value.
pub type Pair<'a> = (Cow<'a, str>, Cow<'a, str>);

/// Splits a query string, without its `?`. A `+` is a space. Text that is not UTF-8 is refused, not
/// repaired: a repaired topic would be another topic.
pub fn pairs(query: &str) -> Result<Vec<Pair<'_>>, QueryError> {
    let mut pairs = Vec::new();
    for piece in query.split('&').filter(|piece| !piece.is_empty()) {
        if pairs.len() == QUERY_PARAMETERS_MAX {
            return Err(QueryError::new("", QueryFault::TooMany));
        }
        let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
        let name = form_decode(name).ok_or_else(|| QueryError::new(name, QueryFault::Encoding))?;
        let value =
            form_decode(value).ok_or_else(|| QueryError::new(&name, QueryFault::Encoding))?;
        pairs.push((name, value));
    }
    Ok(pairs)
}

/// The refusal of a parameter that a route does not know, with the one it most likely means.
pub fn unknown(name: &str, known: &[&str]) -> QueryError {
    let nearest = nearest(name, known).map(str::to_owned);
    QueryError::new(name, QueryFault::Unknown { nearest })
}

fn form_decode(text: &str) -> Option<Cow<'_, str>> {
    if text.contains('+') {
        let spaced = text.replace('+', " ");
        percent_decode(&spaced).map(|text| Cow::Owned(text.into_owned()))
    } else {
        percent_decode(text)
    }
}

/// Undoes one round of percent-encoding. A `%` without two hexadecimal digits stays as it is; none
/// if the result is not UTF-8. In a path, decode each segment by itself.
pub fn percent_decode(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('%') {
        return Some(Cow::Borrowed(text));
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let byte = match after {
            [high, low, ..] if *first == b'%' => hex(*high).zip(hex(*low)),
            _ => None,
        };
        if let Some((high, low)) = byte {
            decoded.push(high * 16 + low);
            rest = &after[2..];
        } else {
            decoded.push(*first);
            rest = after;
        }
    }
    String::from_utf8(decoded).ok().map(Cow::Owned)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|value| value as u8)
}
