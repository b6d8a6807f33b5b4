//! Where a reader starts: `since=` and `Last-Event-ID`.

use tidings_core::id::EventId;
use tidings_core::position::is_cursor_shaped;
use tidings_core::start::Start;
use tidings_core::time::{Timestamp, parse_date, parse_rfc3339};

use super::error::{QueryError, QueryFault};
use super::measure::{digits, parse_duration};

/// The names under which a query may carry what else is the header `Last-Event-ID`: those of the
/// polyfills in use, which cannot set it or may not.
pub const LAST_EVENT_ID_PARAMETERS: [&str; 5] = [
    "lastEventId",
    "lastEventID",
    "last_event_id",
    "last-event-id",
    "Last-Event-ID",
];

/// Reads `since=`: in this order a keyword, a cursor, a time (RFC 3339, a date alone as its beginning
/// in UTC, or Unix milliseconds), a duration, an event id.
pub fn since(value: &str) -> Result<Start, QueryError> {
    match value {
        "now" => return Ok(Start::Now),
        "earliest" => return Ok(Start::Earliest),
        "last" => return Ok(Start::Last),
        _ => {}
    }
    if let Ok(position) = value.parse() {
        return Ok(Start::After(position));
    }
    if let Some(unix_ms) = digits(value) {
        return Ok(Start::Since(Timestamp(unix_ms)));
    }
    if looks_like_time(value) {
        // A time that is one letter off is an id by its characters, but nobody means that.
        let unix_ms = parse_rfc3339(value)
            .or_else(|| parse_date(value))
            .ok_or_else(|| QueryError::new("since", QueryFault::Time(value.to_owned())))?;
        return Ok(Start::Since(Timestamp(u64::try_from(unix_ms).unwrap_or(0))));
    }
    if let Some(duration) = parse_duration(value) {
        return Ok(Start::Ago(duration));
    }
    match EventId::parse(value) {
        Ok(id) => Ok(Start::AfterId(id)),
        // A cursor of a later version of the hub: known to be a cursor, and of no history here.
        Err(_) if is_cursor_shaped(value) => Ok(Start::Foreign),
        Err(_) => Err(QueryError::new(
            "since",
            QueryFault::Value {
                expected: "`now`, `earliest`, `last`, a cursor, a time, a duration such as `10m`, \
                           or an event id",
                found: value.to_owned(),
            },
        )),
    }
}

/// Whether a text begins as a date does: whoever writes that means a time, valid or not.
fn looks_like_time(text: &str) -> bool {
    let is_date = |date: &[u8]| {
        let shape = date.iter().map(|byte| match byte {
            b'0'..=b'9' => '0',
            byte => char::from(*byte),
        });
        shape.eq("0000-00-00".chars())
    };
    let bytes = text.as_bytes();
    bytes.get(..10).is_some_and(is_date) && matches!(bytes.get(10), None | Some(b'T' | b't' | b' '))
}

/// Reads `Last-Event-ID`, a header or its spelling as a parameter. Never an error: browsers send
/// whatever they got from whatever stood at this address before, and cannot show one. None if it is
/// empty, as after a stream without ids.
pub fn last_event_id(value: &[u8]) -> Option<Start> {
    let value = value.trim_ascii();
    if value.is_empty() {
        return None;
    }
    let start = str::from_utf8(value).ok().and_then(|text| {
        let cursor = text.parse().ok().map(Start::After);
        cursor.or_else(|| EventId::parse(text).ok().map(Start::AfterId))
    });
    Some(start.unwrap_or(Start::Foreign))
}
