//! Origins that browsers may come from, compared exactly (RFC 6454).

use std::fmt;

use super::limits::CORS_ORIGINS_MAX;
use super::value::{Raw, Value, quoted};

/// One origin of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllowedOrigin {
    /// `https://app.example.org`: this and no other.
    Exactly(String),
    /// `http://localhost:*`: this host with any port, or none. For loopback hosts only.
    AnyPort(String),
}

impl AllowedOrigin {
    /// Takes a text as an origin if it is written as browsers send it.
    pub fn parse(text: &str) -> Option<Self> {
        let (scheme, authority) = text.split_once("://")?;
        if !matches!(scheme, "http" | "https") {
            return None;
        }
        if let Some(base) = text.strip_suffix(":*") {
            let host = authority.strip_suffix(":*")?;
            let loopback = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
            return loopback.then(|| Self::AnyPort(base.to_owned()));
        }
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            _ => (authority, None),
        };
        let host_is_fine = !host.is_empty()
            && host.bytes().all(|byte| {
                matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b'[' | b']' | b':')
            });
        // Browsers leave the scheme's own port out, so an origin that names it never matches.
        let own_port = if scheme == "http" { 80 } else { 443 };
        let port_is_fine = port.is_none_or(|port| {
            port.parse::<u16>()
                .is_ok_and(|number| number != own_port && number.to_string() == port)
        });
        (host_is_fine && port_is_fine).then(|| Self::Exactly(text.to_owned()))
    }

    /// Whether an `Origin` header is this one.
    pub fn allows(&self, origin: &str) -> bool {
        match self {
            Self::Exactly(wanted) => wanted == origin,
            Self::AnyPort(base) => origin.strip_prefix(base.as_str()).is_some_and(|rest| {
                rest.is_empty()
                    || rest.strip_prefix(':').is_some_and(|port| {
                        !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())
                    })
            }),
        }
    }
}

impl fmt::Display for AllowedOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(origin) => f.write_str(origin),
            Self::AnyPort(base) => write!(f, "{base}:*"),
        }
    }
}

/// In a variable the list is separated by commas.
impl Value for Vec<AllowedOrigin> {
    const EXPECTED: &'static str =
        "a list of origins such as `https://app.example.org`, without a path or a final slash";

    fn read(raw: &Raw) -> Option<Self> {
        let origins: Self = match raw {
            Raw::Text(text) => text
                .split(',')
                .map(|origin| AllowedOrigin::parse(origin.trim()))
                .collect::<Option<_>>()?,
            Raw::List(entries) => entries
                .iter()
                .map(|entry| match entry {
                    Raw::Text(text) => AllowedOrigin::parse(text),
                    _ => None,
                })
                .collect::<Option<_>>()?,
            _ => return None,
        };
        (origins.len() <= CORS_ORIGINS_MAX).then_some(origins)
    }

    fn show(&self) -> String {
        let origins: Vec<String> = self
            .iter()
            .map(|origin| quoted(&origin.to_string()))
            .collect();
        format!("[{}]", origins.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a19_origins_are_written_as_browsers_send_them() {
        for good in [
            "https://app.example.org",
            "http://localhost:3000",
            "http://localhost:*",
            "http://[::1]",
            "http://[::1]:8080",
            "https://127.0.0.1:*",
        ] {
            assert_eq!(AllowedOrigin::parse(good).expect(good).to_string(), good);
        }
        for bad in [
            "*",
            "null",
            "",
            "app.example.org",
            "https://",
            "https://App.example.org",
            "https://a.example.org/",
            "https://a.example.org/x",
            "https://*.example.org",
            "https://example.org:*",
            "https://example.org:443",
            "http://example.org:80",
            "http://example.org:080",
            "http://example.org:x",
            "ftp://example.org",
            "https://u@example.org",
        ] {
            assert_eq!(AllowedOrigin::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a19_an_origin_is_compared_as_a_whole() {
        let exact = AllowedOrigin::parse("https://example.org").expect("origin");
        let any = AllowedOrigin::parse("http://localhost:*").expect("origin");
        assert!(exact.allows("https://example.org"));
        for origin in [
            "http://localhost",
            "http://localhost:1",
            "http://localhost:65535",
        ] {
            assert!(any.allows(origin), "{origin}");
        }
        for origin in [
            "https://evilexample.org",
            "https://example.org.evil",
            "https://example.org:8443",
            "http://example.org",
            "null",
            "",
            "http://localhost.evil",
            "http://localhost:",
            "http://localhost:1.evil",
            "https://localhost:1",
        ] {
            assert!(!exact.allows(origin) && !any.allows(origin), "{origin}");
        }
    }

    #[test]
    fn a_list_has_a_limit() {
        let list = |n: usize| {
            let entries = (0..n).map(|i| Raw::Text(format!("https://h{i}.example")));
            Vec::<AllowedOrigin>::read(&Raw::List(entries.collect()))
        };
        assert!(list(CORS_ORIGINS_MAX).is_some());
        assert!(list(CORS_ORIGINS_MAX + 1).is_none());
    }
}
