//! Sizes as people write them: `256KiB`, `64MiB`, or a plain number of bytes.

use super::value::{Raw, Value, quoted};

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

/// Units with their bytes, the largest first.
const UNITS: [(&str, u64); 5] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("B", 1),
];

impl Size {
    /// The size that a text says, if it is one.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, unit) = text.split_at(digits);
        let factor = match unit {
            "" => 1,
            _ => UNITS.iter().find(|(name, _)| *name == unit)?.1,
        };
        number.parse::<u64>().ok()?.checked_mul(factor).map(Self)
    }
}

impl std::fmt::Display for Size {
    /// The size in the largest unit that shows it exactly.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let exact = UNITS
            .iter()
            .find(|(_, factor)| self.0 >= *factor && self.0.is_multiple_of(*factor));
        match exact {
            Some((unit, factor)) => write!(f, "{}{unit}", self.0 / factor),
            None => f.write_str("0B"),
        }
    }
}

impl Value for Size {
    const EXPECTED: &'static str = "a size such as `256KiB`, `64MiB` or `10GiB`";

    fn read(raw: &Raw) -> Option<Self> {
        match raw {
            Raw::Text(text) => Self::parse(text),
            Raw::Integer(number) => u64::try_from(*number).ok().map(Self),
            _ => None,
        }
    }

    fn show(&self) -> String {
        quoted(&self.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_survive_their_text() {
        for text in ["1B", "1023B", "256KiB", "64MiB", "10GiB", "2TiB", "0B"] {
            assert_eq!(Size::parse(text).expect(text).to_string(), text);
        }
        assert_eq!(Size::parse("1024"), Size::parse("1KiB"));
    }

    #[test]
    fn other_texts_are_no_sizes() {
        for text in [
            "",
            "MiB",
            "-1B",
            "1.5MiB",
            "64MB",
            "64mib",
            "64 MiB",
            "99999999TiB",
        ] {
            assert_eq!(Size::parse(text), None, "{text}");
        }
    }
}
