//! Where requests go: a URL with places for the topic, resolved once.

use std::fmt::Write as _;
use std::net::{SocketAddr, ToSocketAddrs as _};

use serde::{Deserialize, Serialize};

const TOPIC: &str = "{topic}";
const NUMBER: &str = "{n}";

/// A URL of which the parts that differ between topics are filled in for each request.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Target {
    pub(super) address: SocketAddr,
    pub(super) host: String,
    path: String,
}

/// A topic name with a place for its number.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct TopicTemplate(String);

/// Why a URL leads nowhere.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TargetError {
    /// Another scheme.
    #[error("a load can only be put on an `http://` URL, and this is none: `{0}`")]
    Scheme(String),
    /// Its host has no address.
    #[error("`{host}` has no address")]
    Unresolved {
        host: String,
        #[source]
        source: std::io::Error,
    },
}

impl Target {
    /// Reads a URL and looks its host up.
    pub(crate) fn resolve(url: &str) -> Result<Self, TargetError> {
        let rest = url
            .strip_prefix("http://")
            .ok_or_else(|| TargetError::Scheme(url.to_owned()))?;
        let at = rest.find(['/', '?']).unwrap_or(rest.len());
        let (host, path) = rest.split_at(at);
        let has_port = host
            .rsplit_once(':')
            .is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let to = if has_port {
            host.to_owned()
        } else {
            format!("{host}:80")
        };
        let unresolved = |source| TargetError::Unresolved {
            host: host.to_owned(),
            source,
        };
        let address = to
            .to_socket_addrs()
            .map_err(unresolved)?
            .next()
            .ok_or_else(|| unresolved(std::io::ErrorKind::NotFound.into()))?;
        let path = if path.starts_with('/') {
            path.to_owned()
        } else {
            format!("/{path}")
        };
        Ok(Self {
            address,
            host: host.to_owned(),
            path,
        })
    }

    /// The path and query of one topic.
    pub(super) fn path(&self, topic: &str, number: u32) -> String {
        self.path
            .replace(TOPIC, &in_url(topic))
            .replace(NUMBER, &number.to_string())
    }
}

impl TopicTemplate {
    pub(crate) fn new(text: String) -> Self {
        Self(text)
    }

    /// Whether it makes more than one topic.
    pub(crate) fn has_number(&self) -> bool {
        self.0.contains(NUMBER)
    }

    /// The topic of a number.
    pub(crate) fn topic(&self, number: u32) -> String {
        self.0.replace(NUMBER, &number.to_string())
    }
}

/// A topic as a part of a URL; its slashes stay.
fn in_url(topic: &str) -> String {
    let mut text = String::with_capacity(topic.len());
    for byte in topic.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/:@".contains(&byte) {
            text.push(char::from(byte));
        } else {
            // Writing to memory cannot fail.
            let _written = write!(text, "%{byte:02X}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_topic_and_its_number_are_filled_in() {
        let url = "http://127.0.0.1:8080/sub/{topic}?n={n}";
        let target = Target::resolve(url).expect("a URL");
        assert_eq!(target.host, "127.0.0.1:8080");
        assert_eq!(target.path("a b/ü", 7), "/sub/a%20b/%C3%BC?n=7");
        let topics = TopicTemplate::new("bench/{n}".to_owned());
        assert!(topics.has_number());
        assert_eq!(topics.topic(12), "bench/12");
    }

    #[test]
    fn a_port_and_a_path_may_be_left_out() {
        let target = Target::resolve("http://127.0.0.1?x=1").expect("a URL");
        assert_eq!(target.address.port(), 80);
        assert_eq!(target.path("t", 0), "/?x=1");
    }

    #[test]
    fn other_schemes_and_hosts_without_address_are_errors() {
        let scheme = Target::resolve("https://localhost/").expect_err("no TLS");
        assert!(matches!(scheme, TargetError::Scheme(_)));
        let host = Target::resolve("http:///x").expect_err("no host");
        assert!(matches!(host, TargetError::Unresolved { .. }));
    }
}
