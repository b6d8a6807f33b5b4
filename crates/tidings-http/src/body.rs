//! Reading request bodies: bounded in size, and in how slowly they may come.

mod budget;

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::CONTENT_LENGTH;
use http_body_util::BodyExt as _;
use http_body_util::combinators::UnsyncBoxBody;
use tokio::time::{Instant, timeout_at};

use crate::limits::{BODY_BYTES_PER_SECOND_MIN, BODY_IDLE_MS_MAX};

pub(crate) use budget::{Budget, Share};

/// The body of a request, wherever it comes from.
pub type RequestBody = UnsyncBoxBody<Bytes, BodyError>;

/// The body could not be read to its end, because the connection or its framing broke.
#[derive(Debug, thiserror::Error)]
#[error("the request body ended early")]
pub struct BodyError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// Why a body was not read to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BodyFault {
    /// More bytes than allowed.
    #[error("the body has more than {max} bytes")]
    TooLarge { max: usize },
    /// All bodies together hold as much as they may.
    #[error("the hub is reading as many bodies as it can hold")]
    NoRoom,
    /// It made no progress for too long.
    #[error("the body made no progress for {BODY_IDLE_MS_MAX} ms")]
    TooSlow,
    /// The connection or its framing broke.
    #[error(transparent)]
    Broken(#[from] BodyError),
}

/// Time that a body has left: a fixed allowance, which grows as it proceeds.
#[derive(Debug)]
pub(crate) struct Patience {
    deadline: Instant,
}

impl Patience {
    /// The allowance of a body that begins.
    pub(crate) fn new() -> Self {
        Self {
            deadline: Instant::now() + Duration::from_millis(BODY_IDLE_MS_MAX),
        }
    }

    /// Grants a full allowance: something whole has come.
    pub(crate) fn renew(&mut self) {
        *self = Self::new();
    }

    /// Grants the time that these bytes take at the slowest rate.
    fn prolong(&mut self, bytes: usize) {
        let earned = Duration::from_millis(bytes as u64 * 1_000 / BODY_BYTES_PER_SECOND_MIN);
        let most = Instant::now() + Duration::from_millis(BODY_IDLE_MS_MAX);
        self.deadline = (self.deadline + earned).min(most);
    }

    /// The next piece of a body; none at its end.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: a piece is taken from the body only when it is returned.
    pub(crate) async fn next_piece(
        &mut self,
        body: &mut RequestBody,
    ) -> Result<Option<Bytes>, BodyFault> {
        loop {
            let frame = timeout_at(self.deadline, body.frame())
                .await
                .map_err(|_| BodyFault::TooSlow)?;
            match frame.transpose()? {
                None => return Ok(None),
                // Trailers are no content.
                Some(frame) => match frame.into_data() {
                    Ok(piece) if !piece.is_empty() => {
                        self.prolong(piece.len());
                        return Ok(Some(piece));
                    }
                    _ => {}
                },
            }
        }
    }
}

/// Reads a whole body of at most `max` bytes, which count as part of a share of the budget. One that
/// announces more is refused unread.
///
/// # Cancel safety
///
/// What was read is lost with the future.
pub(crate) async fn read_whole(
    headers: &HeaderMap,
    body: &mut RequestBody,
    max: usize,
    share: &mut Share,
) -> Result<Bytes, BodyFault> {
    if announced(headers).is_some_and(|bytes| bytes > max as u64) {
        return Err(BodyFault::TooLarge { max });
    }
    let mut patience = Patience::new();
    let Some(first) = patience.next_piece(body).await? else {
        return Ok(Bytes::new());
    };
    let mut whole: Option<BytesMut> = None;
    let mut length = first.len();
    let mut grown = first.len();
    while length <= max {
        if !share.grow(grown) {
            return Err(BodyFault::NoRoom);
        }
        let Some(piece) = patience.next_piece(body).await? else {
            return Ok(whole.map_or(first, BytesMut::freeze));
        };
        length += piece.len();
        grown = piece.len();
        whole
            .get_or_insert_with(|| BytesMut::from(first.as_ref()))
            .extend_from_slice(&piece);
    }
    Err(BodyFault::TooLarge { max })
}

/// The length that a request announces for its body.
fn announced(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

#[cfg(test)]
mod tests;
