//! The one way out: requests of the hub's own to addresses that the settings name.
//!
//! No part of a credential ever becomes part of an address, so that nobody can make the hub reach
//! out to a place of their choosing.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use crate::address::Address;

/// A request of the hub's own.
#[derive(Clone)]
pub struct FetchRequest {
    /// `GET` or `POST`, the latter with an empty body.
    pub method: FetchMethod,
    /// The whole address, from the settings.
    pub address: Address,
    /// Headers by name in lower case.
    pub headers: Vec<(String, Vec<u8>)>,
    /// Time for all of it, from connecting to the last byte.
    pub timeout: Duration,
    /// Bytes of the answer's body at most.
    pub body_bytes_max: usize,
}

/// How a request asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FetchMethod {
    /// `GET`.
    Get,
    /// `POST`.
    Post,
}

/// What came back, whatever its status. Redirects are not followed: they are answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchAnswer {
    /// The status.
    pub status: u16,
    /// Headers by name in lower case, those with text values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// Why nothing came back. Its text is for the operator's log, and shows no header.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// No connection, or it broke.
    #[error("no answer: {0}")]
    Unreachable(String),
    /// It took too long.
    #[error("no answer within {0:?}")]
    TimedOut(Duration),
    /// The body is larger than asked for.
    #[error("the answer has more than {0} bytes")]
    TooLarge(usize),
}

/// The answer to come.
pub type FetchFuture<'a> =
    Pin<Box<dyn Future<Output = Result<FetchAnswer, FetchError>> + Send + 'a>>;

/// Sends requests.
///
/// Duties: follows no redirect, keeps no cookie, uses no proxy of the environment, and reads no more
/// of a body than it was told to.
pub trait Fetch: Send + Sync + fmt::Debug {
    /// Sends one request.
    ///
    /// # Cancel safety
    ///
    /// A dropped call may have been received.
    fn fetch(&self, request: FetchRequest) -> FetchFuture<'_>;
}

impl fmt::Debug for FetchRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self
            .headers
            .iter()
            .map(|header| header.0.as_str())
            .collect();
        f.debug_struct("FetchRequest")
            .field("method", &self.method)
            .field("address", &self.address)
            .field("header_names", &names)
            .field("timeout", &self.timeout)
            .field("body_bytes_max", &self.body_bytes_max)
            .finish()
    }
}
