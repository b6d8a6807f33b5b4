//! How every file of the log begins: magic, format version, length and checksum, then fields.
//!
//! ```text
//! 0   8  magic, which says what kind of file it is
//! 8   4  format version
//! 12  4  length of the preamble, a multiple of 4,096
//! 16  4  CRC32C of the preamble with this field as zeros
//! 20     fields, then zeros
//! ```
//!
//! These five stay where they are in all later format versions, so that any program can tell a file
//! of a newer format from a damaged one.

use std::io;

use bytes::{Buf, Bytes};

use crate::disk::DiskFile;
use crate::limits::PREAMBLE_BYTES_MAX;

/// The format that this program writes, and the newest one that it reads.
pub(crate) const FORMAT_VERSION: u32 = 1;

const FIXED_BYTES: usize = 20;
pub(crate) const PAGE_BYTES: usize = 4096;

/// Why the beginning of a file cannot be used.
#[derive(Debug)]
pub(crate) enum PreambleFault {
    /// Written by a newer program.
    Newer(u32),
    /// Not what was written.
    Damaged,
    /// Could not be read.
    Io(io::Error),
}

impl From<io::Error> for PreambleFault {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// The preamble with these fields, padded to whole pages.
pub(crate) fn encode(magic: [u8; 8], fields: &[u8]) -> Vec<u8> {
    let length = (FIXED_BYTES + fields.len()).next_multiple_of(PAGE_BYTES);
    let mut out = Vec::with_capacity(length);
    out.extend_from_slice(&magic);
    out.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
    out.extend_from_slice(&(length as u32).to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(fields);
    out.resize(length, 0);
    let crc = checksum(&out);
    if let Some(place) = out.get_mut(16..FIXED_BYTES) {
        place.copy_from_slice(&crc.to_le_bytes());
    }
    out
}

/// Reads and checks the preamble of a file: its fields with the padding, and its length.
pub(crate) fn read(file: &dyn DiskFile, magic: [u8; 8]) -> Result<(Bytes, u64), PreambleFault> {
    let mut page = vec![0; PAGE_BYTES];
    if file.read_at(&mut page, 0)? < PAGE_BYTES {
        return Err(PreambleFault::Damaged);
    }
    let mut fixed = page.get(8..FIXED_BYTES).unwrap_or_default();
    let (version, length, crc) = (fixed.get_u32_le(), fixed.get_u32_le(), fixed.get_u32_le());
    let length = length as usize;
    let plausible = length.is_multiple_of(PAGE_BYTES) && (1..=PREAMBLE_BYTES_MAX).contains(&length);
    if !page.starts_with(&magic) || !plausible {
        return Err(PreambleFault::Damaged);
    }
    page.resize(length, 0);
    if let Some(rest) = page.get_mut(PAGE_BYTES..)
        && file.read_at(rest, PAGE_BYTES as u64)? < rest.len()
    {
        return Err(PreambleFault::Damaged);
    }
    if checksum(&page) != crc {
        return Err(PreambleFault::Damaged);
    }
    if version > FORMAT_VERSION {
        return Err(PreambleFault::Newer(version));
    }
    Ok((Bytes::from(page).slice(FIXED_BYTES..), length as u64))
}

fn checksum(preamble: &[u8]) -> u32 {
    let before = crc32c::crc32c(preamble.get(..16).unwrap_or_default());
    let gap = crc32c::crc32c_append(before, &[0; 4]);
    crc32c::crc32c_append(gap, preamble.get(FIXED_BYTES..).unwrap_or_default())
}
