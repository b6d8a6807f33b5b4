//! One element of a list of proxies, in either header's form.

use std::net::{IpAddr, SocketAddr};

use super::Scheme;

/// The elements of a header line from its end, where a comma between quotes does not part them.
/// Quotes that do not pair spoil only what stands before them, which an earlier hop wrote.
pub(super) fn from_end(line: &str) -> impl Iterator<Item = &str> {
    let mut is_quoted = false;
    line.rsplit(move |character: char| {
        is_quoted ^= character == '"';
        character == ',' && !is_quoted
    })
}

/// An element of `X-Forwarded-For`: an address, perhaps in brackets, perhaps with a port.
pub(super) fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let with_port = || text.parse().ok().map(|address: SocketAddr| address.ip());
    text.parse().ok().or_else(with_port).or_else(bracketed)
}

/// An element of `Forwarded` (RFC 7239, section 4): who asked the proxy, and by which scheme. A name
/// that is there twice leaves the element without an address.
pub(super) fn forwarded(text: &str) -> (Option<IpAddr>, Option<Scheme>) {
    let (mut client, mut scheme) = (None, None);
    for pair in text.split(';') {
        let Some((name, value)) = pair.split_once('=') else {
            return (None, None);
        };
        let value = value.trim();
        let unquoted = value
            .strip_prefix('"')
            .and_then(|value| value.strip_suffix('"'))
            .unwrap_or(value);
        let name = name.trim();
        let known = if name.eq_ignore_ascii_case("for") {
            client.replace(address(unquoted)).is_some()
        } else if name.eq_ignore_ascii_case("proto") {
            scheme.replace(Scheme::parse(unquoted)).is_some()
        } else {
            false
        };
        if known {
            return (None, None);
        }
    }
    (client.flatten(), scheme.flatten())
}
