//! The naive model: what a stream may say, word by word.

use tidings_core::event_type::TypeFilter;
use tidings_core::position::Offset;
use tidings_core::scope::Scope;

use super::log::Log;
use super::plain::Decoded;

/// What a reader reads after an offset.
#[derive(Debug, Clone)]
pub(super) struct Phase {
    pub(super) after: Offset,
    pub(super) scope: Scope,
    pub(super) types: TypeFilter,
}

/// What a reader asked for, and what follows from it.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    /// One, and another for each time that it was changed.
    pub(super) phases: Vec<Phase>,
    pub(super) shape: u8,
    pub(super) start: Offset,
    /// The first word.
    pub(super) hello: String,
    /// A gap to be told at once.
    pub(super) gap: Option<String>,
    /// Whether it begins with a snapshot.
    pub(super) has_snapshot: bool,
}

impl Plan {
    /// What it reads now.
    pub(super) fn now(&self) -> &Phase {
        self.phases.last().expect("it reads something")
    }

    /// Which events it is to get after its start.
    fn expected(&self, log: &Log) -> Vec<u64> {
        let ends = self.phases.iter().skip(1).map(|phase| phase.after.0);
        let phases = self.phases.iter().zip(ends.chain([u64::MAX]));
        phases
            .flat_map(|(phase, end)| {
                let after = phase.after.max(self.start);
                let expected = log.expected(&phase.scope, &phase.types, after);
                expected
                    .into_iter()
                    .take_while(move |offset| *offset <= end)
            })
            .collect()
    }

    /// What its snapshot would hold, by what it read at each time.
    fn newest(&self, log: &Log) -> Vec<Vec<u64>> {
        let newest = |phase: &Phase| log.newest(&phase.scope, &phase.types, self.start);
        self.phases.iter().map(newest).collect()
    }
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
    if plan.has_snapshot {
        let letter = char::from(b'a' + plan.shape);
        let newest = plan.newest(log);
        // A change takes hold between two of its events.
        let (mut phase, mut through) = (0, 0);
        loop {
            let Some(word) = words.next() else {
                return Ok(told);
            };
            if let Some(code) = word.strip_prefix("bye@?:") {
                told.bye = Some(code.to_owned());
                return last(words.next(), told);
            }
            let word = without_zeros(word);
            let live = format!("ping@{}", plan.start);
            let follows = |known: &Vec<u64>| {
                let next = known.iter().find(|offset| **offset > through).copied();
                let event = next.map(|offset| format!("{letter}{offset}?"));
                (event.as_ref().unwrap_or(&live) == &word).then_some(next)
            };
            let found = newest.iter().enumerate().skip(phase);
            let mut found = found.filter_map(|(at, known)| Some((at, follows(known)?)));
            match found.next() {
                Some((at, Some(next))) => (phase, through) = (at, next),
                Some((_, None)) => break,
                None => return Err(format!("`{word}` after {through} of {newest:?}")),
            }
        }
    }
    let expected = plan.expected(log);
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
