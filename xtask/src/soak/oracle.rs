//! What must hold for every reader: each event of its topics between its first cursor and its last one, once,
//! unaltered, in the order of the log.
//!
//! Publishers say what was answered to them, readers what they are shown. Neither is kept for ever: what
//! every publisher and a reader have passed is compared, and forgotten.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;

/// An event, as its publisher names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Event {
    /// Who published it.
    pub(super) publisher: usize,
    /// Its number there: rising with its offset.
    pub(super) number: u64,
}

/// A set of topics by their numbers, which are below 64.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Topics(pub(super) u64);

/// What must not be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fault {
    /// An event that a reader was to be shown and was not.
    Lost,
    /// An event that a reader was shown a second time.
    Repeated,
    /// An event that a reader was shown after a later one.
    OutOfOrder,
    /// Something that a reader was shown and nobody has published there, or not for it.
    Foreign,
    /// A cursor before the last one.
    Backwards,
    /// Events of one publisher whose offsets do not rise with their numbers.
    Misplaced,
    /// A reader that was told of a gap, though nothing was removed.
    Gap,
    /// A reader that has not reached the end.
    Unfinished,
}

/// Faults that are described; the first ones tell.
const DESCRIBED_MAX: usize = 20;

/// Everything that was said and not compared yet.
#[derive(Debug)]
pub(super) struct Oracle {
    /// What was answered at each offset.
    published: BTreeMap<u64, (Event, Topics)>,
    /// Of each publisher the newest offset and number.
    newest: Vec<Option<(u64, u64)>>,
    readers: Vec<Option<Track>>,
    counts: BTreeMap<Fault, u64>,
    described: Vec<String>,
    compared: u64,
}

/// One reader's way.
#[derive(Debug)]
struct Track {
    topics: Topics,
    /// Through here everything was compared.
    compared: u64,
    /// Through here the reader was told everything, as it was told.
    told: u64,
    /// What it was shown after what was compared, in the order of offsets.
    shown: VecDeque<(u64, Event)>,
}

impl Oracle {
    /// Nothing was said yet by so many publishers and readers.
    pub(super) fn new(publishers: usize, readers: usize) -> Self {
        Self {
            published: BTreeMap::new(),
            newest: vec![None; publishers],
            readers: (0..readers).map(|_| None).collect(),
            counts: BTreeMap::new(),
            described: Vec::new(),
            compared: 0,
        }
    }

    /// A publisher was answered where its event is. It publishes the next one only after that.
    pub(super) fn published(&mut self, offset: u64, event: Event, topics: Topics) {
        let newest = self.newest[event.publisher];
        if newest.is_some_and(|(at, number)| offset <= at || event.number <= number) {
            self.fault(
                Fault::Misplaced,
                format_args!("{event} at {offset}, after {newest:?}"),
            );
        }
        self.newest[event.publisher] = Some((offset, event.number));
        self.published.insert(offset, (event, topics));
    }

    /// A reader of these topics begins behind this offset.
    pub(super) fn begin(&mut self, reader: usize, topics: Topics, offset: u64) {
        self.readers[reader] = Some(Track {
            topics,
            compared: offset,
            told: offset,
            shown: VecDeque::new(),
        });
    }

    /// A reader was shown an event.
    pub(super) fn shown(&mut self, reader: usize, offset: u64, event: Event) {
        let Some(track) = &mut self.readers[reader] else {
            return self.fault(
                Fault::Foreign,
                format_args!("reader {reader}: {event} before its beginning"),
            );
        };
        let last = track.shown.back().map_or(track.compared, |(last, _)| *last);
        if offset > last {
            track.shown.push_back((offset, event));
            return;
        }
        let place = track.shown.partition_point(|(at, _)| *at < offset);
        let is_there = track.shown.get(place).is_some_and(|(at, _)| *at == offset);
        if offset <= track.compared || is_there {
            self.fault(
                Fault::Repeated,
                format_args!("reader {reader}: {event} at {offset}"),
            );
        } else {
            // Late, and not lost besides.
            track.shown.insert(place, (offset, event));
            self.fault(
                Fault::OutOfOrder,
                format_args!("reader {reader}: {event} at {offset} after {last}"),
            );
        }
    }

    /// A reader was told a cursor: everything up to it has been considered.
    pub(super) fn told(&mut self, reader: usize, offset: u64) {
        let Some(track) = &mut self.readers[reader] else {
            return;
        };
        let before = track.told;
        track.told = before.max(offset);
        if offset < before {
            self.fault(
                Fault::Backwards,
                format_args!("reader {reader}: {offset} after {before}"),
            );
        }
    }

