//! Bodies: their limits, and how long they may take.

use std::pin::Pin;
use std::task::{Context, Poll};

use http_body::{Body, Frame};
use http_body_util::Full;

use super::*;
use crate::limits::BODIES_BYTES_MAX;

/// A piece each second, so many times.
struct Drip {
    sleep: Pin<Box<tokio::time::Sleep>>,
    piece: Bytes,
    left: usize,
}

impl Drip {
    fn new(bytes: u64, times: usize) -> Self {
        Self {
            sleep: Box::pin(tokio::time::sleep(Duration::from_secs(1))),
            piece: vec![b'x'; bytes as usize].into(),
            left: times,
        }
    }

    /// One byte each second, for ever.
    fn endless() -> Self {
        Self::new(1, usize::MAX)
    }
}

impl Body for Drip {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        self.sleep.as_mut().poll(cx).map(|()| {
            let next = Instant::now() + Duration::from_secs(1);
            self.sleep.as_mut().reset(next);
            self.left -= 1;
            Some(Ok(Frame::data(self.piece.clone())))
        })
    }
}

/// Reads with a budget of its own.
async fn read_whole(
    headers: &HeaderMap,
    body: &mut RequestBody,
    max: usize,
) -> Result<Bytes, BodyFault> {
    super::read_whole(headers, body, max, &mut Budget::default().share()).await
}

fn full(text: &'static str) -> RequestBody {
    RequestBody::new(Full::from(text).map_err(|never| match never {}))
}

#[tokio::test(start_paused = true)]
async fn a_body_is_read_up_to_its_limit() {
    let headers = HeaderMap::new();
    let read = async |max| read_whole(&headers, &mut full("12345"), max).await;
    assert_eq!(read(5).await.expect("read"), "12345");
    assert!(matches!(read(4).await, Err(BodyFault::TooLarge { max: 4 })));
}

#[tokio::test(start_paused = true)]
async fn n6_a_body_that_announces_too_much_is_refused_unread() {
    let headers = HeaderMap::from_iter([(CONTENT_LENGTH, "1073741824".parse().expect("value"))]);
    let begun = Instant::now();
    let refused = read_whole(&headers, &mut RequestBody::new(Drip::endless()), 1_024).await;
    assert!(matches!(refused, Err(BodyFault::TooLarge { .. })));
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn n6_a_body_that_drips_is_given_up() {
    let begun = Instant::now();
    let refused = read_whole(
        &HeaderMap::new(),
        &mut RequestBody::new(Drip::endless()),
        1_024,
    )
    .await;
    assert!(matches!(refused, Err(BodyFault::TooSlow)));
    let taken = begun.elapsed().as_millis() as u64;
    assert!(
        (BODY_IDLE_MS_MAX..BODY_IDLE_MS_MAX + 1_000).contains(&taken),
        "{taken}"
    );
}

#[tokio::test(start_paused = true)]
async fn n6_a_body_may_take_its_time_at_the_slowest_rate_and_not_below_it() {
    let read = async |bytes_per_second| {
        let mut body = RequestBody::new(Drip::new(bytes_per_second, 100));
        read_whole(&HeaderMap::new(), &mut body, usize::MAX).await
    };
    let whole = read(BODY_BYTES_PER_SECOND_MIN).await.expect("fast enough");
    assert_eq!(whole.len() as u64, 100 * BODY_BYTES_PER_SECOND_MIN);
    let slower = read(BODY_BYTES_PER_SECOND_MIN / 2).await;
    assert!(matches!(slower, Err(BodyFault::TooSlow)));
}

#[tokio::test(start_paused = true)]
async fn m4_a_body_for_which_there_is_no_room_is_refused() {
    let budget = Budget::default();
    let mut others = budget.share();
    assert!(others.grow(BODIES_BYTES_MAX - 4));
    let headers = HeaderMap::new();
    let read =
        async || super::read_whole(&headers, &mut full("12345"), 100, &mut budget.share()).await;
    assert!(matches!(read().await, Err(BodyFault::NoRoom)));
    drop(others);
    assert_eq!(read().await.expect("read"), "12345");
}
