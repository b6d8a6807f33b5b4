//! The header of a segment: which log, which epoch, where it begins, and where its predecessor ended.
//!
//! The header is durable before the segment has its name. It is the seal of the segment before it:
//! what lies behind that end is never read again, whatever it may look like.

use bytes::{Buf, Bytes};
use tidings_core::lineage::Lineage;
use tidings_core::position::{Epoch, Offset};

use crate::disk::DiskFile;
use crate::preamble::{self, PreambleFault};

const MAGIC: [u8; 8] = *b"TDNGSEG\n";

/// Where a segment ended when it was sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seal {
    /// Which segment.
    pub(crate) sequence: u64,
    /// Where its last committed record ends in the file.
    pub(crate) end_bytes: u64,
    /// Its last committed offset; its first one minus one if it held none.
    pub(crate) last: u64,
}

/// What a segment says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    /// Random name of the log, the same in all of its segments.
    pub(crate) log_id: u64,
    /// Number of the segment, one higher than the one before.
    pub(crate) sequence: u64,
    /// The first offset that it may hold.
    pub(crate) first: u64,
    /// The committed end when it was made, records copied into it included.
    pub(crate) synced_end: u64,
    /// The newest timestamp of the log when it was made.
    pub(crate) last_timestamp: u64,
    /// The end of the newest older segment that holds anything.
    pub(crate) sealed: Option<Seal>,
    /// The log's history through the epoch of this segment.
    pub(crate) lineage: Lineage,
}

impl SegmentHeader {
    /// By which the records of this segment are known.
    pub(crate) fn tag(&self) -> u64 {
        tag(self.log_id, self.sequence)
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut fields = Vec::new();
        // A log's first segment has number 1, so 0 stands for no predecessor.
        let sealed = self.sealed.unwrap_or(Seal {
            sequence: 0,
            end_bytes: 0,
            last: 0,
        });
        let epochs = self.lineage.epochs();
        for word in [
            self.log_id,
            self.sequence,
            self.first,
            self.synced_end,
            self.last_timestamp,
            sealed.sequence,
            sealed.end_bytes,
            sealed.last,
            epochs.len() as u64,
        ] {
            fields.extend_from_slice(&word.to_le_bytes());
        }
        for (epoch, first) in epochs {
            fields.extend_from_slice(&epoch.bits().to_le_bytes());
            fields.extend_from_slice(&first.0.to_le_bytes());
        }
        preamble::encode(MAGIC, &fields)
    }

    /// Reads a segment's header, and where the records begin.
    pub(crate) fn read(file: &dyn DiskFile) -> Result<(Self, u64), PreambleFault> {
        let (fields, length) = preamble::read(file, MAGIC)?;
        let header = Self::decode(fields).ok_or(PreambleFault::Damaged)?;
        Ok((header, length))
    }

    fn decode(mut fields: Bytes) -> Option<Self> {
        let mut word = || fields.try_get_u64_le().ok();
        let (log_id, sequence, first) = (word()?, word()?, word()?);
        let (synced_end, last_timestamp) = (word()?, word()?);
        let seal = Seal {
            sequence: word()?,
            end_bytes: word()?,
            last: word()?,
        };
        let count = word()?;
        let mut epochs = Vec::new();
        for _ in 0..count {
            epochs.push((Epoch::from_bits(word()?), Offset(word()?)));
        }
        Some(Self {
            log_id,
            sequence,
            first,
            synced_end,
            last_timestamp,
            sealed: (seal.sequence != 0).then_some(seal),
            lineage: Lineage::new(epochs).ok()?,
        })
    }
}

/// By which the records of a segment are known.
pub(crate) fn tag(log_id: u64, sequence: u64) -> u64 {
    log_id.rotate_left(17).wrapping_add(sequence)
}
