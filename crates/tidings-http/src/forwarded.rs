//! For whom a request is sent, and how it came to the first proxy, as far as proxies are believed.
//!
//! Anybody can write such a header, so it is read only if the peer itself is a trusted proxy, and
//! then from its end, which the nearest proxy wrote: each address of a trusted proxy is stepped over,
//! and the first that is none is the client. What stands before it is the client's own invention.
//! Only the one header that the settings name is read: a proxy that writes the one passes the other
//! through as the client sent it.

mod element;

use std::net::IpAddr;

use http::{HeaderMap, HeaderName};
use ipnet::IpNet;

use crate::limits::FORWARDED_HOPS_MAX;
use crate::peer::Peer;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Headers besides `x-forwarded-*` by which a proxy shows itself.
const PROXY_HEADERS: [&str; 7] = [
    "cf-connecting-ip",
    "client-ip",
    "forwarded",
    "true-client-ip",
    "via",
    "x-client-ip",
    "x-real-ip",
];

/// The header in which trusted proxies tell for whom they ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ForwardedHeader {
    /// `X-Forwarded-For`, with `X-Forwarded-Proto` beside it.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// The text is neither an address nor a network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it is neither an address nor a network such as `10.0.0.0/8` or `fd00::/8`")]
pub struct NotANetwork;

/// Takes a text as a network; an address is the network of itself. IPv4 in the clothes of IPv6 is
/// IPv4, as it is in addresses.
pub fn network(text: &str) -> Result<IpNet, NotANetwork> {
    let network: IpNet = text
        .parse()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
        .map_err(|_| NotANetwork)?;
    let mapped = network.prefix_len().checked_sub(96);
    match (network.addr().to_canonical(), mapped) {
        (address @ IpAddr::V4(_), Some(prefix)) => {
            IpNet::new(address, prefix).map_err(|_| NotANetwork)
        }
        _ => Ok(network),
    }
}

/// The scheme by which a client came to the first proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// In the clear.
    Http,
    /// Over TLS.
    Https,
}

impl Scheme {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Http, Self::Https]
            .into_iter()
            .find(|scheme| text.eq_ignore_ascii_case(scheme.as_str()))
    }
}

/// Where a request comes from, as far as it can be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source {
    /// Whose request it is, for limits and the log.
    pub client: IpAddr,
    /// Known only if TLS ends in the hub, or a trusted proxy says it: it may end where nobody tells the
    /// hub.
    pub scheme: Option<Scheme>,
}

/// Finds out where a request comes from: `trusted` are the proxies that are believed, and `header` is
/// where they tell it.
pub fn source(
    trusted: &[IpNet],
    header: ForwardedHeader,
    peer: Peer,
    headers: &HeaderMap,
) -> Source {
    let mut source = Source {
        client: peer.ip(),
        scheme: peer.scheme(),
    };
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(&address));
    if !is_trusted(source.client) {
        return source;
    }
    if header == ForwardedHeader::XForwardedFor {
        source.scheme = x_forwarded_proto(headers);
    }
    let lines = match header {
        ForwardedHeader::XForwardedFor => headers.get_all(X_FORWARDED_FOR),
        ForwardedHeader::Forwarded => headers.get_all(http::header::FORWARDED),
    };
    // Several lines are one list. What is no ASCII text ends it, like anything that does not parse.
    let hops = lines
        .iter()
        .rev()
        .flat_map(|line| element::from_end(line.to_str().unwrap_or("?")));
    for hop in hops.take(FORWARDED_HOPS_MAX) {
        let (address, scheme) = match header {
            ForwardedHeader::XForwardedFor => (element::address(hop), source.scheme),
            ForwardedHeader::Forwarded => element::forwarded(hop),
        };
        let Some(address) = address else {
            break;
        };
        source = Source {
            client: address.to_canonical(),
            scheme,
        };
        if !is_trusted(source.client) {
            break;
        }
    }
    source
}

/// Some proxies add to the header, others replace it. If what stands there disagrees, nothing is
/// known.
fn x_forwarded_proto(headers: &HeaderMap) -> Option<Scheme> {
    let lines = headers.get_all(X_FORWARDED_PROTO).iter();
    let mut words = lines.flat_map(|line| line.to_str().unwrap_or("?").split(','));
    let first = Scheme::parse(words.next()?.trim())?;
    words
        .all(|word| Scheme::parse(word.trim()) == Some(first))
        .then_some(first)
}

/// Whether somebody tells for whom a request is sent, in one of the headers that could be read.
pub(crate) fn tells_for_whom(headers: &HeaderMap) -> bool {
    headers.contains_key(X_FORWARDED_FOR) || headers.contains_key(http::header::FORWARDED)
}

/// Whether a proxy of any kind has left its mark on a request.
pub(crate) fn is_forwarded(headers: &HeaderMap) -> bool {
    headers.keys().any(|name| {
        let name = name.as_str();
        name.starts_with("x-forwarded-") || PROXY_HEADERS.contains(&name)
    })
}

/// What limits per address count together: an IPv4 address, or the /64 of an IPv6 address, which is
/// what one customer has at least.
pub(crate) fn counted(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            let network = address.to_bits() & !u128::from(u64::MAX);
            std::net::Ipv6Addr::from_bits(network).into()
        }
    }
}

#[cfg(test)]
mod tests;
