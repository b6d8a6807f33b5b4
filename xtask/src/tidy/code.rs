//! Lines of source with code, comments and literals told apart, so that a rule about code does not
//! stumble over a comment that names what it bans.
//!
//! It is not a parser: it knows comments, strings and character literals, and nothing else.

/// What a file is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    /// Rust.
    Rust,
    /// TypeScript or JavaScript.
    TypeScript,
}

/// One line of source.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    /// The line as written.
    pub(crate) raw: String,
    /// Its code: comments are gone, literals are empty.
    pub(crate) code: String,
    /// Its comments.
    pub(crate) comment: String,
}

enum State {
    Code,
    LineComment,
    BlockComment { depth: usize },
    Text { end: char },
    RawText { hashes: usize },
}

/// The lines of a text.
pub(crate) fn lines(text: &str, language: Language) -> Vec<Line> {
    let mut state = State::Code;
    text.lines()
        .map(|raw| {
            let mut line = Line {
                raw: raw.to_owned(),
                ..Line::default()
            };
            let characters: Vec<char> = raw.chars().collect();
            let mut rest = characters.as_slice();
            while !rest.is_empty() {
                let eaten = step(&mut state, rest, language, &mut line);
                rest = rest.get(eaten..).unwrap_or_default();
            }
            if matches!(state, State::LineComment) {
                state = State::Code;
            }
            line
        })
        .collect()
}

/// Consumes the next token of a line, and says how many characters it had.
fn step(state: &mut State, rest: &[char], language: Language, line: &mut Line) -> usize {
    match state {
        State::Code => return step_code(state, rest, language, line),
        State::LineComment => line.comment.extend(rest.first()),
        State::BlockComment { depth } => match rest {
            ['*', '/', ..] => {
                *depth -= 1;
                if *depth == 0 {
                    *state = State::Code;
                }
                return 2;
            }
            // Only Rust nests block comments.
            ['/', '*', ..] if language == Language::Rust => {
                *depth += 1;
                return 2;
            }
            _ => line.comment.extend(rest.first()),
        },
        State::Text { end } => match rest {
            ['\\', ..] => return 2,
            [character, ..] if character == end => {
                line.code.push(*end);
                *state = State::Code;
            }
            _ => {}
        },
        State::RawText { hashes } => {
            let length = *hashes + 1;
            let closes = rest.len() >= length
                && rest.first() == Some(&'"')
                && rest
                    .iter()
                    .skip(1)
                    .take(*hashes)
                    .all(|character| *character == '#');
            if closes {
                line.code.push('"');
                *state = State::Code;
                return length;
            }
        }
    }
    1
}

fn step_code(state: &mut State, rest: &[char], language: Language, line: &mut Line) -> usize {
    match rest {
        ['/', '/', ..] => {
            *state = State::LineComment;
            return 2;
        }
        ['/', '*', ..] => {
            *state = State::BlockComment { depth: 1 };
            return 2;
        }
        ['r', tail @ ..] if language == Language::Rust && !ends_in_word(&line.code) => {
            let hashes = tail
                .iter()
                .take_while(|character| **character == '#')
                .count();
            if tail.get(hashes) == Some(&'"') {
                line.code.push('"');
                *state = State::RawText { hashes };
                return hashes + 2;
            }
            line.code.push('r');
        }
        ['\'', tail @ ..] if language == Language::Rust => return step_quote(tail, line),
        [end @ ('"' | '\'' | '`'), ..] if language == Language::TypeScript || *end == '"' => {
            line.code.push(*end);
            *state = State::Text { end: *end };
        }
        _ => line.code.extend(rest.first()),
    }
    1
}

/// A quote in Rust opens a character literal or a lifetime.
fn step_quote(tail: &[char], line: &mut Line) -> usize {
    let literal = match tail {
        ['\\', ..] => tail
            .iter()
            .skip(2)
            .position(|character| *character == '\'')
            .map(|at| at + 4),
        [_, '\'', ..] => Some(3),
        _ => None,
    };
    line.code
        .push_str(if literal.is_some() { "''" } else { "'" });
    literal.unwrap_or(1)
}

/// Whether the code so far ends inside a word other than the `b` of a byte string.
fn ends_in_word(code: &str) -> bool {
    let mut backwards = code.chars().rev();
    let in_word =
        |character: Option<char>| character.is_some_and(|c| c.is_alphanumeric() || c == '_');
    match backwards.next() {
        Some('b') => in_word(backwards.next()),
        last => in_word(last),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code_of(text: &str) -> Vec<String> {
        lines(text, Language::Rust)
            .into_iter()
            .map(|line| line.code)
            .collect()
    }

    #[test]
    fn comments_and_literals_are_no_code() {
        let text = r##"let a = "sl//eep"; // nap
let b = r#"a "quoted" /* word"#; /* one
two */ let c = 'x'; let d: &'static str = br"z"; let e = '\''; f();"##;
        assert_eq!(
            code_of(text),
            [
                r#"let a = ""; "#,
                r#"let b = ""; "#,
                r#" let c = ''; let d: &'static str = b""; let e = ''; f();"#,
            ]
        );
    }

    #[test]
    fn text_may_run_over_several_lines() {
        assert_eq!(
            code_of("let a = \"one\ntwo \\\" // no\nthree\"; end()"),
            ["let a = \"", "", "\"; end()"]
        );
    }

    #[test]
    fn a_comment_is_kept_apart() {
        let found = lines("x(); // why so", Language::TypeScript);
        assert_eq!(
            found.first().map(|line| line.comment.as_str()),
            Some(" why so")
        );
    }
}
