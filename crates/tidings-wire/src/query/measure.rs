//! Parameters that are amounts: counts and durations.

use std::time::Duration;

use tidings_core::awaited::ReaderWait;
use tidings_core::limits::{
    PAGE_EVENTS_MAX, PAGE_WAIT_MS_MAX, READER_WAIT_MS_MAX, READERS_AWAITED_MAX,
};

use super::error::{QueryError, QueryFault};

/// `limit=`: how many events a page may have.
pub fn limit(value: &str) -> Result<usize, QueryError> {
    count("limit", value, 1, PAGE_EVENTS_MAX as u64).map(|limit| limit as usize)
}

/// `limit=` of a client that was made for another server: more than a page may have is as much as it
/// may have.
pub fn limit_at_most(value: &str) -> Result<usize, QueryError> {
    let limit = count("limit", value, 1, u64::MAX)?;
    Ok(limit.min(PAGE_EVENTS_MAX as u64) as usize)
}

/// `wait=`: how long a poll may wait for its first event.
pub fn wait(value: &str) -> Result<Duration, QueryError> {
    wait_within(value, Duration::from_millis(PAGE_WAIT_MS_MAX))
}

/// `wait=` and `subscribers=`: how long to wait for readers, and for how many.
pub fn reader_wait(wait: &str, subscribers: Option<&str>) -> Result<ReaderWait, QueryError> {
    let readers = match subscribers {
        Some(value) => count("subscribers", value, 1, READERS_AWAITED_MAX)?,
        None => 1,
    };
    let patience = wait_within(wait, Duration::from_millis(READER_WAIT_MS_MAX))?;
    ReaderWait::new(readers, patience).map_err(|error| {
        let expected = "a wait for readers within its limits";
        let found = error.to_string();
        QueryError::new("wait", QueryFault::Value { expected, found })
    })
}

fn wait_within(value: &str, max: Duration) -> Result<Duration, QueryError> {
    let wait = duration("wait", value)?;
    if wait > max {
        let found = value.to_owned();
        return Err(QueryError::new("wait", QueryFault::TooLong { max, found }));
    }
    Ok(wait)
}

/// A decimal number from `min` to `max`.
pub fn count(parameter: &str, value: &str, min: u64, max: u64) -> Result<u64, QueryError> {
    digits(value)
        .filter(|number| (min..=max).contains(number))
        .ok_or_else(|| {
            let found = value.to_owned();
            QueryError::new(parameter, QueryFault::OutOfRange { min, max, found })
        })
}

/// A duration: a number and its unit, `500ms`, `30s`, `10m`, `2h` or `1d`.
pub fn duration(parameter: &str, value: &str) -> Result<Duration, QueryError> {
    parse_duration(value).ok_or_else(|| {
        QueryError::new(
            parameter,
            QueryFault::Value {
                expected: "a duration such as `500ms`, `30s`, `10m`, `2h` or `1d`",
                found: value.to_owned(),
            },
        )
    })
}

pub(crate) fn parse_duration(text: &str) -> Option<Duration> {
    let unit_at = text.find(|character: char| !character.is_ascii_digit())?;
    let (number, unit) = text.split_at_checked(unit_at)?;
    let unit_ms = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60 * 1_000,
        "h" => 60 * 60 * 1_000,
        "d" => 24 * 60 * 60 * 1_000,
        _ => return None,
    };
    let ms = digits(number)?.checked_mul(unit_ms)?;
    Some(Duration::from_millis(ms))
}

/// A number of digits alone: no sign, no space.
pub(super) fn digits(text: &str) -> Option<u64> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| plain)
}
