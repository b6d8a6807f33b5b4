//! By which names the hub may be reached.
//!
//! A page of a foreign name can be made to lead to this machine (DNS rebinding): its requests are of
//! the same origin for the browser, and come with whatever this machine is trusted with. What they
//! cannot do is to name the hub: `Host` says the foreign name.

use std::fmt;
use std::net::Ipv6Addr;

use http::header::HOST;
use http::request::Parts;
use tidings_wire::problem::{Code, Problem};

use crate::forwarded::Scheme;
use crate::limits::HOST_BYTES_MAX;
use crate::origin::Origin;
use crate::router::{Endpoint, Served};

/// A host with its port, in the one spelling in which it is compared: lower case, without a final
/// dot, and without the ports of plain HTTP and of TLS.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HostName(Box<str>);

/// The text is no host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it is not a host such as `hub.example`, `hub.example:8443` or `[::1]:4000`")]
pub struct NotAHost;

impl HostName {
    /// Takes a text as a host.
    pub fn parse(text: &str) -> Result<Self, NotAHost> {
        let (mut name, port) = split(text).ok_or(NotAHost)?;
        if let Some(port) = port.filter(|port| !matches!(port, 80 | 443)) {
            name.push(':');
            name.push_str(&port.to_string());
        }
        Ok(Self(name.into()))
    }

