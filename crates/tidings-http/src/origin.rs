//! Origins of web pages: which are listed, and how one is compared.

use std::fmt;

/// An origin in its one spelling, such as `https://app.example:8443`.
///
/// Compared as text, byte by byte: never by suffix, so `https://evilexample.com` is not
/// `https://example.com`, and neither are its other schemes and ports.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin(Box<str>);

/// Why a text is not an origin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OriginError {
    /// `null`, which every sandboxed page and local file sends.
    #[error("`null` is the origin of every sandboxed page; it cannot be listed")]
    Null,
    /// A pattern.
    #[error("it contains `*`; list each origin, or `*` alone for all of them without credentials")]
    Wildcard,
    /// A path, a final slash, an upper-case letter, white space and the like.
    #[error("it is not of the form `https://app.example` or `http://localhost:3000`")]
    Form,
}

impl Origin {
    /// Takes a text as an origin if it is in the form in which browsers send it.
    pub fn parse(text: &str) -> Result<Self, OriginError> {
        if text == "null" {
            return Err(OriginError::Null);
        }
        if text.contains('*') {
            return Err(OriginError::Wildcard);
        }
        let (scheme, authority) = text.split_once("://").ok_or(OriginError::Form)?;
        let scheme_is_fine = scheme.starts_with(|first: char| first.is_ascii_lowercase())
            && scheme.bytes().all(|byte| {
                byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"+-.".contains(&byte)
            });
        let authority_is_fine = !authority.is_empty()
            && authority.bytes().all(|byte| {
                byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-._:[]".contains(&byte)
            });
        if scheme_is_fine && authority_is_fine {
            Ok(Self(text.into()))
        } else {
            Err(OriginError::Form)
        }
    }

    /// The origin as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Host and port, without the port if it is the scheme's own.
    pub(crate) fn authority(&self) -> &str {
        self.0
            .split_once("://")
            .map_or("", |(_, authority)| authority)
    }

    /// Whether it is `localhost` or `127.0.0.1` over plain HTTP or TLS, on any port.
    pub(crate) fn is_this_machine(&self) -> bool {
        let authority = self
            .0
            .strip_prefix("http://")
            .or_else(|| self.0.strip_prefix("https://"));
        let host = authority.map(|authority| {
            authority
                .rsplit_once(':')
                .filter(|(_, port)| port.parse::<u16>().is_ok())
                .map_or(authority, |(host, _)| host)
        });
        matches!(host, Some("localhost" | "127.0.0.1"))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which origins may read answers in a browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origins {
    /// All, but no browser sends or shows credentials with them (`*`).
    Any,
    /// These, with credentials.
    Listed(Vec<Origin>),
    /// These and this machine's on any port, with credentials. For development.
    ListedAndThisMachine(Vec<Origin>),
}

impl Default for Origins {
    fn default() -> Self {
        Self::Listed(Vec::new())
    }
}

impl Origins {
    /// Whether no origin has been listed.
    pub(crate) fn lists_none(&self) -> bool {
        match self {
            Self::Any => true,
            Self::Listed(listed) | Self::ListedAndThisMachine(listed) => listed.is_empty(),
        }
    }

    /// Whether an origin is on the list.
    pub(crate) fn lists(&self, origin: &Origin) -> bool {
        match self {
            Self::Any => false,
            Self::Listed(listed) => listed.contains(origin),
            Self::ListedAndThisMachine(listed) => {
                listed.contains(origin) || origin.is_this_machine()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a19_origins_have_one_spelling() {
        for good in [
            "https://app.example",
            "http://localhost:3000",
            "http://[::1]:8080",
            "capacitor://localhost",
            "chrome-extension://abcdef",
        ] {
            assert_eq!(Origin::parse(good).expect(good).as_str(), good);
        }
        for bad in [
            "",
            "app.example",
            "https://",
            "https://app.example/",
            "https://App.example",
            "https://a b",
            "https://user@app.example",
            "HTTPS://app.example",
            "://app.example",
            "https://app.example, https://b.example",
        ] {
            assert_eq!(Origin::parse(bad), Err(OriginError::Form), "{bad}");
        }
        assert_eq!(Origin::parse("null"), Err(OriginError::Null));
        assert_eq!(
            Origin::parse("https://*.example"),
            Err(OriginError::Wildcard)
        );
    }

    #[test]
    fn a19_only_this_machine_itself_counts_as_this_machine() {
        let is_this_machine = |text: &str| Origin::parse(text).expect(text).is_this_machine();
        for text in [
            "http://localhost",
            "http://localhost:5173",
            "https://127.0.0.1:1",
        ] {
            assert!(is_this_machine(text), "{text}");
        }
        for text in [
            "http://localhost.evil.example",
            "http://evil-localhost",
            "http://127.0.0.1.evil.example:80",
            "ftp://localhost",
            "http://localhost:99999",
            "http://127.0.0.2",
        ] {
            assert!(!is_this_machine(text), "{text}");
        }
    }
}
