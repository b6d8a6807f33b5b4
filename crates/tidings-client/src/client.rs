//! The client: one hub, one token.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;

use crate::endpoint::{BadUrl, Endpoint};
use crate::exchange::Exchange;
use crate::limits::{ANSWER_TIMEOUT, BACKOFF_BASE, BACKOFF_MAX, CONNECT_TIMEOUT};
use crate::trust::{Trust, TrustError};

/// A client of one hub. Cheap to clone; clones share their idle connections.
#[derive(Clone)]
pub struct Client {
    pub(crate) exchange: Arc<Exchange>,
    pub(crate) options: Options,
}

/// Times that a client keeps.
#[derive(Debug, Clone)]
pub struct Options {
    /// How long connecting may take.
    pub connect_timeout: Duration,
    /// How long an answer may take beyond what was asked to wait.
    pub answer_timeout: Duration,
    /// The first wait before reconnecting is a random part of this.
    pub backoff_base: Duration,
    /// Later waits are a random part of at most this.
    pub backoff_max: Duration,
    /// Which certificates are believed over `https`: without it, those that the system believes.
    pub trust: Option<Trust>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            connect_timeout: CONNECT_TIMEOUT,
            answer_timeout: ANSWER_TIMEOUT,
            backoff_base: BACKOFF_BASE,
            backoff_max: BACKOFF_MAX,
            trust: None,
        }
    }
}

/// Why a client cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// The URL is not one of a hub.
    #[error("the URL of the hub cannot be used: {0}")]
    Url(#[from] BadUrl),
    /// The token holds a line break or the like.
    #[error("the token holds a character that no header may hold")]
    Token,
    /// There are no certificates that could be believed.
    #[error("the certificates that the system believes cannot be used: {0}")]
    Trust(#[from] TrustError),
}

impl Client {
    /// A client of the hub at a URL such as `http://127.0.0.1:7878` or
    /// `https://hub.example`, with a token if it needs one.
    pub fn new(url: &str, token: Option<&str>) -> Result<Self, ClientError> {
        Self::with_options(url, token, Options::default())
    }

    /// A client with its own times.
    pub fn with_options(
        url: &str,
        token: Option<&str>,
        options: Options,
    ) -> Result<Self, ClientError> {
        let endpoint = Endpoint::parse(url)?;
        let authorization = token
            .map(|token| {
                let mut value = HeaderValue::from_str(&format!("Bearer {token}"))
                    .map_err(|_| ClientError::Token)?;
                value.set_sensitive(true);
                Ok::<_, ClientError>(value)
            })
            .transpose()?;
        let trust = match &options.trust {
            Some(trust) => Some(trust.clone()),
            None if endpoint.is_over_tls => Some(Trust::of_system()?),
            None => None,
        };
        let tls = trust.filter(|_| endpoint.is_over_tls);
        let exchange = Exchange::new(endpoint, authorization, tls, options.connect_timeout);
        Ok(Self {
            exchange: Arc::new(exchange),
            options,
        })
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("hub", &self.exchange.authority())
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a12_a_client_does_not_show_its_token() {
        let client = Client::new("http://127.0.0.1:1", Some("CANARY")).expect("a client");
        assert!(!format!("{client:?}").contains("CANARY"));
        let refused = Client::new("http://127.0.0.1:1", Some("CANARY\n")).expect_err("no header");
        assert!(!refused.to_string().contains("CANARY"));
    }
}
