//! Sorted entries in checksummed blocks, with the first key of each block in memory.

use std::io;

use bytes::{Buf, Bytes};

use super::damaged_index;
use crate::disk::DiskFile;
use crate::limits::INDEX_BLOCK_BYTES;

const CRC_BYTES: usize = 4;

/// Packs sorted entries into blocks behind what the body holds already.
#[derive(Debug, Default)]
pub(super) struct BlockWriter {
    open: Vec<u8>,
    open_key: Vec<u8>,
    fence: Vec<u8>,
}

impl BlockWriter {
    /// Adds an entry that sorts by `key`, which does not fall from one entry to the next.
    pub(super) fn push(&mut self, key: &[u8], entry: &[u8], body: &mut Vec<u8>) {
        if self.open.is_empty() {
            self.open_key = key.to_vec();
        }
        self.open.extend_from_slice(entry);
        if self.open.len() + CRC_BYTES >= INDEX_BLOCK_BYTES {
            self.flush(body);
        }
    }

    fn flush(&mut self, body: &mut Vec<u8>) {
        if self.open.is_empty() {
            return;
        }
        let place = [body.len() as u64, self.open.len() as u64];
        let place = place.map(u64::to_le_bytes).concat();
        self.fence.extend_from_slice(&place);
        let key_length = self.open_key.len() as u16;
        self.fence.extend_from_slice(&key_length.to_le_bytes());
        self.fence.extend_from_slice(&self.open_key);
        append_checked(&self.open, body);
        self.open.clear();
    }

    /// Writes the last block and the fence; answers the place of the fence in the body.
    pub(super) fn finish(mut self, body: &mut Vec<u8>) -> (u64, u64) {
        self.flush(body);
        append_place(&self.fence, body)
    }
}

/// Appends bytes with their checksum and answers their place in the body.
pub(super) fn append_place(bytes: &[u8], body: &mut Vec<u8>) -> (u64, u64) {
    let at = body.len() as u64;
    append_checked(bytes, body);
    (at, bytes.len() as u64)
}

fn append_checked(bytes: &[u8], body: &mut Vec<u8>) {
    body.extend_from_slice(bytes);
    body.extend_from_slice(&crc32c::crc32c(bytes).to_le_bytes());
}

/// Reads bytes that were appended with their checksum.
pub(super) fn read_checked(file: &dyn DiskFile, at: u64, length: u64) -> io::Result<Bytes> {
    // A damaged length must not make the process ask for memory that it does not have.
    let whole = length
        .checked_add(CRC_BYTES as u64)
        .filter(|whole| at.checked_add(*whole).is_some())
        .ok_or_else(|| damaged_index("a place in an index file is damaged"))?;
    if at + whole > file.len_bytes()? {
        return Err(damaged_index("an index file ends too early"));
    }
    let mut bytes = vec![0; whole as usize];
    if file.read_at(&mut bytes, at)? < bytes.len() {
        return Err(damaged_index("an index file ends too early"));
    }
    let crc = bytes.split_off(length as usize);
    if crc32c::crc32c(&bytes).to_le_bytes() != *crc {
        return Err(damaged_index("a block of an index file is damaged"));
    }
    Ok(Bytes::from(bytes))
}

/// One block, as the fence knows it.
#[derive(Debug, Clone, Copy)]
struct Post {
    /// Where its key begins among all keys, which end where the next ones begin.
    key_start: u32,
    length: u32,
    at: u64,
}

/// The first keys of all blocks of one section. Kept small: there is one for every section of every
/// segment.
#[derive(Debug)]
pub(super) struct Fence {
    posts: Box<[Post]>,
    keys: Box<[u8]>,
}

impl Fence {
    /// Reads a fence; `start` is where the body begins in the file.
    pub(super) fn read(file: &dyn DiskFile, start: u64, place: (u64, u64)) -> io::Result<Self> {
        let mut bytes = read_checked(file, start.saturating_add(place.0), place.1)?;
        let (mut posts, mut keys) = (Vec::new(), Vec::new());
        while bytes.remaining() >= 18 {
            let (at, length) = (bytes.get_u64_le(), bytes.get_u64_le());
            let key_length = usize::from(bytes.get_u16_le());
            if bytes.remaining() < key_length {
                return Err(damaged_index("the fence of an index file is damaged"));
            }
            posts.push(Post {
                key_start: keys.len() as u32,
                length: length as u32,
                at: start.saturating_add(at),
            });
            keys.extend_from_slice(&bytes.split_to(key_length));
        }
        Ok(Self {
            posts: posts.into(),
            keys: keys.into(),
        })
    }

    /// How many blocks there are.
    pub(super) fn len(&self) -> usize {
        self.posts.len()
    }

    /// The first block that may hold entries for which `before` is not true, where `before` of an
    /// entry's key turns from true to false once along the section.
    pub(super) fn seek(&self, before: impl Fn(&[u8]) -> bool) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.first_key(middle).is_some_and(&before) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low.saturating_sub(1)
    }

    /// The key of the first entry of a block.
    pub(super) fn first_key(&self, block: usize) -> Option<&[u8]> {
        let start = self.posts.get(block)?.key_start as usize;
        let next = self.posts.get(block + 1);
        let end = next.map_or(self.keys.len(), |next| next.key_start as usize);
        self.keys.get(start..end)
    }

    /// The entries of a block.
    pub(super) fn block(&self, file: &dyn DiskFile, block: usize) -> io::Result<Bytes> {
        match self.posts.get(block) {
            Some(post) => read_checked(file, post.at, u64::from(post.length)),
            None => Ok(Bytes::new()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_have_the_size_that_a_look_up_reads() {
        const ENTRY_BYTES: usize = 100;
        let mut writer = BlockWriter::default();
        let mut body = Vec::new();
        for number in 0..1_000_u32 {
            writer.push(&number.to_be_bytes(), &[0; ENTRY_BYTES], &mut body);
        }
        let (at, length) = writer.finish(&mut body);
        let mut fence = &body[at as usize..][..length as usize];
        let mut lengths = Vec::new();
        while !fence.is_empty() {
            let _at = fence.get_u64_le();
            lengths.push(fence.get_u64_le() as usize);
            let key_bytes = fence.get_u16_le();
            fence.advance(usize::from(key_bytes));
        }
        assert_eq!(lengths.iter().sum::<usize>(), 1_000 * ENTRY_BYTES);
        let _last = lengths.pop();
        let whole = INDEX_BLOCK_BYTES - CRC_BYTES..INDEX_BLOCK_BYTES + ENTRY_BYTES;
        assert!(
            lengths.iter().all(|length| whole.contains(length)),
            "{lengths:?}"
        );
    }
}
