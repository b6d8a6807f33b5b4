//! Ending connections of HTTP/2 whose peer keeps the hub busy with frames that ask for nothing.
//!
//! The library behind HTTP/2 ends connections for resets, heads and empty bodies without end. It
//! answers pings and settings, and takes in orders, windows and frames of unknown kinds, for as long
//! as a peer sends them (CVE-2019-9512, -9513, -9515). So the heads of all frames are looked at below
//! it: each frame that asks for nothing takes from an allowance, which grows with time, with requests, and with
//! what the peer was sent, since it has to say that it took that.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use super::preface::PREFACE;
use crate::limits::{H2_BYTES_PER_IDLE_FRAME, H2_IDLE_FRAMES_MAX, H2_IDLE_FRAMES_PER_SECOND};

/// A connection of HTTP/2 that fails when its peer has used up its allowance.
#[derive(Debug)]
pub(super) struct Calm<T> {
    io: T,
    heads: Heads,
    allowance: Allowance,
}

/// Finds the heads of frames (RFC 9113, section 4.1) in what a peer sends, however it is cut.
#[derive(Debug)]
struct Heads {
    /// Bytes until the next head begins: of the preface, then of payloads.
    skip: usize,
    head: [u8; HEAD_BYTES],
    /// Bytes of the head that have come.
    came: usize,
}

const HEAD_BYTES: usize = 9;

// Kinds of frames (RFC 9113, section 6).
const DATA: u8 = 0;
const HEADERS: u8 = 1;

/// What a peer may still send that asks for nothing.
#[derive(Debug)]
struct Allowance {
    frames: u32,
    /// Bytes that were sent to the peer and have not been counted.
    sent: usize,
    since: Instant,
}

impl<T> Calm<T> {
    /// A connection at its very beginning.
    pub(super) fn new(io: T) -> Self {
        Self {
            io,
            heads: Heads {
                skip: PREFACE.len(),
                head: [0; HEAD_BYTES],
                came: 0,
            },
            allowance: Allowance {
                frames: H2_IDLE_FRAMES_MAX,
                sent: 0,
                since: Instant::now(),
            },
        }
    }
}

impl Heads {
    /// Takes what has come, and calls with the kind and the length of each frame that begins there.
    fn take(&mut self, mut bytes: &[u8], mut each: impl FnMut(u8, usize) -> bool) -> bool {
        loop {
            let skipped = self.skip.min(bytes.len());
            self.skip -= skipped;
            bytes = &bytes[skipped..];
            let taken = (HEAD_BYTES - self.came).min(bytes.len());
            self.head[self.came..self.came + taken].copy_from_slice(&bytes[..taken]);
            self.came += taken;
            bytes = &bytes[taken..];
            if self.came < HEAD_BYTES {
                return true;
            }
            let [l2, l1, l0, kind, ..] = self.head;
            self.skip = u32::from_be_bytes([0, l2, l1, l0]) as usize;
            self.came = 0;
            if !each(kind, self.skip) {
                return false;
            }
        }
    }
}

impl Allowance {
    /// Counts a frame, and says whether it was allowed.
    fn take(&mut self, kind: u8, length: usize) -> bool {
        match kind {
            HEADERS => {
                self.frames = (self.frames + 1).min(H2_IDLE_FRAMES_MAX);
                true
            }
            DATA if length > 0 => true,
            _ => {
                if self.frames == 0 {
                    self.refill();
                }
                let is_allowed = self.frames > 0;
                self.frames = self.frames.saturating_sub(1);
                is_allowed
            }
        }
    }

    /// Grants what has been earned since the last time.
    fn refill(&mut self) {
        let now = Instant::now();
        let elapsed = now.duration_since(self.since).as_millis();
        let by_time = elapsed.saturating_mul(u128::from(H2_IDLE_FRAMES_PER_SECOND)) / 1_000;
        let by_bytes = (self.sent / H2_BYTES_PER_IDLE_FRAME) as u128;
        let earned = (by_time + by_bytes).min(u128::from(H2_IDLE_FRAMES_MAX));
        // Whoever asks too often would lose the fractions otherwise.
        if by_time > 0 {
            self.since = now;
        }
        self.sent %= H2_BYTES_PER_IDLE_FRAME;
        self.frames = earned as u32;
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Calm<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let Self {
            io,
            heads,
            allowance,
        } = &mut *self;
        ready!(Pin::new(io).poll_read(cx, buffer))?;
        let came = &buffer.filled()[before..];
        let is_calm = heads.take(came, |kind, length| allowance.take(kind, length));
        Poll::Ready(if is_calm {
            Ok(())
        } else {
            Err(io::Error::other(
                "the peer sends too many frames that ask for nothing",
            ))
        })
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Calm<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let sent = ready!(Pin::new(&mut self.io).poll_write(cx, bytes))?;
        self.allowance.sent = self.allowance.sent.saturating_add(sent);
        Poll::Ready(Ok(sent))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let sent = ready!(Pin::new(&mut self.io).poll_write_vectored(cx, pieces))?;
        self.allowance.sent = self.allowance.sent.saturating_add(sent);
        Poll::Ready(Ok(sent))
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests;
