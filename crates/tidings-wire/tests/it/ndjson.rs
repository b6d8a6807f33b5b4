//! NDJSON bodies, line by line and however they are cut.

use proptest::prelude::*;
use tidings_wire::limits::NDJSON_LINE_BYTES_MAX;
use tidings_wire::publish::{LineSplitter, LineTooLong, decode_event};

/// Number and text of a line; none in place of one that is too long.
type Split = Vec<(u64, Option<Vec<u8>>)>;

fn split<'a>(chunks: impl IntoIterator<Item = &'a [u8]>, bytes_max: usize) -> Split {
    let mut splitter = LineSplitter::with_limit(bytes_max);
    let mut lines = Vec::new();
    for chunk in chunks {
        splitter.push(chunk);
        lines.extend(std::iter::from_fn(|| splitter.next_line()));
    }
    lines.extend(splitter.finish());
    lines
        .into_iter()
        .map(|line| (line.number, line.text.ok().map(|text| text.to_vec())))
        .collect()
}

#[test]
fn lines_are_numbered_from_one_and_empty_ones_are_skipped() {
    let lines = split([&b"a\r\n\n  \n\r\nb\nc"[..]], 10);
    let expected = [(1, "a"), (5, "b"), (6, "c")]
        .map(|(number, text)| (number, Some(text.as_bytes().to_vec())));
    assert_eq!(lines, expected);
    assert_eq!(split([&b""[..]], 10), []);
    assert_eq!(split([&b"\n\n"[..]], 10), []);
}

#[test]
fn a_line_has_a_limit_to_the_byte() {
    let of = |bytes: usize| {
        let mut splitter = LineSplitter::default();
        splitter.push(&vec![b'x'; bytes]);
        splitter.push(b"\n");
        splitter.next_line().expect("a line").text
    };
    let max = NDJSON_LINE_BYTES_MAX;
    assert_eq!(of(max).expect("a line at its limit").len(), max);
    assert_eq!(of(max + 1), Err(LineTooLong { max }));
}

#[test]
fn a_line_that_is_too_long_is_said_once_and_the_next_one_is_read() {
    let mut splitter = LineSplitter::default();
    let mut refusals = 0;
    for _ in 0..NDJSON_LINE_BYTES_MAX / 1_000 * 3 {
        splitter.push(&[b'x'; 1_000]);
        while let Some(line) = splitter.next_line() {
            assert_eq!(line.number, 1);
            let max = NDJSON_LINE_BYTES_MAX;
            assert_eq!(line.text, Err(LineTooLong { max }));
            refusals += 1;
        }
    }
    assert_eq!(refusals, 1);
    splitter.push(b"\n{\"type\":\"t\"}\n");
    let line = splitter.next_line().expect("the line after it");
    assert_eq!(line.number, 2);
    let event = decode_event(&line.text.expect("a short line")).expect("an event");
    assert_eq!(event.content.event_type.as_str(), "t");
    assert_eq!(splitter.next_line(), None);
    assert_eq!(splitter.finish(), None);
}

#[test]
fn a_line_of_exactly_the_limit_passes_with_either_line_end() {
    for body in ["abcd\nx", "abcd\r\nx", "abcd\r\n\nx"] {
        let lines = split(body.as_bytes().chunks(1), 4);
        assert_eq!(
            lines.first(),
            Some(&(1, Some(b"abcd".to_vec()))),
            "{body:?}"
        );
        assert_eq!(lines.len(), 2, "{body:?}");
    }
    assert_eq!(
        split([&b"abcde\nx"[..]], 4),
        [(1, None), (2, Some(b"x".to_vec()))]
    );
}

proptest! {
    #[test]
    fn lines_are_the_same_however_the_body_is_cut(
        bytes in prop::collection::vec(
            prop_oneof![Just(b'\n'), Just(b'\r'), Just(b' '), Just(b'a'), any::<u8>()],
            0..80,
        ),
        size in 1_usize..20,
        bytes_max in 1_usize..12,
    ) {
        let whole = split([bytes.as_slice()], bytes_max);
        prop_assert_eq!(&split(bytes.chunks(size), bytes_max), &whole);
        for (_, text) in whole {
            prop_assert!(text.is_none_or(|text| text.len() <= bytes_max));
        }
    }
}
