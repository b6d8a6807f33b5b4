//! The ports: what the hub needs of the world, as traits with stated duties.
//!
//! Each has at least two real implementations and a conformance suite in `tidings-testkit`. All of
//! them are `dyn` at batch granularity, so that assembly happens in one place.

mod authenticator;
mod clock;
mod coder;
mod encoder;
mod event_store;
mod sequencer;
mod shared_store;

pub use authenticator::{
    AuthFailure, AuthFuture, Authenticator, ExplanationFuture, KeyStanding, Presented,
    PublishedKeys, Purpose,
};
pub use clock::Clock;
pub use coder::Coder;
pub use encoder::{Control, Encoder, Farewell, Hello, Shape, Voice};
pub use event_store::{
    Bounds, EventStore, Extent, NewestPage, Page, PageItem, Query, ReadError, Volume,
};
pub use sequencer::{
    AppendError, AppendReply, Appended, Backlog, CommitFeed, Health, Sequencer, TailError,
};
pub use shared_store::{Bucket, Quota, SharedStore, Spent, StoreError, StoreFuture};
