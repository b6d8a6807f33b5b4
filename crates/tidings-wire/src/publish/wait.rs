//! `wait` of an event: for how many readers its publish waits, and how long.

use std::time::Duration;

use serde_json::value::RawValue;
use tidings_core::awaited::{ReaderWait, ReaderWaitError};
use tidings_core::limits::READER_WAIT_MS_DEFAULT;

use super::error::{Place, PublishError, PublishFault};
use super::event::not_a;
use crate::json::{Fields, RawFault, text_of};
use crate::limits::OBJECT_FIELDS_MAX;
use crate::query::parse_duration;
use crate::shown::nearest;

const FIELD: &str = "wait";
const SUBSCRIBERS: &str = "subscribers";
const TIMEOUT: &str = "timeout";

/// Reads `{"subscribers", "timeout"}`; one reader and the default time, where they are left out.
pub(super) fn read_wait(place: Place, value: &RawValue) -> Result<ReaderWait, PublishError> {
    let text = value.get().as_bytes();
    let mut fields = Fields::read(text, OBJECT_FIELDS_MAX).map_err(|fault| match fault {
        RawFault::Json(_) => place.field(FIELD, not_a("an object", value)),
        RawFault::Duplicate(name) => place.element(FIELD, &name, PublishFault::Duplicate),
        RawFault::TooMany(count) => place.field(FIELD, PublishFault::TooManyFields(count)),
    })?;
    let readers = match fields.take(SUBSCRIBERS) {
        Some(value) => serde_json::from_str(value.get()).map_err(|_| {
            let fault = not_a("a whole number", value);
            place.element(FIELD, SUBSCRIBERS, fault)
        })?,
        None => 1,
    };
    let patience = match fields.take(TIMEOUT) {
        Some(value) => {
            let at = |fault| place.element(FIELD, TIMEOUT, fault);
            let text = text_of(value).ok_or_else(|| at(not_a("a string", value)))?;
            parse_duration(&text).ok_or_else(|| at(PublishFault::Duration(text.into_owned())))?
        }
        None => Duration::from_millis(READER_WAIT_MS_DEFAULT),
    };
    if let Some(name) = fields.names().next() {
        let known = nearest(name, &[SUBSCRIBERS, TIMEOUT]);
        let hint = known.map(|known| format!("use `{known}`"));
        return Err(place.element(FIELD, name, PublishFault::Unknown { hint }));
    }
    ReaderWait::new(readers, patience).map_err(|error| {
        let field = match error {
            ReaderWaitError::Readers(_) => SUBSCRIBERS,
            ReaderWaitError::TooLong => TIMEOUT,
        };
        place.element(FIELD, field, PublishFault::Wait(error))
    })
}
