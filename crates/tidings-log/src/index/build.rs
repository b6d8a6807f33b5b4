//! From a table in memory to the bytes of an index file.
//!
//! ```text
//! preamble  log, segment, summary, places of the fences, damaged stretches
//! body      postings, one checksummed run per key (delta and size as varints)
//!           keys      blocks of (text, place of the postings, count, first, last)
//!           ids       blocks of (hash, offset)
//!           groups    blocks of (base, count, place, length, timestamp)
//!           dedupe    blocks of (offset, timestamp, fingerprints)
//!           a fence behind the blocks of each section
//! ```

use super::blocks::{BlockWriter, append_place};
use super::table::Table;
use crate::preamble;

pub(super) const MAGIC: [u8; 8] = *b"TDNGIDX\n";

impl Table {
    /// The index file of the segment that this is the table of.
    pub(crate) fn to_file(&self, sequence: u64) -> Vec<u8> {
        let mut body = Vec::new();
        let places = [
            self.write_keys(&mut body),
            self.write_ids(&mut body),
            self.write_groups(&mut body),
            self.write_dedupe(&mut body),
        ];
        let summary = &self.summary;
        let mut fields = words(&[
            self.log_id,
            sequence,
            summary.first,
            summary.last,
            summary.end_bytes,
            summary.newest,
            summary.events,
        ]);
        for (at, length) in places {
            fields.extend_from_slice(&words(&[at, length]));
        }
        fields.extend_from_slice(&words(&[self.damaged.len() as u64]));
        for stretch in &self.damaged {
            fields.extend_from_slice(&words(&[stretch.from, stretch.through]));
        }
        let mut file = preamble::encode(MAGIC, &fields);
        file.extend_from_slice(&body);
        file
    }

    fn write_keys(&self, body: &mut Vec<u8>) -> (u64, u64) {
        let mut runs = Vec::with_capacity(self.keys.len());
        let mut run = Vec::new();
        for postings in self.keys.values() {
            run.clear();
            let mut previous = self.summary.first;
            for posting in postings {
                put_varint(posting.offset - previous, &mut run);
                put_varint(u64::from(posting.bytes), &mut run);
                previous = posting.offset;
            }
            runs.push(append_place(&run, body));
        }
        let mut blocks = BlockWriter::default();
        let mut entry = Vec::new();
        for ((key, postings), (at, length)) in self.keys.iter().zip(runs) {
            let (Some(first), Some(last)) = (postings.first(), postings.last()) else {
                continue;
            };
            entry.clear();
            entry.extend_from_slice(&(key.len() as u16).to_le_bytes());
            entry.extend_from_slice(key.as_bytes());
            let count = postings.len() as u64;
            entry.extend_from_slice(&words(&[at, length, count, first.offset, last.offset]));
            blocks.push(key.as_bytes(), &entry, body);
        }
        blocks.finish(body)
    }

    fn write_ids(&self, body: &mut Vec<u8>) -> (u64, u64) {
        let mut blocks = BlockWriter::default();
        for (hash, offset) in &self.ids {
            blocks.push(&hash.to_be_bytes(), &words(&[*hash, *offset]), body);
        }
        blocks.finish(body)
    }

    fn write_groups(&self, body: &mut Vec<u8>) -> (u64, u64) {
        let mut blocks = BlockWriter::default();
        for group in &self.groups {
            // Offsets and times rise together, so one fence serves both searches.
            let key = [group.base.to_be_bytes(), group.timestamp.to_be_bytes()].concat();
            let mut entry = words(&[group.base, group.at, group.timestamp]);
            entry.extend_from_slice(&group.count.to_le_bytes());
            entry.extend_from_slice(&group.length.to_le_bytes());
            blocks.push(&key, &entry, body);
        }
        blocks.finish(body)
    }

    fn write_dedupe(&self, body: &mut Vec<u8>) -> (u64, u64) {
        let mut blocks = BlockWriter::default();
        for used in &self.dedupe {
            let mut entry = words(&[used.offset, used.timestamp]);
            entry.extend_from_slice(&used.key.publisher_id);
            entry.extend_from_slice(&used.key.content);
            blocks.push(&used.offset.to_be_bytes(), &entry, body);
        }
        blocks.finish(body)
    }
}

fn words(words: &[u64]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn put_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
