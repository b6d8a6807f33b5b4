//! Streams in one piece, and cut at every position.

use super::*;

const STREAM: &str = ": hi\n\nevent: tidings.hello\ndata: {}\nid: 1-a\n\n\
    event: bench.probe\ndata: {\"data\":{\"tb\":\"probe=0.1.5;...\"}}\nid: 2-a\n\n\
    id:3-a\r\ndata:{\"tb\":\"probe=7.2.6;\"}\r\n\r\n\
    event: tidings.gap\ndata: {\"to\":\"4-a\"}\nid: 4-a\n\nid: 5-a\n\n\
    data: {\"tb\":\"probe=0.3.9;\"}\nid: 6-a\n";

fn probe(publisher: u32, serial: u32, due_us: u64) -> Told {
    Told::Probe(Probe {
        publisher,
        serial,
        due_us,
    })
}

fn told(scanner: &mut Scanner, piece: &[u8]) -> Vec<Told> {
    let mut all = Vec::new();
    scanner.scan(piece, &ProbeFinder::new(), |told| all.push(told));
    all
}

#[test]
fn a_block_counts_with_its_empty_line_wherever_the_stream_is_cut() {
    let expected = [probe(0, 1, 5), probe(7, 2, 6), Told::Gap];
    for cut in 0..=STREAM.len() {
        let (first, second) = STREAM.as_bytes().split_at(cut);
        let mut scanner = Scanner::default();
        let mut all = told(&mut scanner, first);
        all.extend(told(&mut scanner, second));
        assert_eq!(all, expected, "cut at {cut}");
        assert_eq!(scanner.last_id(), b"5-a", "cut at {cut}");
        assert_eq!(told(&mut scanner, b"\n"), [probe(0, 3, 9)], "cut at {cut}");
        assert_eq!(scanner.last_id(), b"6-a", "cut at {cut}");
    }
}

#[test]
fn a_stream_may_come_byte_by_byte() {
    let mut scanner = Scanner::default();
    let all: Vec<Told> = STREAM
        .as_bytes()
        .chunks(1)
        .flat_map(|byte| told(&mut scanner, byte))
        .collect();
    assert_eq!(all.len(), 3);
    assert_eq!(scanner.last_id(), b"5-a");
}

#[test]
fn an_interrupted_block_is_not_told_and_its_id_not_returned_with() {
    let mut scanner = Scanner::default();
    assert_eq!(told(&mut scanner, STREAM.as_bytes()).len(), 3);
    scanner.interrupt();
    assert_eq!(told(&mut scanner, b"\n"), []);
    assert_eq!(scanner.last_id(), b"5-a");
}

#[test]
fn a_line_without_end_is_not_kept_for_ever() {
    let mut scanner = Scanner::default();
    let part = vec![b'x'; LINE_BYTES_MAX / 2 + 1];
    for _ in 0..4 {
        assert_eq!(told(&mut scanner, &part), []);
    }
    assert!(scanner.cut.len() <= LINE_BYTES_MAX);
}
