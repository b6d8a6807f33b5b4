//! Positions in the log, and their text form, the cursor.

use std::fmt;
use std::str::FromStr;

/// Number of an event in the log. The first event has offset 1; offsets rise strictly and need not
/// be dense for a reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Offset(pub u64);

impl Offset {
    /// Before every event.
    pub const ZERO: Self = Self(0);

    /// The offset after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The offset before this one, or zero.
    #[must_use]
    pub fn previous(self) -> Self {
        Self(self.0.saturating_sub(1))
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Random name of one opening of a log for writing: 50 bits, ten characters of text.
///
/// An offset alone would let a cursor of a lost or foreign history look valid; with the epoch it is
/// recognised.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(u64);

/// Digits of an epoch's text: no `i`, `l`, `o` or `u`, which people misread.
const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const EPOCH_CHARACTERS: usize = 10;
const EPOCH_BITS: u32 = 50;

impl Epoch {
    /// The epoch of these random bits, of which the low 50 count.
    pub fn from_bits(random: u64) -> Self {
        Self(random & ((1 << EPOCH_BITS) - 1))
    }

    /// The 50 bits.
    pub fn bits(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for index in (0..EPOCH_CHARACTERS as u32).rev() {
            let digit = (self.0 >> (index * 5)) & 31;
            let character = DIGITS.get(digit as usize).copied().unwrap_or(b'0');
            fmt::Write::write_char(f, char::from(character))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Epoch({self})")
    }
}

impl FromStr for Epoch {
    type Err = NotACursor;

    fn from_str(text: &str) -> Result<Self, NotACursor> {
        if text.len() != EPOCH_CHARACTERS {
            return Err(NotACursor);
        }
        text.bytes()
            .try_fold(0_u64, |bits, byte| {
                let digit = DIGITS.iter().position(|known| *known == byte)?;
                Some((bits << 5) | digit as u64)
            })
            .map(Self)
            .ok_or(NotACursor)
    }
}

/// A place in the log. As text it is a cursor, `1042-k3x9f2m4q7`, and means: every event up to here
/// has been considered for this reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Position {
    /// Which opening of which log.
    pub epoch: Epoch,
    /// Which event, or zero for the place before all of them.
    pub offset: Offset,
}

/// The text is not a cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is not a cursor such as `1042-k3x9f2m4q7`")]
pub struct NotACursor;

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.offset, self.epoch)
    }
}

impl FromStr for Position {
    type Err = NotACursor;

    fn from_str(text: &str) -> Result<Self, NotACursor> {
        let (offset, epoch) = text.split_once('-').ok_or(NotACursor)?;
        // One text per position: `+7`, `007` and the like are refused.
        let canonical = offset.bytes().all(|byte| byte.is_ascii_digit())
            && (offset == "0" || !offset.starts_with('0'));
        if !canonical {
            return Err(NotACursor);
        }
        let offset = offset.parse().map(Offset).map_err(|_| NotACursor)?;
        Ok(Self {
            epoch: epoch.parse()?,
            offset,
        })
    }
}

/// Whether a text has the shape of a cursor, of this form or of a later one (a leading letter).
/// Publishers' ids may not, so that an id and a cursor are never confused.
pub fn is_cursor_shaped(text: &str) -> bool {
    let unlettered = text
        .strip_prefix(|first: char| first.is_ascii_lowercase())
        .unwrap_or(text);
    unlettered.split_once('-').is_some_and(|(offset, epoch)| {
        !offset.is_empty()
            && offset.bytes().all(|byte| byte.is_ascii_digit())
            && epoch.parse::<Epoch>().is_ok()
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_cursor_survives_its_text(bits in any::<u64>(), offset in any::<u64>()) {
            let position = Position { epoch: Epoch::from_bits(bits), offset: Offset(offset) };
            let text = position.to_string();
            prop_assert_eq!(text.parse(), Ok(position));
            prop_assert!(is_cursor_shaped(&text));
            prop_assert!(text.len() <= crate::limits::EVENT_ID_BYTES_MAX);
        }

        #[test]
        fn n13_no_text_panics_and_none_has_two_spellings(text in "\\PC{0,40}") {
            if let Ok(position) = text.parse::<Position>() {
                prop_assert_eq!(position.to_string(), text);
            }
        }
    }

    #[test]
    fn n13_near_cursors_are_not_cursors() {
        for bad in [
            "",
            "-",
            "1-",
            "-k3x9f2m4q7",
            "+1-k3x9f2m4q7",
            "01-k3x9f2m4q7",
            "1-K3X9F2M4Q7",
            "1-k3x9f2",
            "99999999999999999999999-k3x9f2m4q7",
            "1-k3x9f2m4q7 ",
            "-1-k3x9f2m4q7",
        ] {
            assert_eq!(bad.parse::<Position>(), Err(NotACursor), "{bad}");
        }
    }
}
