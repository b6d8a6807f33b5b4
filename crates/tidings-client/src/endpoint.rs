//! Where a hub is, out of a URL.

use http::uri::{Authority, Scheme};
use http::{HeaderValue, Uri};

/// The address of a hub.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    pub(crate) is_over_tls: bool,
    pub(crate) host: String,
    pub(crate) port: u16,
    /// For the `Host` header, and for errors.
    pub(crate) authority: String,
    pub(crate) host_header: HeaderValue,
    /// What stands before `/v1`, without a final slash; mostly empty.
    prefix: String,
}

/// The URL is not one of a hub.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadUrl {
    /// Not a URL at all, or one with parts that the address of a hub has not.
    #[error("it is not a URL such as `http://127.0.0.1:7878`")]
    NotAUrl,
    /// Neither `http` nor `https`.
    #[error("its scheme is neither `http` nor `https`")]
    Scheme,
    /// `http://user:password@host`.
    #[error("it holds a user name; credentials are given apart from the URL")]
    Credentials,
}

impl Endpoint {
    pub(crate) fn parse(url: &str) -> Result<Self, BadUrl> {
        let uri: Uri = url.parse().map_err(|_| BadUrl::NotAUrl)?;
        let is_over_tls = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTP => false,
            Some(scheme) if *scheme == Scheme::HTTPS => true,
            Some(_) => return Err(BadUrl::Scheme),
            None => return Err(BadUrl::NotAUrl),
        };
        let authority = uri.authority().map_or("", Authority::as_str);
        if authority.contains('@') {
            return Err(BadUrl::Credentials);
        }
        let host = uri.host().filter(|host| !host.is_empty());
        let (Some(host), None) = (host, uri.query()) else {
            return Err(BadUrl::NotAUrl);
        };
        let usual_port = if is_over_tls { 443 } else { 80 };
        Ok(Self {
            is_over_tls,
            // Brackets belong to the URL and not to the address.
            host: host.trim_matches(['[', ']']).to_owned(),
            port: uri.port_u16().unwrap_or(usual_port),
            authority: authority.to_owned(),
            host_header: HeaderValue::from_str(authority).map_err(|_| BadUrl::NotAUrl)?,
            prefix: uri.path().trim_end_matches('/').to_owned(),
        })
    }

    /// The request target of a route.
    pub(crate) fn target(&self, route: &str, query: &str) -> String {
        match query {
            "" => format!("{}{route}", self.prefix),
            _ => format!("{}{route}?{query}", self.prefix),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_hubs_are_understood() {
        for (url, host, port, target) in [
            ("http://127.0.0.1:7878", "127.0.0.1", 7878, "/v1/events"),
            ("http://hub.example/", "hub.example", 80, "/v1/events"),
            ("http://[::1]:1/a/b/", "::1", 1, "/a/b/v1/events"),
            ("https://hub.example", "hub.example", 443, "/v1/events"),
            ("https://[::1]:1/a", "::1", 1, "/a/v1/events"),
        ] {
            let endpoint = Endpoint::parse(url).expect(url);
            assert_eq!((endpoint.host.as_str(), endpoint.port), (host, port));
            assert_eq!(endpoint.is_over_tls, url.starts_with("https"));
            assert_eq!(endpoint.target("/v1/events", ""), target);
        }
    }

    #[test]
    fn other_urls_are_refused() {
        for (url, expected) in [
            ("", BadUrl::NotAUrl),
            ("127.0.0.1:7878", BadUrl::NotAUrl),
            ("/v1", BadUrl::NotAUrl),
            ("http://", BadUrl::NotAUrl),
            ("http://a/?x=1", BadUrl::NotAUrl),
            ("ftp://a", BadUrl::Scheme),
            ("http://u:p@a", BadUrl::Credentials),
        ] {
            assert_eq!(Endpoint::parse(url).expect_err(url), expected, "{url}");
        }
    }
}
