//! Refused text as error messages repeat it: short, and without characters that act.

use crate::limits::SHOWN_CHARACTERS_MAX;

/// The text between backticks, escaped and cut to a length that fits a message.
pub(crate) fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len().min(SHOWN_CHARACTERS_MAX) + 2);
    shown.push('`');
    for (index, character) in text.chars().enumerate() {
        if index == SHOWN_CHARACTERS_MAX {
            shown.push('…');
            break;
        }
        shown.extend(character.escape_debug());
    }
    shown.push('`');
    shown
}

/// The known word that a mistyped one most likely means, if any is close.
pub(crate) fn nearest<'a>(mistyped: &str, known: &[&'a str]) -> Option<&'a str> {
    if mistyped.len() > SHOWN_CHARACTERS_MAX {
        return None;
    }
    let lower = mistyped.to_ascii_lowercase();
    known
        .iter()
        .map(|word| {
            let distance = strsim::damerau_levenshtein(&lower, &word.to_ascii_lowercase());
            (distance, *word)
        })
        .filter(|(distance, word)| *distance <= 1 + word.len() / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refused_text_is_cut_and_escaped() {
        assert_eq!(shown("a\n\u{202e}b"), "`a\\n\\u{202e}b`");
        let long = shown(&"é".repeat(SHOWN_CHARACTERS_MAX + 1));
        assert_eq!(long.chars().count(), SHOWN_CHARACTERS_MAX + 3);
        assert!(long.ends_with("…`"), "{long}");
    }

    #[test]
    fn the_nearest_word_is_close_or_none() {
        let known = ["topics", "type", "users"];
        assert_eq!(nearest("topic", &known), Some("topics"));
        assert_eq!(nearest("Topics", &known), Some("topics"));
        assert_eq!(nearest("typ", &known), Some("type"));
        assert_eq!(nearest("banana", &known), None);
        assert_eq!(nearest(&"t".repeat(100_000), &known), None);
    }
}
