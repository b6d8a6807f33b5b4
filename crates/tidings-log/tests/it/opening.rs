//! Who may open a log, and which formats.

use std::fs;
use std::path::{Path, PathBuf};

use tidings_core::port::{EventStore, Sequencer};
use tidings_core::position::Offset;
use tidings_core::scope::Scope;
use tidings_log::limits::SEGMENT_BYTES_MIN;
use tidings_log::{EmbeddedLog, OpenError, Options};

use crate::support::{Bench, append, append_each, draft, events, files, read_all, scope};

/// All files of a directory with their contents.
fn contents(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found: Vec<_> = fs::read_dir(dir)
        .expect("directory")
        .map(|entry| entry.expect("entry").path())
        .map(|path| (path.clone(), fs::read(path).expect("read")))
        .collect();
    found.sort();
    found
}

fn fixture(version: u32) -> PathBuf {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    fixtures.join(format!("format-{version}"))
}

/// A copy of a fixture, which was written by the first program with that format and is never written
/// again; it is opened in place of the bench's own log.
fn bench_with_fixture(version: u32) -> Bench {
    let bench = Bench::new();
    fs::create_dir(bench.path()).expect("made");
    for (path, bytes) in contents(&fixture(version)) {
        let name = path.file_name().expect("name");
        fs::write(bench.path().join(name), bytes).expect("written");
    }
    bench
}

#[test]
fn d14_a_log_of_format_1_is_read_and_goes_on() {
    let bench = bench_with_fixture(1);
    let log = bench.open();
    let all = events(&read_all(&log, &Scope::Everything, 0));
    let expected = |n: u64| (n, format!("{n}{}", " ".repeat(n as usize * 10)));
    assert_eq!(all, (1..=40).map(expected).collect::<Vec<_>>());
    assert_eq!(read_all(&log, &scope(&["@user/u1"]), 0).len(), 20);
    assert_eq!(read_all(&log, &scope(&["fixture/*"]), 0).len(), 20);
    let id = tidings_core::id::EventId::parse("id-17").expect("id");
    let found = log
        .by_id(&scope(&["fixture/1"]), &id)
        .expect("read")
        .expect("held");
    assert_eq!(found.position.offset, Offset(17));
    assert_eq!(found.timestamp.0, 1_000_000_170);
    let epochs: Vec<_> = log
        .lineage()
        .epochs()
        .iter()
        .map(|(_, first)| first.0)
        .collect();
    assert_eq!(epochs, [1, 31, 41]);
    assert!(log.recovered().damage.is_empty());
    let again = append(
        &log,
        vec![draft(&["fixture/1"], Some("id-39"), &expected(39).1)],
    );
    assert!(again.expect("known")[0].duplicate);
    append_each(&log, &["a"], ["41".to_owned()]);
    assert_eq!(log.end(), Offset(41));
}

#[test]
fn d14_a_file_of_a_newer_format_is_refused_and_nothing_is_changed() {
    for ending in ["seg", "idx"] {
        let bench = bench_with_fixture(1);
        let file = files(&bench.path(), ending).pop().expect("a file");
        let mut bytes = fs::read(&file).expect("read");
        bytes[8] = 2;
        // The checksum covers the version, so that a flipped bit is not taken for a new format.
        bytes[16..20].fill(0);
        let length = u32::from_le_bytes(bytes[12..16].try_into().expect("four"));
        let crc = crc32c::crc32c(&bytes[..length as usize]);
        bytes[16..20].copy_from_slice(&crc.to_le_bytes());
        fs::write(&file, bytes).expect("write");
        fs::write(bench.path().join("next-0.tmp"), "unfinished").expect("write");
        fs::write(bench.path().join("LOCK"), "").expect("write");
        let before = contents(&bench.path());
        let refused = EmbeddedLog::open(&bench.options()).expect_err("newer");
        assert!(
            matches!(&refused, OpenError::Newer { file: named, version: 2, known: 1 } if *named == file),
            "{refused}"
        );
        assert!(refused.to_string().contains("\nhint: "));
        assert!(contents(&bench.path()) == before, "nothing is changed");
    }
}

#[test]
fn d15_a_second_opener_is_refused_until_the_first_one_is_gone() {
    let bench = Bench::new();
    let log = bench.open();
    let clone = log.clone();
    let refused = EmbeddedLog::open(&bench.options()).expect_err("in use");
    assert!(matches!(&refused, OpenError::InUse { dir } if *dir == bench.path()));
    let text = refused.to_string();
    let named = bench.path().display().to_string();
    assert!(text.contains(&named) && text.contains("\nhint: "), "{text}");
    drop(log);
    assert!(
        EmbeddedLog::open(&bench.options()).is_err(),
        "a handle is left"
    );
    append_each(&clone, &["a"], ["1".to_owned()]);
    drop(clone);
    assert_eq!(bench.open().end(), Offset(1));
}

#[test]
fn segments_of_another_log_are_refused() {
    let (one, two) = (Bench::new(), Bench::new());
    let log = one.open();
    append_each(&log, &["a"], ["1".to_owned()]);
    log.close();
    let other = || Options {
        random: std::sync::Arc::new(|| 77),
        ..two.options()
    };
    drop(EmbeddedLog::open(&other()).expect("opens"));
    drop(EmbeddedLog::open(&other()).expect("opens"));
    let strange = files(&two.path(), "seg").pop().expect("a segment");
    let strange_here = one.path().join(strange.file_name().expect("name"));
    fs::copy(strange, &strange_here).expect("copied");
    drop(log);
    let refused = EmbeddedLog::open(&one.options()).expect_err("two logs");
    assert!(matches!(&refused, OpenError::Foreign { file } if *file == strange_here));
    fs::remove_file(strange_here).expect("removed");
    assert_eq!(one.open().end(), Offset(1));
}

#[test]
fn a_segment_size_without_sense_is_refused() {
    let bench = Bench::new();
    let options = Options {
        segment_bytes: SEGMENT_BYTES_MIN - 1,
        ..bench.options()
    };
    let refused = EmbeddedLog::open(&options).expect_err("too small");
    assert!(matches!(refused, OpenError::SegmentsTooSmall { .. }));
    assert!(!bench.path().exists());
}
