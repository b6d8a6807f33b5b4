//! The journal: several writers, torn lines, damage, versions, permissions, rewriting.

use std::fs::{self, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::thread;

use tempfile::{TempDir, tempdir};
use tidings_auth::journal::{Journal, JournalError, Kind, News};
use tidings_auth::limits::{JOURNAL_BYTES_MAX, JOURNAL_REWRITE_LINES_MIN};

const KIND: Kind = Kind {
    name: "facts",
    version: 1,
};

fn journal(directory: &TempDir) -> Journal {
    Journal::new(directory.path(), KIND)
}

fn path(directory: &TempDir) -> PathBuf {
    directory.path().join("auth/facts.jsonl")
}

fn fact(number: usize) -> String {
    format!(r#"{{"number":{number},"name":"Zoë, line\nbreak"}}"#)
}

fn append(journal: &mut Journal, json: &str) {
    let mut writing = journal.write().expect("the right to write");
    writing.append(json).expect("written");
}

fn texts(news: News) -> Vec<String> {
    match news {
        News::Nothing => Vec::new(),
        News::More(lines) | News::All(lines) => lines.into_iter().map(|line| line.json).collect(),
    }
}

fn all(directory: &TempDir) -> Vec<String> {
    texts(journal(directory).news().expect("readable"))
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("there").permissions().mode() & 0o777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("set");
}

#[test]
fn what_one_writes_others_find_once_and_in_order() {
    let directory = tempdir().expect("a directory");
    let (mut one, mut other) = (journal(&directory), journal(&directory));
    assert_eq!(other.news().expect("nothing there"), News::Nothing);
    assert!(!path(&directory).exists(), "looking makes no file");
    append(&mut one, &fact(1));
    append(&mut one, &fact(2));
    let news = other.news().expect("readable");
    assert!(matches!(news, News::All(_)), "{news:?}");
    assert_eq!(texts(news), [fact(1), fact(2)]);
    assert_eq!(other.news().expect("readable"), News::Nothing);
    append(&mut other, &fact(3));
    assert_eq!(other.news().expect("readable"), News::Nothing, "its own");
    let news = one.glance().expect("readable");
    assert!(matches!(news, News::More(_)), "{news:?}");
    assert_eq!(texts(news), [fact(3)]);
    let mut writing = one.write().expect("the right to write");
    assert_eq!(writing.news(), News::Nothing);
}

#[test]
fn a_writer_is_told_what_others_wrote_before() {
    let directory = tempdir().expect("a directory");
    let (mut one, mut other) = (journal(&directory), journal(&directory));
    append(&mut one, &fact(1));
    let mut writing = other.write().expect("the right to write");
    assert_eq!(texts(writing.news()), [fact(1)]);
    assert_eq!(writing.news(), News::Nothing);
}

#[test]
fn the_file_and_its_directory_are_for_their_owner_only() {
    let directory = tempdir().expect("a directory");
    append(&mut journal(&directory), &fact(1));
    assert_eq!(mode(&path(&directory)), 0o600);
    assert_eq!(mode(&directory.path().join("auth")), 0o700);
}

#[test]
fn a_last_line_that_is_torn_at_any_byte_counts_for_nothing_and_is_dropped() {
    let directory = tempdir().expect("a directory");
    let mut writer = journal(&directory);
    append(&mut writer, &fact(1));
    let before = fs::read(path(&directory)).expect("readable");
    append(&mut writer, &fact(2));
    let whole = fs::read(path(&directory)).expect("readable");
    for end in before.len()..whole.len() {
        fs::write(path(&directory), &whole[..end]).expect("written");
        assert_eq!(all(&directory), [fact(1)], "{end}");
        append(&mut journal(&directory), &fact(3));
        assert_eq!(all(&directory), [fact(1), fact(3)], "{end}");
    }
}

#[test]
fn a_reader_that_saw_a_torn_line_finds_the_line_of_the_same_length_in_its_place() {
    let directory = tempdir().expect("a directory");
    append(&mut journal(&directory), &fact(1));
    let before = fs::read(path(&directory)).expect("readable").len();
    append(&mut journal(&directory), &fact(2));
    let length = fs::read(path(&directory)).expect("readable").len() - before;
    let file = OpenOptions::new().write(true).open(path(&directory));
    file.and_then(|file| file.set_len(before as u64))
        .expect("cut");
    let mut reader = journal(&directory);
    reader.news().expect("readable");
    let mut file = OpenOptions::new()
        .append(true)
        .open(path(&directory))
        .expect("opened");
    file.write_all(&vec![b'x'; length]).expect("torn");
    assert_eq!(reader.news().expect("readable"), News::Nothing);
    append(&mut journal(&directory), &fact(3));
    assert_eq!(texts(reader.news().expect("readable")), [fact(3)]);
}

#[test]
fn a_first_line_that_is_torn_at_any_byte_is_written_again() {
    let directory = tempdir().expect("a directory");
    drop(journal(&directory).write().expect("made"));
    let header = fs::read(path(&directory)).expect("readable");
    for end in 0..header.len() {
        fs::write(path(&directory), &header[..end]).expect("written");
        assert_eq!(all(&directory), Vec::<String>::new(), "{end}");
        append(&mut journal(&directory), &fact(1));
        assert_eq!(all(&directory), [fact(1)], "{end}");
    }
}

#[test]
fn damage_to_any_bit_of_a_whole_line_is_an_error_that_names_the_line() {
    let directory = tempdir().expect("a directory");
    let mut writer = journal(&directory);
    append(&mut writer, &fact(1));
    append(&mut writer, &fact(2));
    let whole = fs::read(path(&directory)).expect("readable");
    let ends: Vec<usize> = (0..whole.len()).filter(|at| whole[*at] == b'\n').collect();
    for (line, end) in ends.iter().enumerate() {
        let start = line.checked_sub(1).map_or(0, |before| ends[before] + 1);
        for at in start..*end {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            fs::write(path(&directory), &damaged).expect("written");
            match journal(&directory).news() {
                Err(JournalError::Damaged { line: named, .. }) => {
                    // A flipped bit may also make a line end.
                    assert!(named == line as u64 + 1, "{at}: {named}");
                }
                Err(JournalError::Newer { .. }) => assert_eq!(line, 0, "{at}"),
                other => panic!("{at}: {other:?}"),
            }
            journal(&directory).write().map(|_| ()).expect_err("damage");
            assert_eq!(fs::read(path(&directory)).expect("readable"), damaged);
        }
    }
}

#[test]
fn a_file_of_a_newer_version_or_of_something_else_is_left_alone() {
    let directory = tempdir().expect("a directory");
    let newer = Kind { version: 2, ..KIND };
    append(&mut Journal::new(directory.path(), newer), &fact(1));
    let text = fs::read(path(&directory)).expect("readable");
    let refused = journal(&directory).news().expect_err("newer");
    assert!(matches!(refused, JournalError::Newer { found: 2, .. }));
    let refused = journal(&directory).write().map(|_| ()).expect_err("newer");
    assert!(refused.to_string().contains("version 2"), "{refused}");
    assert_eq!(fs::read(path(&directory)).expect("readable"), text);

    let other = Kind {
        name: "others",
        version: 1,
    };
    drop(Journal::new(directory.path(), other).write().expect("made"));
    let others = directory.path().join("auth/others.jsonl");
    fs::rename(others, path(&directory)).expect("renamed");
    let refused = journal(&directory).news().expect_err("not facts");
    assert!(matches!(refused, JournalError::Damaged { line: 1, .. }));
}

#[test]
fn a26_a_file_that_everybody_can_use_is_refused_with_a_hint() {
    let directory = tempdir().expect("a directory");
    append(&mut journal(&directory), &fact(1));
    for mode in [0o604, 0o602, 0o666] {
        set_mode(&path(&directory), mode);
        let refused = journal(&directory).news().expect_err("exposed");
        assert!(refused.hint().contains("chmod 600"), "{}", refused.hint());
        journal(&directory)
            .write()
            .map(|_| ())
            .expect_err("exposed");
    }
    set_mode(&path(&directory), 0o660);
    assert_eq!(all(&directory).len(), 1, "a group may");
    let auth = directory.path().join("auth");
    set_mode(&auth, 0o755);
    let refused = journal(&directory).news().expect_err("exposed");
    assert!(refused.hint().contains("chmod 700"), "{}", refused.hint());
}

#[test]
fn many_writers_at_once_lose_nothing() {
    let directory = tempdir().expect("a directory");
    let (writers, each) = (4, 25);
    thread::scope(|scope| {
        for writer in 0..writers {
            let directory = &directory;
            scope.spawn(move || {
                let mut journal = journal(directory);
                for number in 0..each {
                    let mut writing = journal.write().expect("the right to write");
                    let json = fact(writer * each + number);
                    writing.append(&json).expect("written");
                    // Half of them replace the file that the others have open.
                    if number % 5 == 0 && writer % 2 == 0 {
                        drop(writing);
                        let mut fresh = self::journal(directory);
                        let mut writing = fresh.write().expect("the right to write");
                        let lines = texts(writing.news());
                        writing.rewrite(lines).expect("rewritten");
                    }
                }
            });
        }
    });
    let mut found = all(&directory);
    found.sort();
    let mut expected: Vec<String> = (0..writers * each).map(fact).collect();
    expected.sort();
    assert_eq!(found, expected);
}

#[test]
fn a_rewritten_file_is_read_anew_by_others_and_written_on() {
    let directory = tempdir().expect("a directory");
    let (mut one, mut other) = (journal(&directory), journal(&directory));
    append(&mut one, &fact(1));
    append(&mut one, &fact(2));
    other.news().expect("readable");
    // What a writer that died left there is in nobody's way.
    fs::write(path(&directory).with_extension("jsonl.new"), "half").expect("written");
    let mut writing = one.write().expect("the right to write");
    writing.rewrite([fact(2)]).expect("rewritten");
    writing.append(&fact(3)).expect("written");
    drop(writing);
    let news = other.news().expect("readable");
    assert!(matches!(news, News::All(_)), "{news:?}");
    assert_eq!(texts(news), [fact(2), fact(3)]);
    append(&mut other, &fact(4));
    assert_eq!(texts(one.news().expect("readable")), [fact(4)]);
    assert_eq!(mode(&path(&directory)), 0o600);
}

#[test]
fn a_file_is_mostly_history_only_when_rewriting_is_worth_it() {
    let directory = tempdir().expect("a directory");
    let mut journal = journal(&directory);
    let mut writing = journal.write().expect("the right to write");
    let lines = JOURNAL_REWRITE_LINES_MIN as usize + 3;
    writing.rewrite((1..lines).map(fact)).expect("written");
    assert!(writing.is_mostly_history(1));
    assert!(!writing.is_mostly_history(2));
}

#[test]
fn a_file_that_goes_away_or_shrinks_is_not_taken_for_an_empty_one() {
    let directory = tempdir().expect("a directory");
    let mut reader = journal(&directory);
    append(&mut journal(&directory), &fact(1));
    append(&mut journal(&directory), &fact(2));
    reader.news().expect("readable");
    let whole = fs::read(path(&directory)).expect("readable");
    let file = OpenOptions::new().write(true).open(path(&directory));
    file.and_then(|file| file.set_len(whole.len() as u64 / 2))
        .expect("cut");
    let refused = reader.news().expect_err("cut off");
    assert!(matches!(refused, JournalError::Damaged { .. }), "{refused}");
    fs::remove_file(path(&directory)).expect("removed");
    for refused in [
        reader.news().map(|_| ()).expect_err("gone"),
        reader.write().map(|_| ()).expect_err("gone"),
    ] {
        assert!(matches!(refused, JournalError::Gone(_)), "{refused}");
    }
}

#[test]
fn whoever_could_not_make_sense_of_lines_gets_them_again() {
    let directory = tempdir().expect("a directory");
    let mut reader = journal(&directory);
    append(&mut journal(&directory), &fact(1));
    assert_eq!(texts(reader.news().expect("readable")), [fact(1)]);
    reader.forget();
    assert_eq!(texts(reader.news().expect("readable")), [fact(1)]);
    append(&mut journal(&directory), &fact(2));
    let mut writing = reader.write().expect("the right to write");
    assert_eq!(texts(writing.news()), [fact(2)]);
    writing.forget();
    assert_eq!(texts(reader.news().expect("readable")), [fact(1), fact(2)]);
}

#[test]
fn a_reader_does_not_wait_for_a_writer_when_it_only_glances() {
    let directory = tempdir().expect("a directory");
    let (mut one, mut other) = (journal(&directory), journal(&directory));
    append(&mut one, &fact(1));
    let writing = one.write().expect("the right to write");
    assert_eq!(other.glance().expect("no error"), News::Nothing);
    let refused = other.news().expect_err("the writer does not end");
    assert!(matches!(refused, JournalError::Locked(_)), "{refused}");
    let refused = other.write().map(|_| ()).expect_err("neither here");
    assert!(matches!(refused, JournalError::Locked(_)), "{refused}");
    drop(writing);
    assert_eq!(texts(other.glance().expect("readable")), [fact(1)]);
}

#[test]
fn a_journal_does_not_grow_beyond_its_limit() {
    let directory = tempdir().expect("a directory");
    let mut journal = journal(&directory);
    let mut writing = journal.write().expect("the right to write");
    let large = format!(r#"{{"a":"{}"}}"#, "x".repeat(JOURNAL_BYTES_MAX as usize));
    let refused = writing.append(&large).expect_err("too large");
    assert!(matches!(refused, JournalError::Full(_)), "{refused}");
    drop(writing);
    append(&mut journal, &fact(1));
    // A file with a hole has the length and no blocks.
    let file = OpenOptions::new().write(true).open(path(&directory));
    file.and_then(|file| file.set_len(JOURNAL_BYTES_MAX + 1))
        .expect("grown");
    let refused = self::journal(&directory).news().expect_err("too large");
    assert!(matches!(refused, JournalError::Full(_)), "{refused}");
}
