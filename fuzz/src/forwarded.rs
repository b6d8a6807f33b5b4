//! What proxies tell of whom they ask for: believed from its end, and from proxies that are trusted.

use std::net::IpAddr;
use std::sync::LazyLock;

use http::{HeaderMap, HeaderName, HeaderValue};
use tidings_http::{ForwardedHeader, IpNet, Peer, Source, network, source};

static TRUSTED: LazyLock<[IpNet; 3]> = LazyLock::new(|| {
    ["10.0.0.0/8", "192.0.2.1", "fd00::/8"].map(|text| network(text).expect("a network"))
});

/// A client that no network of these holds.
const CLIENT: &str = "198.51.100.77";

/// Hops that are looked at, as the surface has it.
const HOPS_MAX: usize = 32;

/// Input: lines of headers, each a name, a colon and a value.
pub fn forwarded(data: &[u8]) {
    let mut headers = HeaderMap::new();
    for line in data.split(|byte| *byte == b'\n') {
        let Some(at) = line.iter().position(|byte| *byte == b':') else {
            continue;
        };
        let name = HeaderName::from_bytes(&line[..at]);
        let value = HeaderValue::from_bytes(line[at + 1..].trim_ascii());
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.append(name, value);
        }
    }
    for (header, name) in [
        (ForwardedHeader::XForwardedFor, "x-forwarded-for"),
        (ForwardedHeader::Forwarded, "forwarded"),
    ] {
        is_judged(header, name, &headers);
    }
}

fn is_judged(header: ForwardedHeader, name: &'static str, headers: &HeaderMap) {
    let ask = |peer: &str, headers: &HeaderMap| {
        let peer: IpAddr = peer.parse().expect("an address");
        source(&*TRUSTED, header, Peer::new((peer, 1).into()), headers)
    };
    let stranger = Source {
        client: CLIENT.parse().expect("an address"),
        scheme: None,
    };
    assert_eq!(ask(CLIENT, headers), stranger, "anybody can write a header");

    let told = ask("10.0.0.1", headers);
    assert_eq!(told.client, told.client.to_canonical());
    let texts: Option<Vec<&str>> = headers
        .get_all(name)
        .iter()
        .map(|value| value.to_str().ok())
        .collect();
    if header == ForwardedHeader::XForwardedFor
        && let Some(texts) = texts.filter(|texts| !texts.concat().contains('"'))
    {
        assert_eq!(told.client, naive(&texts), "{texts:?}");
    }
    // Only the one header counts, with the scheme that belongs to it.
    let mut alone = headers.clone();
    for other in ["x-forwarded-for", "forwarded", "x-real-ip", "via"] {
        if other != name {
            alone.remove(other);
        }
    }
    assert_eq!(ask("10.0.0.1", &alone), told);

    // Whatever a client sends, the proxy that adds its address decides: on a line of its own, or at
    // the end of the last one.
    let element = match header {
        ForwardedHeader::XForwardedFor => CLIENT.to_owned(),
        ForwardedHeader::Forwarded => format!("for={CLIENT}"),
    };
    let own = HeaderValue::try_from(&element).expect("a header");
    let mut with_line = headers.clone();
    with_line.append(name, own);
    assert_eq!(ask("10.0.0.1", &with_line).client, stranger.client);
    let mut lines: Vec<HeaderValue> = headers.get_all(name).iter().cloned().collect();
    if let Some(last) = lines.pop() {
        let longer = [last.as_bytes(), b", ", element.as_bytes()].concat();
        lines.push(HeaderValue::from_bytes(&longer).expect("a header"));
        let mut with_end = headers.clone();
        with_end.remove(name);
        for line in lines {
            with_end.append(name, line);
        }
        let is_text = last.to_str().is_ok();
        let client = ask("10.0.0.1", &with_end).client;
        // What is no text is not read at all, and the proxy itself is the client then.
        assert!(client == stranger.client || !is_text, "{client}");
    }
}

/// The definition: the last hop that no trusted proxy is, or the last that can be read.
fn naive(lines: &[&str]) -> IpAddr {
    let mut client: IpAddr = [10, 0, 0, 1].into();
    let all = lines.join(",");
    let hops: Vec<&str> = if lines.is_empty() {
        Vec::new()
    } else {
        all.split(',').collect()
    };
    for hop in hops.into_iter().rev().take(HOPS_MAX) {
        let hop = hop.trim();
        let inside = hop.strip_prefix('[').and_then(|hop| hop.strip_suffix(']'));
        let address = hop.parse::<IpAddr>().ok();
        let with_port = hop.parse::<std::net::SocketAddr>().ok();
        let found = address
            .or_else(|| with_port.map(|socket| socket.ip()))
            .or_else(|| inside?.parse().ok());
        let Some(found) = found else { break };
        client = found.to_canonical();
        if !TRUSTED.iter().any(|network| network.contains(&client)) {
            break;
        }
    }
    client
}
