//! The naive model: what a stream may say, word by word.

use tidings_core::event_type::TypeFilter;
use tidings_core::position::Offset;
use tidings_core::scope::Scope;

use super::log::Log;
use super::plain::Decoded;

/// What a reader asked for, and what follows from it.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) scope: Scope,
    pub(super) types: TypeFilter,
    pub(super) shape: u8,
    pub(super) start: Offset,
    /// The first word.
    pub(super) hello: String,
    /// A gap to be told at once.
    pub(super) gap: Option<String>,
    /// What a snapshot must hold, if there is one.
    pub(super) newest: Option<Vec<u64>>,
}

/// How far a stream has got.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Told {
    /// With what a reader would come back; none as long as it has no id.
    pub(super) id: Option<Offset>,
    /// Why the stream has ended, if it says so.
    pub(super) bye: Option<String>,
    /// Whether there is nothing that it has not told.
    pub(super) is_complete: bool,
}

/// Reads a stream and says where it has got, or what is wrong with it.
pub(super) fn follow(log: &Log, plan: &Plan, decoded: &Decoded) -> Result<Told, String> {
    let mut words = decoded
        .words
        .iter()
        .map(String::as_str)
        .filter(|word| *word != "reauth");
    let mut told = Told {
        id: None,
        bye: None,
        is_complete: false,
    };
    let Some(hello) = words.next() else {
        return Ok(told);
    };
    same(hello, &plan.hello)?;
    if let Some(gap) = &plan.gap {
        let Some(word) = words.next() else {
            return Ok(told);
        };
        same(word, gap)?;
    }
    if let Some(newest) = &plan.newest {
        let letter = char::from(b'a' + plan.shape);
        let offsets = newest.iter().map(|offset| format!("{letter}{offset}?"));
        for expected in offsets.chain([format!("ping@{}", plan.start)]) {
            let Some(word) = words.next() else {
                return Ok(told);
            };
            if let Some(code) = word.strip_prefix("bye@?:") {
                told.bye = Some(code.to_owned());
                return last(words.next(), told);
            }
            same(&without_zeros(word), &expected)?;
        }
    }
    let expected = log.expected(&plan.scope, &plan.types, plan.start);
    let mut through = plan.start.0;
    let next_after = |offset: u64| {
        let at = expected.partition_point(|known| *known <= offset);
        expected.get(at).copied().unwrap_or(u64::MAX)
    };
    for word in words.by_ref() {
        let (name, rest) = word.split_once('@').unwrap_or(("", word));
        let next = next_after(through);
        let mut numbers = rest.split(':').map_while(|part| part.parse::<u64>().ok());
        match (name, numbers.next(), numbers.next()) {
            ("gap", Some(from), Some(to)) => {
                if from < through || next <= from || to <= from || !log.removed.contains(&to) {
                    return Err(format!("`{word}` after {through}, where {next} is next"));
                }
                through = to;
            }
            ("ping" | "bye", Some(at), None) => {
                if at < through || next <= at || at > log.end().0 {
                    return Err(format!("`{word}` after {through}, where {next} is next"));
                }
                through = at;
                if name == "bye" {
                    told.bye = rest.split_once(':').map(|(_, code)| code.to_owned());
                    break;
                }
            }
            _ => {
                let letter = char::from(b'a' + plan.shape);
                same(&without_zeros(word), &format!("{letter}{next}"))?;
                through = next;
            }
        }
    }
    told.id = Some(Offset(through));
    told.is_complete = next_after(through) == u64::MAX;
    last(words.next(), told)
}

fn last(word: Option<&str>, told: Told) -> Result<Told, String> {
    word.map_or(Ok(told), |word| {
        Err(format!("`{word}` follows the last word"))
    })
}

fn same(found: &str, expected: &str) -> Result<(), String> {
    if found == expected {
        return Ok(());
    }
    Err(format!("`{found}` instead of `{expected}`"))
}

fn without_zeros(word: &str) -> String {
    let (letter, offset) = word.split_at(1);
    format!("{letter}{}", offset.trim_start_matches('0'))
}
