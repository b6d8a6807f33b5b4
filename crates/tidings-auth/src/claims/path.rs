//! Where in a token's claims something stands: `sub`, `realm_access.roles`,
//! `https://example\.com/roles`.

use std::fmt;
use std::str::FromStr;

use serde_json::{Map, Value};

use crate::limits::{CLAIM_PATH_BYTES_MAX, CLAIM_PATH_NAMES_MAX};

/// Names of claims, one inside the other, divided by dots. A dot that belongs to a name is written
/// `\.`, a backslash `\\`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ClaimPath(Vec<String>);

/// The text is no path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClaimPathFault {
    /// Nothing between two dots, or nothing at all.
    #[error("it has an empty name")]
    Empty,
    /// A backslash before anything else.
    #[error("it has a backslash that stands neither before a dot nor before another backslash")]
    Escape,
    /// Too long, or too deep.
    #[error(
        "it is longer than {CLAIM_PATH_BYTES_MAX} bytes or has more than {CLAIM_PATH_NAMES_MAX} names"
    )]
    TooLong,
}

/// On the way there stands something that holds no claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Blocked;

impl ClaimPath {
    /// The path of one claim at the top, whatever its name holds.
    pub fn top(name: &str) -> Self {
        Self(vec![name.to_owned()])
    }

    /// The path of these names.
    pub fn of(names: &[&str]) -> Self {
        Self(names.iter().map(|name| (*name).to_owned()).collect())
    }

    /// What stands there; `null` is nothing.
    pub(crate) fn find<'a>(
        &self,
        claims: &'a Map<String, Value>,
    ) -> Result<Option<&'a Value>, Blocked> {
        let found = self.find_even_null(claims)?;
        Ok(found.filter(|value| !value.is_null()))
    }

    /// What stands there, be it `null`.
    pub(crate) fn find_even_null<'a>(
        &self,
        claims: &'a Map<String, Value>,
    ) -> Result<Option<&'a Value>, Blocked> {
        let Some((last, outer)) = self.0.split_last() else {
            return Ok(None);
        };
        let mut entries = claims;
        for name in outer {
            entries = match entries.get(name) {
                None | Some(Value::Null) => return Ok(None),
                Some(Value::Object(inner)) => inner,
                Some(_) => return Err(Blocked),
            };
        }
        Ok(entries.get(last))
    }
}

impl FromStr for ClaimPath {
    type Err = ClaimPathFault;

    fn from_str(text: &str) -> Result<Self, ClaimPathFault> {
        if text.len() > CLAIM_PATH_BYTES_MAX {
            return Err(ClaimPathFault::TooLong);
        }
        let mut names = vec![String::new()];
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            let kept = match character {
                '.' => {
                    names.push(String::new());
                    continue;
                }
                '\\' => match characters.next() {
                    Some(escaped @ ('.' | '\\')) => escaped,
                    _ => return Err(ClaimPathFault::Escape),
                },
                other => other,
            };
            if let Some(name) = names.last_mut() {
                name.push(kept);
            }
        }
        if names.iter().any(String::is_empty) {
            return Err(ClaimPathFault::Empty);
        }
        if names.len() > CLAIM_PATH_NAMES_MAX {
            return Err(ClaimPathFault::TooLong);
        }
        Ok(Self(names))
    }
}

impl fmt::Display for ClaimPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, name) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(".")?;
            }
            f.write_str(&name.replace('\\', "\\\\").replace('.', "\\."))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
