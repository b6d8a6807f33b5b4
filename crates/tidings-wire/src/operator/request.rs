//! What these routes are asked.

use std::borrow::Cow;

use tidings_core::event_type::{EventTypeError, TooManyTypes, TypeFilter, TypeGlob};
use tidings_core::limits::{PATTERNS_PER_CONNECTION_MAX, TYPE_GLOBS_MAX};
use tidings_core::pattern::{Pattern, PatternError};
use tidings_core::subscription::SubscriptionChange;

use crate::access::{Body, BodyFault, value};
use crate::json::{RawFault, elements, text_of};
use crate::problem::{Code, Problem};
use crate::query;

const TYPES_EXPECTED: &str = "a list of at most 64 event types";

/// Why a body changes no subscription.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangeFault {
    /// It is not what the route takes.
    #[error(transparent)]
    Body(#[from] BodyFault),
    /// One of the topics is no pattern.
    #[error("in the field `topics`: not a pattern: {0}")]
    Pattern(PatternError),
    /// More patterns than one connection may ask for.
    #[error(
        "the field `topics` has {0} patterns where at most {PATTERNS_PER_CONNECTION_MAX} are allowed"
    )]
    TooManyPatterns(usize),
    /// One of the event types is none.
    #[error("in the field `events`: not an event type: {0}")]
    Type(EventTypeError),
    /// Nothing is to be changed.
    #[error("the body changes nothing")]
    Nothing,
}

impl From<&ChangeFault> for Problem {
    fn from(fault: &ChangeFault) -> Self {
        let problem = |code| Self::new(code, fault.to_string());
        match fault {
            ChangeFault::Body(fault) => fault.into(),
            ChangeFault::Pattern(_) => problem(Code::InvalidPattern),
            ChangeFault::TooManyPatterns(_) => problem(Code::TooManyPatterns)
                .with_number("limit", PATTERNS_PER_CONNECTION_MAX as u64),
            ChangeFault::Type(_) => problem(Code::InvalidType),
            ChangeFault::Nothing => problem(Code::InvalidBody).with_hint(
                "name `topics`, `events` or `audience`; what is left out stays as it is",
            ),
        }
    }
}

/// Reads the body of a changed subscription: `{"topics": [...], "events": [...], "audience": "own"}`, of
/// which at least one must be there. An empty list of topics asks for none, one of types for all.
pub fn change(text: &[u8]) -> Result<SubscriptionChange, ChangeFault> {
    let mut body = Body::read(text, &["topics", "events", "audience"])?;
    let topics = texts(&mut body, "topics", PATTERNS_PER_CONNECTION_MAX)?;
    let events = texts(&mut body, "events", TYPE_GLOBS_MAX)?;
    let patterns = topics
        .map(|texts| texts.iter().map(|text| Pattern::parse(text)).collect())
        .transpose()
        .map_err(ChangeFault::Pattern)?;
    let globs: Option<Vec<TypeGlob>> = events
        .map(|texts| texts.iter().map(|text| TypeGlob::parse(text)).collect())
        .transpose()
        .map_err(ChangeFault::Type)?;
    let types = globs.map(TypeFilter::new).transpose();
    let types = types.map_err(|TooManyTypes(_)| value("events", TYPES_EXPECTED))?;
    let expected = "`own` or `none`";
    let audience = body
        .text("audience", expected)?
        .map(|text| query::audience(&text).map_err(|_| value("audience", expected)));
    let change = SubscriptionChange {
        patterns,
        types,
        audience: audience.transpose()?,
    };
    if change == SubscriptionChange::default() {
        return Err(ChangeFault::Nothing);
    }
    Ok(change)
}

/// The strings of a list, if it is there.
fn texts<'a>(
    body: &mut Body<'a>,
    name: &'static str,
    max: usize,
) -> Result<Option<Vec<Cow<'a, str>>>, ChangeFault> {
    let Some(found) = body.fields.take(name) else {
        return Ok(None);
    };
    let no_list = || ChangeFault::from(value(name, "a list of strings"));
    let found = elements(found.get().as_bytes(), max).map_err(|fault| match fault {
        RawFault::TooMany(count) if name == "topics" => ChangeFault::TooManyPatterns(count),
        RawFault::TooMany(_) => value(name, TYPES_EXPECTED).into(),
        RawFault::Json(_) | RawFault::Duplicate(_) => no_list(),
    })?;
    let texts: Option<Vec<_>> = found.into_iter().map(text_of).collect();
    texts.map(Some).ok_or_else(no_list)
}
