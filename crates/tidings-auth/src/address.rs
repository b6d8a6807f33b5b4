//! Addresses that the hub itself asks: from the settings, checked once, and never built from what
//! anybody presents.

use std::fmt;
use std::sync::Arc;

use reqwest::Url;

use crate::limits::ADDRESS_BYTES_MAX;

/// A checked `https:` address, or an `http:` one where that is allowed.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Address(Arc<str>);

/// Where the hub may ask unprotected. Whoever can change a key set on its way can sign any token, and
/// whoever can read a question to the application has the credentials in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PlainHttp {
    /// From this very machine only.
    #[default]
    Loopback,
    /// From anywhere: for networks that are protected otherwise.
    Anywhere,
}

/// Why a text is no address to ask.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressFault {
    /// Not an absolute URL of ordinary length.
    #[error("it is no absolute URL of at most {ADDRESS_BYTES_MAX} bytes")]
    Form,
    /// Another scheme.
    #[error("its scheme is not `https`")]
    Scheme,
    /// Unprotected, and not from this machine.
    #[error("it is not protected: `http` is for this very machine, everywhere else it is `https`")]
    Plain,
    /// A name or a password in it.
    #[error("it has a user name or a password in it, which would show in logs")]
    Credentials,
}

impl Address {
    /// Takes a text as an address.
    pub fn parse(text: &str, plain: PlainHttp) -> Result<Self, AddressFault> {
        if text.len() > ADDRESS_BYTES_MAX {
            return Err(AddressFault::Form);
        }
        let url = Url::parse(text).map_err(|_| AddressFault::Form)?;
        match url.scheme() {
            "https" => {}
            "http" if plain == PlainHttp::Anywhere || is_loopback(&url) => {}
            "http" => return Err(AddressFault::Plain),
            _ => return Err(AddressFault::Scheme),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(AddressFault::Credentials);
        }
        Ok(Self(url.as_str().into()))
    }

    /// The address as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether an address can only mean this machine: a number, or the one name that is reserved for it
/// (RFC 6761, section 6.3).
fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let number = host.trim_start_matches('[').trim_end_matches(']');
    let address = number.parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.to_canonical().is_loopback())
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a4_plain_addresses_are_for_this_machine() {
        let parse = |text| Address::parse(text, PlainHttp::Loopback);
        for good in [
            "https://example.com/keys",
            "http://127.0.0.1:8080/keys",
            "http://[::1]/keys",
            "http://localhost/keys",
        ] {
            assert_eq!(parse(good).expect(good).as_str(), good);
        }
        for (bad, fault) in [
            ("http://example.com/", AddressFault::Plain),
            ("http://169.254.169.254/", AddressFault::Plain),
            ("http://localhost.example.com/", AddressFault::Plain),
            ("http://127.0.0.1.example.com/", AddressFault::Plain),
            ("http://localhost@example.com/", AddressFault::Plain),
            ("https://a b/", AddressFault::Form),
            ("/api", AddressFault::Form),
            ("file:///etc/passwd", AddressFault::Scheme),
            ("ftp://127.0.0.1/", AddressFault::Scheme),
            ("", AddressFault::Form),
            ("example.com", AddressFault::Form),
            ("https://", AddressFault::Form),
            ("https://me:secret@example.com/", AddressFault::Credentials),
        ] {
            assert_eq!(parse(bad), Err(fault), "{bad}");
        }
        let long = format!("https://example.com/{}", "a".repeat(ADDRESS_BYTES_MAX));
        assert_eq!(parse(&long), Err(AddressFault::Form));
        Address::parse("http://example.com/", PlainHttp::Anywhere).expect("allowed");
    }
}
