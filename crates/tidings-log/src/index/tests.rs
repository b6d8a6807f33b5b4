//! The index of a sealed segment against the records it was built from.

use std::sync::{Arc, RwLock};

use proptest::prelude::*;

use super::*;
use crate::disk::{Disk, DiskFile, RealDisk};
use crate::limits::PREAMBLE_BYTES_MAX;
use crate::preamble::{self, PreambleFault};
use crate::record::{RecordHeader, encode_draft};

/// A table of groups of these sizes; event `n` has key `k/{n % keys}` and id `id{n % 50}`.
fn table(sizes: &[u32], keys: u64) -> Table {
    let mut table = Table::new(11, 100, 4096);
    let mut next = 100;
    for (number, size) in sizes.iter().enumerate() {
        if number % 7 == 3 {
            table.add_damage(next + 1);
            next += 2;
        }
        let mut events = Vec::new();
        for offset in next..next + u64::from(*size) {
            encode_draft(&tests_draft(offset, keys), &mut events);
        }
        let header = RecordHeader {
            length: 0,
            count: *size,
            tag: 0,
            base: next,
            synced_end: 0,
            timestamp: 1_000 + number as u64 / 3,
            write: 0,
            epoch: 0,
        };
        let mut bytes = Vec::new();
        let header = header.encode([events.as_slice()], &mut bytes);
        let at = table.summary().end_bytes;
        table.add(&header, at, &bytes);
        next += u64::from(*size);
    }
    table
}

fn tests_draft(offset: u64, keys: u64) -> tidings_core::event::Draft {
    use tidings_core::audience::{Audience, Key};
    use tidings_core::event::{Content, Draft};
    let key = Key::parse(&format!("k/{}", offset % keys)).expect("key");
    Draft {
        content: Content {
            id: Some(tidings_core::id::EventId::parse(&format!("id{}", offset % 50)).expect("id")),
            event_type: tidings_core::event_type::EventType::parse("t").expect("type"),
            priority: tidings_core::priority::Priority::Normal,
            source: "".into(),
            audience: Audience::new(vec![key, Key::Everyone]),
            data: bytes::Bytes::from_static(b"1"),
            metadata: bytes::Bytes::new(),
        },
        dedupe: offset.is_multiple_of(2).then_some(DedupeKey {
            publisher_id: [offset as u8; 16],
            content: [1; 16],
        }),
    }
}

fn write(table: &Table) -> (tempfile::TempDir, IndexFile) {
    let dir = tempfile::tempdir().expect("directory");
    let file = RealDisk
        .create(&dir.path().join("index"), 0)
        .expect("create");
    file.write_at(&table.to_file(4), 0).expect("write");
    let index = IndexFile::open(file).expect("opens");
    (dir, index)
}

fn keys_of(index: &dyn Index, prefix: &str) -> Vec<(String, KeyEntry)> {
    let mut keys = Vec::new();
    index
        .visit_keys(prefix, &mut |key, entry| {
            keys.push((key.to_owned(), entry));
            true
        })
        .expect("keys");
    keys
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn a_file_answers_as_the_table_does(
        sizes in proptest::collection::vec(1_u32..9, 0..300),
        keys in 1_u64..400,
    ) {
        let table = table(&sizes, keys);
        let end = table.summary().last + 3;
        let (_dir, file) = write(&table);
        prop_assert!(file.belongs_to(11, 4) && !file.belongs_to(11, 5));
        let table: Arc<dyn Index> = Arc::new(RwLock::new(table));
        prop_assert_eq!(file.summary(), table.summary());
        prop_assert_eq!(file.damaged(), table.damaged());
        prop_assert_eq!(file.dedupe_uses().expect("file"), table.dedupe_uses().expect("table"));
        for prefix in ["", "@", "k/1", "k/39", "z"] {
            prop_assert_eq!(keys_of(&file, prefix), keys_of(&*table, prefix));
        }
        for number in 0..keys + 2 {
            let key = format!("k/{number}");
            prop_assert_eq!(file.key(&key).expect("file"), table.key(&key).expect("table"));
            for after in [0, 130, 500] {
                let postings = table.postings(&key, after).expect("table");
                prop_assert_eq!(file.postings(&key, after).expect("file"), postings);
            }
        }
        for offset in 95..end {
            let group = table.group_at(offset).expect("table");
            prop_assert_eq!(file.group_at(offset).expect("file"), group);
        }
        for time in 995..1_110 {
            let group = table.group_since(time).expect("table");
            prop_assert_eq!(file.group_since(time).expect("file"), group);
        }
        for number in 0..52 {
            let hash = hash_id(11, &format!("id{number}"));
            let offsets = table.offsets_of_id(hash).expect("table");
            prop_assert_eq!(file.offsets_of_id(hash).expect("file"), offsets);
        }
    }
}

