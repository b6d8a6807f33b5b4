//! The one canonical form of every name: topics, users, roles.
//!
//! A name has one spelling or it is refused. Nothing here is repaired on the way in, because two
//! spellings that a proxy, a browser and the hub treat differently are how one tenant reads another's
//! events. Whoever accepts a name calls this once, at the edge.

use unicode_general_category::{GeneralCategory, get_general_category};
use unicode_normalization::{UnicodeNormalization, is_nfc};

/// Characters that mean something in topics, patterns or audience keys.
const MEANINGFUL: [char; 7] = ['/', '*', '@', '{', '}', '%', '\\'];

/// Why a name is not in canonical form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameFault {
    /// Nothing between the quotes.
    #[error("it is empty")]
    Empty,
    /// Longer than the limit.
    #[error("it has {actual} bytes where at most {max} are allowed")]
    TooLong {
        /// Bytes found.
        actual: usize,
        /// Bytes allowed.
        max: usize,
    },
    /// A control, format, separator, private-use or unassigned character.
    #[error("it contains the {kind} character U+{code:04X}")]
    Character {
        /// What sort of character it is.
        kind: &'static str,
        /// Its code point.
        code: u32,
    },
    /// Decomposed, or otherwise not in Unicode Normalization Form C.
    #[error("it is not in Unicode Normalization Form C")]
    NotNormalized,
    /// A look-alike of a character with a meaning, such as a full-width slash.
    #[error("it contains U+{code:04X}, a look-alike of `{means}`")]
    LookAlike {
        /// The look-alike.
        code: u32,
        /// What it would be read as.
        means: char,
    },
    /// `%2F` and the like: something upstream encoded twice or decoded too little.
    #[error("it contains the percent-encoded character `{0}`")]
    PercentEncoded(String),
}

/// Checks one name against the rules that all names share.
pub fn check(name: &str, bytes_max: usize) -> Result<(), NameFault> {
    if name.is_empty() {
        return Err(NameFault::Empty);
    }
    if name.len() > bytes_max {
        return Err(NameFault::TooLong {
            actual: name.len(),
            max: bytes_max,
        });
    }
    if let Some(encoded) = percent_encoded(name) {
        return Err(NameFault::PercentEncoded(encoded.to_owned()));
    }
    // ASCII is its own normal form and holds no format characters.
    if name.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        return Ok(());
    }
    for character in name.chars() {
        if let Some(kind) = forbidden(character) {
            return Err(NameFault::Character {
                kind,
                code: u32::from(character),
            });
        }
        if let Some(means) = look_alike(character) {
            return Err(NameFault::LookAlike {
                code: u32::from(character),
                means,
            });
        }
    }
    if is_nfc(name) {
        Ok(())
    } else {
        Err(NameFault::NotNormalized)
    }
}

/// The first `%XX` of a text, if there is one.
fn percent_encoded(name: &str) -> Option<&str> {
    name.match_indices('%').find_map(|(at, _)| {
        let candidate = name.get(at..at + 3)?;
        candidate
            .bytes()
            .skip(1)
            .all(|byte| byte.is_ascii_hexdigit())
            .then_some(candidate)
    })
}

fn forbidden(character: char) -> Option<&'static str> {
    match get_general_category(character) {
        GeneralCategory::Control => Some("control"),
        GeneralCategory::Format => Some("format"),
        GeneralCategory::LineSeparator | GeneralCategory::ParagraphSeparator => {
            Some("line separator")
        }
        GeneralCategory::PrivateUse => Some("private-use"),
        GeneralCategory::Unassigned => Some("unassigned"),
        _ => None,
    }
}

/// The meaningful character that a compatibility-normalising reader would see here.
fn look_alike(character: char) -> Option<char> {
    if character.is_ascii() {
        return None;
    }
    std::iter::once(character)
        .nfkc()
        .find(|seen| MEANINGFUL.contains(seen))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_names_pass_in_any_script() {
        for name in [
            "project",
            "проект",
            "プロジェクト",
            "مشروع",
            "naïve",
            "100%",
            "a;b",
            "a b.",
        ] {
            assert_eq!(check(name, 256), Ok(()), "{name}");
        }
    }

    #[test]
    fn a14_names_with_a_second_spelling_are_refused() {
        for name in [
            "a%2Fb",
            "a%252Fb",
            "nai\u{308}ve",
            "a\u{ff0f}b",
            "a\u{ff0a}",
            "a\u{202e}b",
        ] {
            assert!(check(name, 256).is_err(), "{name:?}");
        }
        for name in [
            "",
            "a\0",
            "a\n",
            "a\u{7f}",
            "\u{feff}a",
            "a\u{2028}",
            "a\u{200d}",
        ] {
            assert!(check(name, 256).is_err(), "{name:?}");
        }
        assert_eq!(
            check("aaaa", 3),
            Err(NameFault::TooLong { actual: 4, max: 3 })
        );
    }
}