    /// The host as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name in its one spelling, and the port if there is one.
fn split(text: &str) -> Option<(String, Option<u16>)> {
    if text.len() > HOST_BYTES_MAX {
        return None;
    }
    let (name, port) = match text.rsplit_once(':') {
        // The last colon of an address in brackets may be the address's own.
        Some((name, port)) if !port.ends_with(']') => (name, port),
        _ => (text, ""),
    };
    let port = match port {
        "" => None,
        port if port.bytes().all(|byte| byte.is_ascii_digit()) => Some(port.parse().ok()?),
        _ => return None,
    };
    Some((canonical_name(name)?, port))
}

fn canonical_name(name: &str) -> Option<String> {
    if let Some(address) = name.strip_prefix('[') {
        let address: Ipv6Addr = address.strip_suffix(']')?.parse().ok()?;
        return Some(format!("[{address}]"));
    }
    let name = name.strip_suffix('.').unwrap_or(name);
    let is_fine = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    (is_fine && !name.is_empty()).then(|| name.to_ascii_lowercase())
}

/// The host that a request names, as it names it: the authority of its target, or `Host`.
fn text(request: &Parts) -> Option<&str> {
    let authority = request.uri.authority().map(http::uri::Authority::as_str);
    let header = || {
        request
            .headers
            .get(HOST)
            .and_then(|host| host.to_str().ok())
    };
    authority.or_else(header)
}

/// The host that a request names, if that is one.
pub(crate) fn named(request: &Parts) -> Option<HostName> {
    text(request).and_then(|host| HostName::parse(host).ok())
}

/// Whether a page of this origin was served under the very host, port and, where it is known, scheme
/// of a request. Behind a proxy that rewrites the host, the public origin must be listed.
pub(crate) fn serves(request: &Parts, scheme: Option<Scheme>, origin: &Origin) -> bool {
    let origin_scheme = match origin.as_str().split_once("://") {
        Some(("http", _)) => Scheme::Http,
        Some(("https", _)) => Scheme::Https,
        _ => return false,
    };
    let own_port = match origin_scheme {
        Scheme::Http => 80,
        Scheme::Https => 443,
    };
    let whole = |text| split(text).map(|(name, port)| (name, port.unwrap_or(own_port)));
    let host = text(request).and_then(whole);
    scheme.is_none_or(|scheme| scheme == origin_scheme)
        && host.is_some()
        && host == whole(origin.authority())
}

/// Whether the host that a request names is this machine.
pub(crate) fn is_this_machine(request: &Parts) -> bool {
    let name = text(request).and_then(split).map(|(name, _)| name);
    matches!(name.as_deref(), Some("localhost" | "127.0.0.1" | "[::1]"))
}

/// Refuses a request that names two hosts, or one that is not listed.
pub(crate) fn check(
    listed: &[HostName],
    request: &Parts,
    served: Option<Served>,
) -> Result<(), Problem> {
    let named = named(request);
    // RFC 9113, section 8.3.1. In HTTP/1 the target wins (RFC 9112, section 3.2.2), but a proxy that
    // has decided by the other may have decided about another host.
    if let (Some(_), Some(host)) = (request.uri.authority(), request.headers.get(HOST)) {
        let host = host
            .to_str()
            .ok()
            .and_then(|host| HostName::parse(host).ok());
        if host.is_none() || host != named {
            let detail = "the `Host` header and the request's target name different hosts";
            return Err(Problem::new(Code::InvalidHeader, detail)
                .with_hint("send one of them, or the same in both"));
        }
    }
    // A supervisor asks by the address of the machine, and what it is told is of no use to a page.
    let is_probe = matches!(served, Some(Served::Own(Endpoint::Alive | Endpoint::Ready)));
    if listed.is_empty() || is_probe || named.is_some_and(|named| listed.contains(&named)) {
        return Ok(());
    }
    Err(Problem::new(
        Code::Misdirected,
        "the request names a host that this hub does not go by",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(text: &str) -> String {
        HostName::parse(text).expect(text).to_string()
    }

    #[test]
    fn a_host_has_one_spelling() {
        for (text, expected) in [
            ("hub.example", "hub.example"),
            ("HUB.Example.", "hub.example"),
            ("hub.example:443", "hub.example"),
            ("hub.example:80", "hub.example"),
            ("hub.example:", "hub.example"),
            ("hub.example:8443", "hub.example:8443"),
            ("hub.example:08443", "hub.example:8443"),
            ("[::1]", "[::1]"),
            ("[0:0::1]:4000", "[::1]:4000"),
            ("127.0.0.1:4000", "127.0.0.1:4000"),
        ] {
            assert_eq!(host(text), expected);
        }
        let long = "a".repeat(HOST_BYTES_MAX + 1);
        for bad in [
            "",
            ".",
            ":80",
            "a b",
            "user@hub.example",
            "hub.example:x",
            "hub.example:99999",
            "hub.example/x",
            "[::1",
            "[nothing]",
            "::1",
            "hub.example:+80",
            "hüb.example",
            &long,
        ] {
            assert_eq!(HostName::parse(bad), Err(NotAHost), "{bad}");
        }
        assert!(HostName::parse(&long[..HOST_BYTES_MAX]).is_ok());
    }

    #[test]
    fn a19_an_origin_is_the_hubs_own_by_host_port_and_known_scheme() {
        let own = |origin: &str, host: &str, scheme| {
            let request = http::Request::get("/").header(HOST, host);
            let (parts, ()) = request.body(()).expect("a request").into_parts();
            serves(&parts, scheme, &Origin::parse(origin).expect(origin))
        };
        for (origin, host, scheme) in [
            ("https://hub.example", "hub.example", None),
            ("http://hub.example", "hub.example", None),
            (
                "https://hub.example",
                "HUB.example:443",
                Some(Scheme::Https),
            ),
            ("http://hub.example:4000", "hub.example:4000", None),
            ("http://[::1]:4000", "[::1]:4000", Some(Scheme::Http)),
        ] {
            assert!(own(origin, host, scheme), "{origin} {host}");
        }
        for (origin, host, scheme) in [
            ("http://hub.example", "hub.example", Some(Scheme::Https)),
            ("https://hub.example", "hub.example", Some(Scheme::Http)),
            ("https://hub.example:80", "hub.example", None),
            ("https://hub.example", "hub.example:80", None),
            ("http://hub.example:4001", "hub.example:4000", None),
            ("http://evilhub.example", "hub.example", None),
            ("http://sub.hub.example", "hub.example", None),
            ("capacitor://hub.example", "hub.example", None),
        ] {
            assert!(!own(origin, host, scheme), "{origin} {host}");
        }
    }

    #[test]
    fn only_listed_hosts_are_answered_and_two_must_agree() {
        let listed = [HostName::parse("hub.example:4000").expect("a host")];
        let judged = |target: &str, host: Option<&str>| {
            let mut request = http::Request::get(target);
            if let Some(host) = host {
                request = request.header(HOST, host);
            }
            let (parts, ()) = request.body(()).expect("a request").into_parts();
            check(&listed, &parts, None).map_err(|problem| problem.code())
        };
        assert_eq!(judged("/", Some("hub.example:4000")), Ok(()));
        assert_eq!(judged("/", Some("HUB.EXAMPLE.:4000")), Ok(()));
        assert_eq!(judged("http://hub.example:4000/", None), Ok(()));
        assert_eq!(
            judged("http://hub.example:4000/", Some("hub.example:4000")),
            Ok(())
        );
        for host in [
            "hub.example",
            "evil.example",
            "hub.example:4001",
            "hub.example:4000.evil.example",
            "evilhub.example:4000",
            "127.0.0.1:4000",
            "",
        ] {
            assert_eq!(judged("/", Some(host)), Err(Code::Misdirected), "{host}");
        }
        assert_eq!(judged("/", None), Err(Code::Misdirected));
        for host in ["evil.example", ""] {
            let refused = judged("http://hub.example:4000/", Some(host));
            assert_eq!(refused, Err(Code::InvalidHeader), "{host}");
        }
    }
}
