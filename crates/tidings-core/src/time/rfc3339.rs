//! Times as texts, by RFC 3339, the profile of ISO 8601 that the internet uses, to milliseconds.

use std::fmt;

use super::Timestamp;

const DAY_MS: u64 = 86_400_000;

/// Days of a 400-year cycle of the calendar.
const CYCLE_DAYS: u64 = 146_097;

/// From the 1st of March of the year 0 to 1970: counted from March, leap days come last in a year.
const DAYS_BEFORE_1970: i64 = 719_468;

/// The last millisecond that has a text: that of the year 9999.
const LAST_MS: u64 = 253_402_300_799_999;

/// Reads a date and time with its offset, such as `2026-11-21T12:00:00.5+01:00`, as Unix milliseconds.
/// Fractions are cut; a leap second is the second before it. Negative before 1970.
pub fn parse_rfc3339(text: &str) -> Option<i64> {
    let (date, time) = split_date(text)?;
    let mut rest = time.strip_prefix(['T', 't', ' '])?;
    let hour = number(&mut rest, 2, 0..=23)?;
    rest = rest.strip_prefix(':')?;
    let minute = number(&mut rest, 2, 0..=59)?;
    rest = rest.strip_prefix(':')?;
    // A leap second has no Unix time of its own.
    let second = number(&mut rest, 2, 0..=60)?.min(59);
    let ms = match rest.strip_prefix('.') {
        Some(fraction) => {
            let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
            let (digits, after) = fraction.split_at(digits);
            rest = after;
            milliseconds(digits)?
        }
        None => 0,
    };
    let offset_minutes = offset(rest)?;
    let minutes = date * 24 * 60 + hour * 60 + minute - offset_minutes;
    Some((minutes * 60 + second) * 1_000 + ms)
}

/// Reads a date alone, such as `2026-11-21`, as the Unix milliseconds of its beginning in UTC.
pub fn parse_date(text: &str) -> Option<i64> {
    let (days, rest) = split_date(text)?;
    rest.is_empty().then_some(days * 24 * 60 * 60 * 1_000)
}

/// Shows a time as programs read it: `2026-11-21T12:00:00.123Z`. What lies beyond the year 9999 is shown
/// as its last moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rfc3339(pub Timestamp);

impl fmt::Display for Rfc3339 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Timestamp(ms) = self.0.min(Timestamp(LAST_MS));
        let (year, month, day) = date(ms / DAY_MS);
        let (seconds, ms) = (ms % DAY_MS / 1_000, ms % 1_000);
        let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}Z"
        )
    }
}

/// Year, month and day of a day since 1970.
fn date(day: u64) -> (u64, u64, u64) {
    let day = day + DAYS_BEFORE_1970.unsigned_abs();
    let (cycle, day) = (day / CYCLE_DAYS, day % CYCLE_DAYS);
    let leap_days = |day: u64| day / 1_460 + day / 146_096 - day / 36_524;
    let year = (day - leap_days(day)) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    // Months from March on have 153 days in every five of them.
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    (cycle * 400 + year + next, month, day)
}

/// Days since 1970-01-01, and what follows the date.
fn split_date(text: &str) -> Option<(i64, &str)> {
    let mut rest = text;
    let year = number(&mut rest, 4, 0..=9999)?;
    rest = rest.strip_prefix('-')?;
    let month = number(&mut rest, 2, 1..=12)?;
    rest = rest.strip_prefix('-')?;
    let day = number(&mut rest, 2, 1..=days_of(year, month))?;
    Some((days_since_1970(year, month, day), rest))
}

/// Takes exactly `digits` digits whose number lies in the range.
fn number(rest: &mut &str, digits: usize, range: std::ops::RangeInclusive<i64>) -> Option<i64> {
    let (head, tail) = rest.split_at_checked(digits)?;
    *rest = tail;
    let all_digits = head.bytes().all(|byte| byte.is_ascii_digit());
    let value = head.parse().ok().filter(|_| all_digits)?;
    range.contains(&value).then_some(value)
}

/// The first three digits of a fraction of a second, which has at least one.
fn milliseconds(digits: &str) -> Option<i64> {
    if digits.is_empty() {
        return None;
    }
    let kept = digits.bytes().chain(*b"00").take(3);
    Some(kept.fold(0, |ms, digit| ms * 10 + i64::from(digit - b'0')))
}