    /// A reader was told of a gap.
    pub(super) fn gap(&mut self, reader: usize, said: &str) {
        self.fault(Fault::Gap, format_args!("reader {reader}: {said}"));
    }

    /// Compares what no publisher and no reader can add to any more, and forgets it.
    pub(super) fn compare(&mut self) {
        // What is still under way comes behind its publisher's last answer.
        let answered = self
            .newest
            .iter()
            .map(|newest| newest.map_or(0, |(offset, _)| offset));
        let answered = answered.min().unwrap_or(0);
        self.compare_through(answered);
    }

    /// Compares everything there is: every publisher has its last answer.
    pub(super) fn finish(&mut self) {
        let end = self.end();
        self.compare_through(end);
        for reader in 0..self.readers.len() {
            let at = self.readers[reader].as_ref().map(|track| track.compared);
            if at.is_none_or(|at| at < end) {
                self.fault(
                    Fault::Unfinished,
                    format_args!("reader {reader}: {at:?} of {end}"),
                );
            }
        }
    }

    /// The newest offset of all.
    pub(super) fn end(&self) -> u64 {
        let newest = self.newest.iter().flatten().map(|(offset, _)| *offset);
        newest.max().unwrap_or(0)
    }

    /// How often a fault was found.
    pub(super) fn count(&self, fault: Fault) -> u64 {
        self.counts.get(&fault).copied().unwrap_or(0)
    }

    /// The first faults, in words.
    pub(super) fn described(&self) -> &[String] {
        &self.described
    }

    /// Deliveries that were compared and found right.
    pub(super) fn compared(&self) -> u64 {
        self.compared
    }

    fn compare_through(&mut self, through: u64) {
        for reader in 0..self.readers.len() {
            let Some(mut track) = self.readers[reader].take() else {
                continue;
            };
            self.compare_one(reader, &mut track, through);
            self.readers[reader] = Some(track);
        }
        // Who has not begun will begin at the end, wherever that is then.
        let tracks = self.readers.iter().flatten().map(|track| track.compared);
        let passed = tracks.min().unwrap_or(0);
        self.published = self.published.split_off(&(passed + 1));
    }

    fn compare_one(&mut self, reader: usize, track: &mut Track, through: u64) {
        let until = through.min(track.told);
        if until <= track.compared {
            return;
        }
        let mut found = Vec::new();
        for (at, (event, topics)) in self.published.range(track.compared + 1..=until) {
            if topics.0 & track.topics.0 == 0 {
                continue;
            }
            // What stands before it was published by nobody, or for others.
            while let Some(foreign) = next_if(&mut track.shown, |shown| shown < *at) {
                found.push((Fault::Foreign, foreign));
            }
            match next_if(&mut track.shown, |shown| shown == *at) {
                Some((_, shown)) if shown == *event => self.compared += 1,
                Some((_, shown)) => found.push((Fault::Foreign, (*at, shown))),
                None => found.push((Fault::Lost, (*at, *event))),
            }
        }
        while let Some(foreign) = next_if(&mut track.shown, |shown| shown <= until) {
            found.push((Fault::Foreign, foreign));
        }
        track.compared = until;
        for (fault, (at, event)) in found {
            self.fault(fault, format_args!("reader {reader}: {event} at {at}"));
        }
    }

    fn fault(&mut self, fault: Fault, what: fmt::Arguments<'_>) {
        *self.counts.entry(fault).or_default() += 1;
        if self.described.len() < DESCRIBED_MAX {
            self.described.push(format!("{fault:?}: {what}"));
        }
    }
}

/// Takes the first of what was shown, if it is at such an offset.
fn next_if(
    shown: &mut VecDeque<(u64, Event)>,
    is_such: impl Fn(u64) -> bool,
) -> Option<(u64, Event)> {
    let is_first = shown.front().is_some_and(|(offset, _)| is_such(*offset));
    is_first.then(|| shown.pop_front()).flatten()
}

impl Topics {
    /// Every topic.
    pub(super) const ALL: Self = Self(u64::MAX);

    /// These topics.
    pub(super) fn of(numbers: &[usize]) -> Self {
        Self(numbers.iter().fold(0, |set, number| set | 1 << number))
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p{}-n{}", self.publisher, self.number)
    }
}

#[cfg(test)]
mod tests;
