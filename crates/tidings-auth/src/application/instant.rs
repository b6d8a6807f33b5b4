//! Times as JavaScript writes them: `2026-12-21T18:00:00.000Z` (RFC 3339).

use tidings_core::time::Timestamp;

/// Reads a time since 1970. Whatever is not exactly one is none.
pub(super) fn parse(text: &str) -> Option<Timestamp> {
    let (date, rest) = text.split_once('T')?;
    let [year, month, day] = fields(date, '-', [4, 2, 2])?;
    let offset_at = rest.find(['Z', '+', '-'])?;
    let (time, offset) = rest.split_at(offset_at);
    let (time, fraction) = match time.split_once('.') {
        Some((time, fraction)) => (time, milliseconds(fraction)?),
        None => (time, 0),
    };
    let [hour, minute, second] = fields(time, ':', [2, 2, 2])?;
    let is_date = (1..=12).contains(&month) && (1..=days_of(month, year)).contains(&day);
    // A leap second counts as the last one before it.
    if !is_date || year < 1970 || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let seconds =
        (days_before(year, month, day) * 24 + hour) * 3_600 + minute * 60 + second.min(59);
    let seconds = seconds.checked_add_signed(-offset_seconds(offset)?)?;
    Some(Timestamp(seconds * 1_000 + fraction))
}

/// Numbers of exactly these widths between separators.
fn fields(text: &str, separator: char, widths: [usize; 3]) -> Option<[u64; 3]> {
    let mut parts = text.split(separator);
    let mut numbers = [0; 3];
    for (number, width) in numbers.iter_mut().zip(widths) {
        *number = digits(parts.next()?, width)?;
    }
    parts.next().is_none().then_some(numbers)
}

fn digits(text: &str, width: usize) -> Option<u64> {
    let is_number = text.len() == width && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_number)
}

/// The first three digits of a fraction of a second.
fn milliseconds(fraction: &str) -> Option<u64> {
    if !(1..=9).contains(&fraction.len()) || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    format!("{fraction:0<3}")[..3].parse().ok()
}

fn offset_seconds(offset: &str) -> Option<i64> {
    if offset == "Z" {
        return Some(0);
    }
    let sign = if offset.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = offset.get(1..)?.split_once(':')?;
    let (hours, minutes) = (digits(hours, 2)?, digits(minutes, 2)?);
    let is_offset = hours <= 23 && minutes <= 59;
    let seconds = (hours * 3_600 + minutes * 60).cast_signed();
    is_offset.then_some(sign * seconds)
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_of(month: u64, year: u64) -> u64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from the beginning of 1970.
fn days_before(year: u64, month: u64, day: u64) -> u64 {
    let before = year - 1;
    // Days from the beginning of the year 1 to that of 1970.
    let years = before * 365 + before / 4 - before / 100 + before / 400 - 719_162;
    let months: u64 = (1..month).map(|month| days_of(month, year)).sum();
    years + months + day - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_they_are_written() {
        for (text, ms) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1970-01-01T00:00:00.001Z", 1),
            ("2000-02-29T12:34:56.789Z", 951_827_696_789),
            ("2026-12-21T18:00:00.000Z", 1_797_876_000_000),
            ("2026-12-21T19:30:00+01:30", 1_797_876_000_000),
            ("2026-12-21T17:00:00-01:00", 1_797_876_000_000),
            ("2016-12-31T23:59:60Z", 1_483_228_799_000),
            ("2100-03-01T00:00:00.5Z", 4_107_542_400_500),
            ("9999-12-31T23:59:59.999999Z", 253_402_300_799_999),
        ] {
            assert_eq!(parse(text), Some(Timestamp(ms)), "{text}");
        }
    }

    #[test]
    fn what_is_not_exactly_a_time_is_none() {
        for text in [
            "",
            "2026",
            "2026-12-21",
            "2026-12-21T18:00:00",
            "2026-12-21 18:00:00Z",
            "2026-12-21T18:00Z",
            "26-12-21T18:00:00Z",
            "2026-13-21T18:00:00Z",
            "2026-00-21T18:00:00Z",
            "2026-02-29T18:00:00Z",
            "2100-02-29T00:00:00Z",
            "2026-04-31T00:00:00Z",
            "2026-12-00T00:00:00Z",
            "2026-12-21T24:00:00Z",
            "2026-12-21T18:60:00Z",
            "2026-12-21T18:00:61Z",
            "2026-12-21T18:00:00.Z",
            "2026-12-21T18:00:00.1234567890Z",
            "2026-12-21T18:00:00+1:00",
            "2026-12-21T18:00:00+24:00",
            "2026-12-21T18:00:00Zx",
            "1969-12-31T23:59:59Z",
            "1970-01-01T00:00:00+01:00",
            "+026-12-21T18:00:00Z",
            "2026-12-21T18:00:00z",
            "2026-12-21T18:00:00+ä:00",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
