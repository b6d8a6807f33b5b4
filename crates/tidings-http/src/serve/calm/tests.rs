//! Tests of the allowance of HTTP/2 peers.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::time::advance;

use super::*;

const RST_STREAM: u8 = 3;
const PING: u8 = 6;
const WINDOW_UPDATE: u8 = 8;

fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, payload.len() as u8, kind, 0, 0, 0, 0, 1];
    bytes.extend_from_slice(payload);
    bytes
}

/// A connection behind its preface, and the peer's side of it.
async fn begun() -> (Calm<DuplexStream>, DuplexStream) {
    let (near, mut far) = duplex(1024 * 1024);
    let mut calm = Calm::new(near);
    far.write_all(PREFACE).await.expect("sent");
    calm.read_exact(&mut [0; 24]).await.expect("the preface");
    (calm, far)
}

/// Whether the connection takes so many frames of a kind.
async fn takes(
    calm: &mut Calm<DuplexStream>,
    far: &mut DuplexStream,
    kind: u8,
    count: u32,
) -> bool {
    for _ in 0..count {
        far.write_all(&frame(kind, b"12345678"))
            .await
            .expect("sent");
        if calm.read_exact(&mut [0; 17]).await.is_err() {
            return false;
        }
    }
    true
}

#[test]
fn heads_are_found_however_they_are_cut() {
    let bytes = [
        PREFACE.to_vec(),
        frame(DATA, b"abc"),
        frame(PING, b"12345678"),
        frame(DATA, b""),
        frame(HEADERS, &[0; 200]),
    ]
    .concat();
    for piece in 1..40 {
        let mut heads = Calm::new(()).heads;
        let mut found = Vec::new();
        for bytes in bytes.chunks(piece) {
            assert!(heads.take(bytes, |kind, length| {
                found.push((kind, length));
                true
            }));
        }
        assert_eq!(
            found,
            [(DATA, 3), (PING, 8), (DATA, 0), (HEADERS, 200)],
            "{piece}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn n9_a_peer_may_send_so_many_frames_that_ask_for_nothing_and_so_many_a_second() {
    let (mut calm, mut far) = begun().await;
    assert!(takes(&mut calm, &mut far, PING, H2_IDLE_FRAMES_MAX).await);
    advance(Duration::from_secs(1)).await;
    assert!(takes(&mut calm, &mut far, PING, H2_IDLE_FRAMES_PER_SECOND).await);
    assert!(!takes(&mut calm, &mut far, PING, 1).await);
}

#[tokio::test(start_paused = true)]
async fn n9_what_was_sent_to_a_peer_may_be_acknowledged() {
    let (mut calm, mut far) = begun().await;
    assert!(takes(&mut calm, &mut far, WINDOW_UPDATE, H2_IDLE_FRAMES_MAX).await);
    calm.write_all(&[0; 10 * H2_BYTES_PER_IDLE_FRAME])
        .await
        .expect("sent");
    assert!(takes(&mut calm, &mut far, WINDOW_UPDATE, 10).await);
    assert!(!takes(&mut calm, &mut far, WINDOW_UPDATE, 1).await);
}

#[tokio::test(start_paused = true)]
async fn requests_and_bodies_are_not_counted_and_requests_may_be_taken_back() {
    let (mut calm, mut far) = begun().await;
    assert!(takes(&mut calm, &mut far, DATA, 2 * H2_IDLE_FRAMES_MAX).await);
    assert!(takes(&mut calm, &mut far, PING, H2_IDLE_FRAMES_MAX).await);
    for _ in 0..H2_IDLE_FRAMES_MAX {
        assert!(takes(&mut calm, &mut far, HEADERS, 1).await);
        assert!(takes(&mut calm, &mut far, RST_STREAM, 1).await);
    }
    assert!(!takes(&mut calm, &mut far, RST_STREAM, 1).await);
}
