//! The fetch port over the network: HTTP/1.1, TLS by rustls with aws-lc, and the machine's roots.

use std::error::Error as _;
use std::fmt;
use std::time::Duration;

use reqwest::header::{CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, redirect};

use crate::fetch::{Fetch, FetchAnswer, FetchError, FetchFuture, FetchMethod, FetchRequest};

/// How long a connection that is not used is kept for the next request.
const IDLE: Duration = Duration::from_secs(60);

/// Sends the hub's own requests.
pub struct WebFetch {
    client: Client,
}

/// The network cannot be used for the hub's own requests, for want of root certificates perhaps.
#[derive(Debug, thiserror::Error)]
#[error("the client for the hub's own requests cannot be made")]
pub struct WebFetchError(#[source] reqwest::Error);

impl WebFetch {
    /// A client. Which addresses may be asked was decided when they were parsed.
    pub fn new() -> Result<Self, WebFetchError> {
        let client = Client::builder()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .user_agent(concat!("tidings/", env!("CARGO_PKG_VERSION")))
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(2)
            .build()
            .map_err(WebFetchError)?;
        Ok(Self { client })
    }

    async fn send(&self, request: FetchRequest) -> Result<FetchAnswer, FetchError> {
        let timeout = request.timeout;
        let unreachable = |error: reqwest::Error| failure(error, timeout);
        let address = request.address.as_str();
        let sending = match request.method {
            FetchMethod::Get => self.client.get(address),
            // The length of the empty body is told (RFC 9110, section 8.6).
            FetchMethod::Post => {
                let sending = self.client.post(address);
                sending.header(CONTENT_LENGTH, HeaderValue::from_static("0"))
            }
        };
        let answer = sending
            .headers(headers(request.headers)?)
            .timeout(timeout)
            .send();
        let mut answer = answer.await.map_err(unreachable)?;
        let max = request.body_bytes_max;
        if answer
            .content_length()
            .is_some_and(|length| length > max as u64)
        {
            return Err(FetchError::TooLarge(max));
        }
        let status = answer.status().as_u16();
        let headers = answer.headers().iter().filter_map(|(name, value)| {
            let text = value.to_str().ok()?;
            Some((name.as_str().to_owned(), text.to_owned()))
        });
        let headers = headers.collect();
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(unreachable)? {
            if body.len() + chunk.len() > max {
                return Err(FetchError::TooLarge(max));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(FetchAnswer {
            status,
            headers,
            body,
        })
    }
}

fn headers(pairs: Vec<(String, Vec<u8>)>) -> Result<HeaderMap, FetchError> {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        let header = HeaderName::try_from(name).ok();
        let Some((name, mut value)) = header.zip(HeaderValue::try_from(value).ok()) else {
            let problem = "a header of the request cannot be sent";
            return Err(FetchError::Unreachable(problem.to_owned()));
        };
        value.set_sensitive(true);
        headers.append(name, value);
    }
    Ok(headers)
}

/// What a failure comes to. Its text goes to the root of the trouble, and leaves out the address,
/// which whoever asked knows.
fn failure(error: reqwest::Error, timeout: Duration) -> FetchError {
    if error.is_timeout() {
        return FetchError::TimedOut(timeout);
    }
    let error = error.without_url();
    let mut problem = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        problem = format!("{problem}: {inner}");
        cause = inner.source();
    }
    FetchError::Unreachable(problem)
}

impl Fetch for WebFetch {
    fn fetch(&self, request: FetchRequest) -> FetchFuture<'_> {
        Box::pin(self.send(request))
    }
}

impl fmt::Debug for WebFetch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebFetch").finish_non_exhaustive()
    }
}