/// Bytes in memory as a file.
#[derive(Debug)]
struct MemoryFile(Vec<u8>);

impl DiskFile for MemoryFile {
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        let rest = self.0.get(at as usize..).unwrap_or_default();
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        Ok(length)
    }

    fn write_at(&self, _: &[u8], _: u64) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn len_bytes(&self) -> io::Result<u64> {
        Ok(self.0.len() as u64)
    }
}

/// All answers of an index, or none if it finds itself damaged.
fn answers(file: Vec<u8>) -> Option<String> {
    let index = IndexFile::open(Arc::new(MemoryFile(file))).ok()?;
    let mut keys = Vec::new();
    index
        .visit_keys("", &mut |key, entry| {
            keys.push((key.to_owned(), entry));
            true
        })
        .ok()?;
    let postings = keys.iter().map(|(key, _)| index.postings(key, 0).ok());
    let postings: Vec<_> = postings.collect::<Option<_>>()?;
    let groups = (100..112).map(|offset| index.group_at(offset).ok());
    let groups: Vec<_> = groups.collect::<Option<_>>()?;
    let ids = index.offsets_of_id(hash_id(11, "id3")).ok()?;
    let uses = index.dedupe_uses().ok()?;
    let rest = (
        index.summary(),
        index.damaged(),
        index.group_since(1_001).ok()?,
    );
    Some(format!(
        "{keys:?} {postings:?} {groups:?} {ids:?} {uses:?} {rest:?}"
    ))
}

#[test]
fn d4_every_flipped_bit_of_an_index_file_is_detected() {
    let intact = table(&[2, 1, 3, 1, 2], 3).to_file(4);
    assert!(answers(intact.clone()).is_some());
    let mut copy = intact;
    for bit in 0..copy.len() * 8 {
        copy[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(answers(copy.clone()), None, "bit {bit}");
        copy[bit / 8] ^= 1 << (bit % 8);
    }
}

#[test]
fn d4_every_flipped_bit_of_a_header_is_damage_and_never_a_newer_format() {
    let mut copy = preamble::encode(*b"TESTFILE", b"fields");
    let read = |bytes: &[u8]| preamble::read(&MemoryFile(bytes.to_vec()), *b"TESTFILE");
    assert!(read(&copy).is_ok());
    for bit in 0..copy.len() * 8 {
        copy[bit / 8] ^= 1 << (bit % 8);
        assert!(
            matches!(read(&copy), Err(PreambleFault::Damaged)),
            "bit {bit}"
        );
        copy[bit / 8] ^= 1 << (bit % 8);
    }
}

#[test]
fn a_header_at_the_limit_is_read_and_one_of_a_page_more_is_damage() {
    let read = |pages: usize| {
        let fields = vec![7; (pages - 1) * preamble::PAGE_BYTES + 1];
        let file = MemoryFile(preamble::encode(*b"TESTFILE", &fields));
        preamble::read(&file, *b"TESTFILE").map(|(_, length)| length as usize)
    };
    let most = PREAMBLE_BYTES_MAX / preamble::PAGE_BYTES;
    assert_eq!(read(most).expect("at the limit"), PREAMBLE_BYTES_MAX);
    assert!(matches!(read(most + 1), Err(PreambleFault::Damaged)));
}
