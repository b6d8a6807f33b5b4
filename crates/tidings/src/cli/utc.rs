//! Times for people: `2026-11-21 18:40:05Z`.

use std::fmt;

use tidings_core::time::Timestamp;

const DAY_MS: u64 = 86_400_000;

/// Days of a 400-year cycle of the calendar.
const CYCLE_DAYS: u64 = 146_097;

/// From the 1st of March of the year 0 to 1970: counted from March, leap days come last in a year.
const DAYS_BEFORE_1970: u64 = 719_468;

/// Shows a time in UTC, to the second.
pub(super) struct Utc(pub(super) Timestamp);

impl fmt::Display for Utc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Timestamp(ms) = self.0;
        let (year, month, day) = date(ms / DAY_MS);
        let seconds = ms % DAY_MS / 1_000;
        let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
        write!(
            f,
            "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}Z"
        )
    }
}

/// Year, month and day of a day since 1970.
fn date(day: u64) -> (u64, u64, u64) {
    let day = day + DAYS_BEFORE_1970;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_as_the_calendar_has_them() {
        for (seconds, shown) in [
            (0, "1970-01-01 00:00:00Z"),
            (951_782_399, "2000-02-28 23:59:59Z"),
            (951_782_400, "2000-02-29 00:00:00Z"),
            (951_868_800, "2000-03-01 00:00:00Z"),
            (1_709_164_800, "2024-02-29 00:00:00Z"),
            (1_767_225_599, "2025-12-31 23:59:59Z"),
            (4_107_542_400, "2100-03-01 00:00:00Z"),
            (253_402_300_799, "9999-12-31 23:59:59Z"),
        ] {
            assert_eq!(Utc(Timestamp(seconds * 1_000 + 999)).to_string(), shown);
        }
    }
}
