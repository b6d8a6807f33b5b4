//! Addresses of the settings to which credentials are sent.

use std::net::IpAddr;

/// Why nothing is sent to an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointFault {
    /// Not an address of the web.
    #[error("it is not an `https://` address")]
    Scheme,
    /// Whoever is on the way could read credentials.
    #[error("it is not protected: `http` is for this very machine, everywhere else it is `https`")]
    Plain,
    /// No host, or one with a user's name or a password before it.
    #[error("it does not name its host plainly")]
    Host,
    /// Space and control characters have no place in an address.
    #[error("it has a character that no address has")]
    Character,
}

/// Checks that credentials may be sent to an address: `https`, or `http` to this very machine, or
/// anywhere where the settings say so.
pub(crate) fn check(url: &str, plain_allowed: bool) -> Result<(), EndpointFault> {
    if !url
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'\\')
    {
        return Err(EndpointFault::Character);
    }
    let (rest, is_plain) = if let Some(rest) = url.strip_prefix("https://") {
        (rest, false)
    } else if let Some(rest) = url.strip_prefix("http://") {
        (rest, true)
    } else {
        return Err(EndpointFault::Scheme);
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map_or("", |(host, _)| host),
        None => authority.split(':').next().unwrap_or_default(),
    };
    if host.is_empty() || authority.contains('@') {
        return Err(EndpointFault::Host);
    }
    let address = host.parse::<IpAddr>();
    let is_loopback =
        host == "localhost" || address.is_ok_and(|address| address.to_canonical().is_loopback());
    if is_plain && !is_loopback && !plain_allowed {
        return Err(EndpointFault::Plain);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a4_credentials_go_nowhere_unprotected() {
        for good in [
            "https://app.example.com/api/auth/session",
            "http://127.0.0.1:3000/api",
            "http://[::1]:3000/api",
            "http://localhost:3000",
        ] {
            assert_eq!(check(good, false), Ok(()), "{good}");
        }
        for (bad, fault) in [
            ("http://app.example.com/", EndpointFault::Plain),
            ("http://localhost.example.com/", EndpointFault::Plain),
            ("http://127.0.0.1.example.com/", EndpointFault::Plain),
            ("http://169.254.169.254/", EndpointFault::Plain),
            ("http://localhost@example.com/", EndpointFault::Host),
            ("https://me:secret@example.com/", EndpointFault::Host),
            ("https://", EndpointFault::Host),
            ("https:///path", EndpointFault::Host),
            ("ftp://example.com/", EndpointFault::Scheme),
            ("/api", EndpointFault::Scheme),
            ("https://a b/", EndpointFault::Character),
            ("http://127.0.0.1\\@example.com/", EndpointFault::Character),
        ] {
            assert_eq!(check(bad, false), Err(fault), "{bad}");
        }
        assert_eq!(check("http://app.internal/", true), Ok(()));
    }
}