/// Minutes east of UTC.
fn offset(text: &str) -> Option<i64> {
    if text == "Z" || text == "z" {
        return Some(0);
    }
    let (sign, mut rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let hours = number(&mut rest, 2, 0..=23)?;
    rest = rest.strip_prefix(':')?;
    let minutes = number(&mut rest, 2, 0..=59)?;
    rest.is_empty().then_some(sign * (hours * 60 + minutes))
}

fn days_of(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Counts in years that begin in March, so that the leap day is the last one.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let years = if month <= 2 { year - 1 } else { year };
    let months = (month + 9) % 12;
    let leap_days = years.div_euclid(4) - years.div_euclid(100) + years.div_euclid(400);
    // 153 days in each five months from March on.
    years * 365 + leap_days + (153 * months + 2) / 5 + day - 1 - DAYS_BEFORE_1970
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_times_are_read() {
        let cases = [
            ("1970-01-01T00:00:00Z", 0),
            ("1970-01-01T00:00:00.001Z", 1),
            ("1969-12-31T23:59:59.999Z", -1),
            ("2000-02-29T12:30:45.5+02:00", 951_820_245_500),
            ("2026-11-21T12:00:00Z", 1_795_262_400_000),
            ("2026-11-21 12:00:00Z", 1_795_262_400_000),
            ("2026-11-21t12:00:00.123456789z", 1_795_262_400_123),
            ("2016-12-31T23:59:60Z", 1_483_228_799_000),
            ("0000-01-01T00:00:00Z", -62_167_219_200_000),
            ("9999-12-31T23:59:59.999-23:59", 253_402_387_139_999),
        ];
        for (text, ms) in cases {
            assert_eq!(parse_rfc3339(text), Some(ms), "{text}");
        }
        assert_eq!(parse_date("2026-11-21"), Some(1_795_219_200_000));
    }

    #[test]
    fn what_is_not_exactly_a_time_is_refused() {
        for bad in [
            "",
            "2026",
            "2026-11-21",
            "2026-11-21T12:00:00",
            "2026-11-21T12:00Z",
            "2026-11-21_12:00:00Z",
            "26-12-21T18:00:00Z",
            "2026-02-29T00:00:00Z",
            "1900-02-29T00:00:00Z",
            "2026-04-31T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "2026-01-00T00:00:00Z",
            "2026-11-21T24:00:00Z",
            "2026-11-21T12:60:00Z",
            "2026-11-21T12:00:61Z",
            "2026-11-21T12:00:00.Z",
            "2026-11-21T12:00:00+1:00",
            "2026-11-21T12:00:00+24:00",
            "2026-11-21T12:00:00+01:00x",
            "+026-11-21T12:00:00Z",
            "2026-11-21T12:00:00 01:00",
            "２026-11-21T12:00:00Z",
        ] {
            assert_eq!(parse_rfc3339(bad), None, "{bad}");
        }
        for bad in ["", "2026-11", "2026-02-29", "2026-11-21T", "2026-11-21 "] {
            assert_eq!(parse_date(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_no_calendar_has_is_shown_as_its_last_moment() {
        let shown = Rfc3339(Timestamp(u64::MAX)).to_string();
        assert_eq!(shown, "9999-12-31T23:59:59.999Z");
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_again(ms in 0..253_402_300_800_000_u64) {
            let shown = Rfc3339(Timestamp(ms)).to_string();
            prop_assert_eq!(parse_rfc3339(&shown), Some(ms.cast_signed()));
            prop_assert_eq!(shown.len(), "2026-11-21T12:00:00.123Z".len());
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,40}") {
            let _ = (parse_rfc3339(&text), parse_date(&text));
        }
    }

    #[test]
    fn times_are_shown_as_the_calendar_has_them() {
        for (seconds, shown) in [
            (0, "1970-01-01T00:00:00.007Z"),
            (951_782_399, "2000-02-28T23:59:59.007Z"),
            (951_782_400, "2000-02-29T00:00:00.007Z"),
            (951_868_800, "2000-03-01T00:00:00.007Z"),
            (1_709_164_800, "2024-02-29T00:00:00.007Z"),
            (1_767_225_599, "2025-12-31T23:59:59.007Z"),
            (4_107_542_400, "2100-03-01T00:00:00.007Z"),
        ] {
            let time = Timestamp(seconds * 1_000 + 7);
            assert_eq!(Rfc3339(time).to_string(), shown);
        }
    }

    proptest! {
        #[test]
        fn days_are_counted_one_by_one(days in -719_528_i64..2_932_896) {
            // Walks from the day to the next one by the calendar, and compares with the count.
            let (year, month, day) = civil(days);
            prop_assert_eq!(days_since_1970(year, month, day), days);
            prop_assert!(day <= days_of(year, month));
            let text = format!("{year:04}-{month:02}-{day:02}T00:00:00Z");
            prop_assert_eq!(parse_rfc3339(&text), Some(days * 86_400_000));
        }
    }

    /// The calendar by the slow way: whole years, then whole months.
    fn civil(days: i64) -> (i64, i64, i64) {
        let (mut year, mut left) = (0, days + 719_528);
        loop {
            let length = (1..=12).map(|month| days_of(year, month)).sum::<i64>();
            if left < length {
                break;
            }
            left -= length;
            year += 1;
        }
        let mut month = 1;
        while left >= days_of(year, month) {
            left -= days_of(year, month);
            month += 1;
        }
        (year, month, left + 1)
    }
}
