//! Durations as people write them: `500ms`, `15s`, `10m`, `24h`, `7d`.

use std::time::Duration;

use super::value::{Raw, Value, quoted};

/// Units with their milliseconds, the largest first.
const UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// The duration that a text says, if it is one.
pub(super) fn parse(text: &str) -> Option<Duration> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit)?;
    let ms = number.parse::<u64>().ok()?.checked_mul(*factor)?;
    Some(Duration::from_millis(ms))
}

/// The duration in the largest unit that shows it exactly.
pub(super) fn show(duration: Duration) -> String {
    let ms = duration.as_millis() as u64;
    let exact = UNITS
        .iter()
        .find(|(_, factor)| ms >= *factor && ms.is_multiple_of(*factor));
    exact.map_or_else(
        || "0s".to_owned(),
        |(unit, factor)| format!("{}{unit}", ms / factor),
    )
}

impl Value for Duration {
    const EXPECTED: &'static str = "a duration such as `500ms`, `15s`, `10m`, `24h` or `7d`";

    fn read(raw: &Raw) -> Option<Self> {
        match raw {
            Raw::Text(text) => parse(text),
            _ => None,
        }
    }

    fn show(&self) -> String {
        quoted(&show(*self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_survive_their_text() {
        for text in ["500ms", "15s", "10m", "23h", "7d", "90s", "0s"] {
            assert_eq!(show(parse(text).expect(text)), text);
        }
        assert_eq!(parse("60s"), parse("1m"));
    }

    #[test]
    fn other_texts_are_no_durations() {
        let bad = [
            "",
            "s",
            "10",
            "-1s",
            "+1s",
            "1.5h",
            "10 m",
            "10M",
            "1h30m",
            "99999999999999999999d",
            "18446744073709551615d",
        ];
        for text in bad {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
