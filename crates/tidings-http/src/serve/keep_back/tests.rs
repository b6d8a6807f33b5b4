//! Which bytes are held back as a refusal of hyper's, and which are not.

use std::io::IoSlice;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

use super::*;

const REFUSAL: &[u8] = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\n\
    content-length: 0\r\ndate: Sat, 21 Nov 2026 12:00:00 GMT\r\n\r\n";
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nbody";

/// Writes these pieces in as many calls as it takes, through a pipe that takes `room` bytes at once;
/// returns what came out and what was held back.
async fn pass(pieces: &[&[u8]], vectored: bool, room: usize) -> (Vec<u8>, Vec<u8>) {
    let (near, mut far) = duplex(room);
    let reads = tokio::spawn(async move {
        let mut all = Vec::new();
        far.read_to_end(&mut all).await.expect("reads");
        all
    });
    let mut io = KeepBack::new(near, Arc::default());
    if vectored {
        let mut slices: Vec<IoSlice<'_>> = pieces.iter().map(|piece| IoSlice::new(piece)).collect();
        let mut slices = slices.as_mut_slice();
        while slices.iter().any(|slice| !slice.is_empty()) {
            let written = io.write_vectored(slices).await.expect("written");
            IoSlice::advance_slices(&mut slices, written);
        }
    } else {
        for piece in pieces {
            io.write_all(piece).await.expect("written");
        }
    }
    io.flush().await.expect("flushed");
    io.shutdown().await.expect("shut down");
    let (near, kept) = io.into_parts();
    drop(near);
    (reads.await.expect("reads"), kept)
}

#[tokio::test]
async fn a_refusal_at_the_end_is_held_back_and_nothing_else() {
    let together = [ANSWER, REFUSAL].concat();
    let cases: [&[&[u8]]; 5] = [
        &[ANSWER, REFUSAL],
        &[&together],
        &[ANSWER, &together],
        &[&ANSWER[..10], &ANSWER[10..], b"", REFUSAL, b""],
        &[REFUSAL],
    ];
    for pieces in cases {
        let whole = pieces.concat();
        let expected = whole.strip_suffix(REFUSAL).expect("ends with it");
        for vectored in [false, true] {
            for room in [1, 7, 4_096] {
                let (out, kept) = pass(pieces, vectored, room).await;
                assert_eq!(out, expected, "{room}");
                assert_eq!(kept, REFUSAL, "{room}");
            }
        }
    }
}

#[tokio::test]
async fn what_only_looks_like_one_goes_out_unchanged_and_in_order() {
    let of_the_hub = b"HTTP/1.1 400 Bad Request\r\nx-request-id: 1\r\ncontent-length: 0\r\n\r\n";
    let with_length = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 10\r\n\r\n";
    let twice = [REFUSAL, REFUSAL, b"x"].concat();
    let cases: [&[&[u8]]; 7] = [
        &[ANSWER],
        &[REFUSAL, ANSWER],
        &[ANSWER, REFUSAL, b"more"],
        &[of_the_hub],
        &[with_length],
        &[b"HTTP/1.1 100 Continue\r\n\r\n"],
        &[&twice],
    ];
    for pieces in cases {
        for vectored in [false, true] {
            for room in [1, 7, 4_096] {
                let (out, kept) = pass(pieces, vectored, room).await;
                assert_eq!(out, pieces.concat(), "{room}");
                assert_eq!(kept, b"", "{room}");
            }
        }
    }
}
