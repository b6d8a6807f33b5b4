//! Requests over HTTP/1 that are malformed, or that two readers may understand in two ways (N8).
//!
//! [`corpus`] has the known ones by name; [`Grammar`] makes as many others as are wanted, the same for
//! the same seed. Each case says how many requests its sender has made. A hub that answers more than
//! that has taken something for a request that was none: it and a proxy in front of it would go apart.

mod corpus;
mod grammar;

use crate::random::Random;

pub use corpus::corpus;

/// Whoever reads this topic must never read anything.
pub const SMUGGLED_TOPIC: &str = "smuggled";

/// What one connection is sent.
#[derive(Debug, Clone)]
pub struct Case {
    /// What is wrong with it.
    pub name: String,
    /// All of it, with a request at the end that asks for the connection to be closed.
    pub bytes: Vec<u8>,
    /// How many requests that is; more answers than this are a desync.
    pub requests: usize,
}

/// Makes cases.
#[derive(Debug)]
pub struct Grammar {
    random: Random,
    made: u64,
}

impl Grammar {
    /// The cases of a seed.
    pub fn new(seed: u64) -> Self {
        Self {
            random: Random::new(seed),
            made: 0,
        }
    }
}

impl Iterator for Grammar {
    type Item = Case;

    fn next(&mut self) -> Option<Case> {
        self.made += 1;
        let bytes = grammar::request(&mut self.random);
        Some(Case::of(format!("case {}", self.made), bytes))
    }
}

impl Case {
    /// One request, and a good one behind it.
    fn of(name: impl Into<String>, mut bytes: Vec<u8>) -> Self {
        bytes.extend_from_slice(LAST);
        Self {
            name: name.into(),
            bytes,
            requests: 2,
        }
    }
}

/// A good request that ends the connection.
const LAST: &[u8] = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

/// A publish that nobody has asked for: it stands in a body, or behind one.
fn smuggled() -> Vec<u8> {
    let event = format!(r#"{{"type":"t","topics":["{SMUGGLED_TOPIC}"]}}"#);
    let length = event.len();
    format!(
        "POST /v1/events?userId=smuggler HTTP/1.1\r\nhost: localhost\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n{event}"
    )
    .into_bytes()
}

/// How many answers there are among these bytes, interim ones (RFC 9110, section 15.2) not counted.
pub fn answers(bytes: &[u8]) -> Vec<u16> {
    let mut statuses = Vec::new();
    for begin in memchr::memmem::find_iter(bytes, b"HTTP/1.") {
        // `HTTP/1.1 200 `: words of a hub about the version have no status behind it.
        let Some([_, b' ', status @ .., b' ']) = bytes.get(begin + 7..begin + 13) else {
            continue;
        };
        let status = str::from_utf8(status)
            .ok()
            .and_then(|text| text.parse().ok());
        statuses.extend(status.filter(|status: &u16| *status >= 200));
    }
    statuses
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_its_cases_again_and_they_differ() {
        let cases = |seed| -> Vec<Vec<u8>> {
            let cases = Grammar::new(seed).take(200);
            cases.map(|case| case.bytes).collect()
        };
        let mut made = cases(7);
        assert_eq!(made, cases(7));
        made.sort();
        made.dedup();
        assert!(made.len() > 150, "{}", made.len());
    }

    #[test]
    fn answers_are_counted_and_words_about_them_are_not() {
        let bytes = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\nuse `HTTP/1.1` or \
                      HTTP/1.0HTTP/1.0 404 Not Found\r\n";
        assert_eq!(answers(bytes), [200, 404]);
        assert_eq!(answers(b"HTTP/1.1 20"), [0; 0]);
    }

    #[test]
    fn every_known_case_has_a_name_of_its_own() {
        let mut names: Vec<String> = corpus().into_iter().map(|case| case.name).collect();
        let all = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), all);
        assert!(all > 40, "{all}");
    }
}
