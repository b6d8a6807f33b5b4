//! A23: whose request it is, whatever the headers claim.

use std::net::SocketAddr;

use proptest::prelude::*;

use super::*;

const PROXY: &str = "10.0.0.1:1234";

fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in lines {
        map.append(*name, value.parse().expect("a value"));
    }
    map
}

fn found(header: ForwardedHeader, peer: &str, lines: &[(&'static str, &str)]) -> Source {
    let trusted = ["10.0.0.0/8", "fd00::/8", "192.0.2.7"];
    let trusted = trusted.map(|text| network(text).expect(text));
    let peer = Peer::new(peer.parse::<SocketAddr>().expect(peer));
    source(&trusted, header, peer, &headers(lines))
}

fn client(header: ForwardedHeader, peer: &str, lines: &[(&'static str, &str)]) -> String {
    found(header, peer, lines).client.to_string()
}

#[test]
fn a23_nobody_but_a_trusted_proxy_is_believed() {
    for header in [ForwardedHeader::XForwardedFor, ForwardedHeader::Forwarded] {
        let lines = [
            ("x-forwarded-for", "198.51.100.1"),
            ("forwarded", "for=198.51.100.1;proto=https"),
            ("x-forwarded-proto", "https"),
            ("x-real-ip", "198.51.100.1"),
        ];
        let source = found(header, "203.0.113.9:80", &lines);
        assert_eq!(source.client.to_string(), "203.0.113.9");
        assert_eq!(source.scheme, None);
        assert_eq!(client(header, PROXY, &lines), "198.51.100.1");
        assert_eq!(
            client(header, "[::ffff:10.0.0.1]:80", &lines),
            "198.51.100.1"
        );
    }
}

#[test]
fn a23_hops_are_counted_from_the_end_and_trusted_ones_are_stepped_over() {
    use ForwardedHeader::XForwardedFor;
    for (value, expected) in [
        ("198.51.100.1", "198.51.100.1"),
        ("1.1.1.1, 198.51.100.1", "198.51.100.1"),
        ("1.1.1.1,198.51.100.1,10.9.9.9,192.0.2.7", "198.51.100.1"),
        ("198.51.100.1:8443", "198.51.100.1"),
        ("::ffff:198.51.100.1", "198.51.100.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("10.1.1.1, 10.2.2.2", "10.1.1.1"),
        // What does not parse ends the search at the last that did.
        ("1.1.1.1, unknown, 10.2.2.2", "10.2.2.2"),
        ("1.1.1.1, 999.1.1.1", "10.0.0.1"),
        ("1.1.1.1, , 10.2.2.2", "10.2.2.2"),
        ("1.1.1.1, 010.1.1.1", "10.0.0.1"),
        ("1.1.1.1, fe80::1%eth0", "10.0.0.1"),
        ("", "10.0.0.1"),
    ] {
        let lines = [("x-forwarded-for", value)];
        assert_eq!(client(XForwardedFor, PROXY, &lines), expected, "{value}");
    }
    let lines = [
        ("x-forwarded-for", "1.1.1.1, 198.51.100.1"),
        ("x-forwarded-for", "10.3.3.3"),
    ];
    assert_eq!(client(XForwardedFor, PROXY, &lines), "198.51.100.1");
}

#[test]
fn a23_the_header_that_is_not_meant_is_not_read() {
    let lines = [("forwarded", "for=198.51.100.1")];
    assert_eq!(
        client(ForwardedHeader::XForwardedFor, PROXY, &lines),
        "10.0.0.1"
    );
    let lines = [("x-forwarded-for", "198.51.100.1")];
    assert_eq!(
        client(ForwardedHeader::Forwarded, PROXY, &lines),
        "10.0.0.1"
    );
}

#[test]
fn a23_forwarded_is_read_as_rfc_7239_writes_it() {
    for (value, expected) in [
        ("for=198.51.100.1", "198.51.100.1"),
        ("For=\"[2001:db8:cafe::17]:4711\"", "2001:db8:cafe::17"),
        (
            "for=1.1.1.1, for=198.51.100.1;by=10.0.0.1;proto=http",
            "198.51.100.1",
        ),
        ("for=198.51.100.1, for=\"10.4.4.4:80\"", "198.51.100.1"),
        // A client's open quote does not swallow what the proxy added.
        ("for=\"1.1.1.1, for=198.51.100.1", "198.51.100.1"),
        ("for=1.1.1.1;x=\"a,b\", for=10.5.5.5", "1.1.1.1"),
        ("for=1.1.1.1, for=unknown", "10.0.0.1"),
        ("for=1.1.1.1, for=_hidden", "10.0.0.1"),
        ("for=1.1.1.1;for=2.2.2.2", "10.0.0.1"),
        ("for", "10.0.0.1"),
    ] {
        let lines = [("forwarded", value)];
        assert_eq!(
            client(ForwardedHeader::Forwarded, PROXY, &lines),
            expected,
            "{value}"
        );
    }
}

#[test]
fn a23_the_scheme_is_known_only_from_a_trusted_proxy_that_is_clear() {
    for (value, expected) in [
        ("https", Some(Scheme::Https)),
        ("HTTPS", Some(Scheme::Https)),
        ("http", Some(Scheme::Http)),
        ("https, https", Some(Scheme::Https)),
        ("https, http", None),
        ("wss", None),
        ("", None),
    ] {
        let lines = [("x-forwarded-proto", value), ("x-forwarded-for", "1.1.1.1")];
        let source = found(ForwardedHeader::XForwardedFor, PROXY, &lines);
        assert_eq!(source.scheme, expected, "{value}");
    }
    let lines = [(
        "forwarded",
        "for=1.1.1.1;proto=http, for=10.6.6.6;proto=https",
    )];
    let source = found(ForwardedHeader::Forwarded, PROXY, &lines);
    assert_eq!(
        source.scheme,
        Some(Scheme::Http),
        "as the client came to the first proxy"
    );
}

#[test]
fn a23_ten_thousand_hops_are_not_walked() {
    let trusted = vec!["10.7.7.7"; 10_000].join(",");
    let value = format!("198.51.100.1,{trusted}");
    let lines = [("x-forwarded-for", value.as_str())];
    assert_eq!(
        client(ForwardedHeader::XForwardedFor, PROXY, &lines),
        "10.7.7.7"
    );
    let hops = |count: usize| format!("198.51.100.1{}", ",10.7.7.7".repeat(count - 1));
    for (count, expected) in [
        (FORWARDED_HOPS_MAX, "198.51.100.1"),
        (FORWARDED_HOPS_MAX + 1, "10.7.7.7"),
    ] {
        let value = hops(count);
        let lines = [("x-forwarded-for", value.as_str())];
        assert_eq!(
            client(ForwardedHeader::XForwardedFor, PROXY, &lines),
            expected
        );
    }
}

#[test]
fn a24_an_ipv6_customer_is_counted_once() {
    let counted = |text: &str| counted(text.parse().expect(text)).to_string();
    assert_eq!(counted("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
    assert_eq!(counted("2001:db8:1:2:ffff::"), "2001:db8:1:2::");
    assert_ne!(counted("2001:db8:1:3::1"), counted("2001:db8:1:2::1"));
    assert_eq!(counted("::ffff:192.0.2.1"), "192.0.2.1");
}

#[test]
fn a_network_is_a_network_or_an_address() {
    for text in ["10.0.0.0/8", "10.0.0.1", "::1", "fd00::/8"] {
        assert!(network(text).is_ok(), "{text}");
    }
    assert_eq!(network("::ffff:10.0.0.0/104"), network("10.0.0.0/8"));
    assert_eq!(network("::ffff:10.0.0.1"), network("10.0.0.1/32"));
    for text in ["", "10.0.0.0/33", "10.0.0", "proxy.example", "10.0.0.1:80"] {
        assert_eq!(network(text), Err(NotANetwork), "{text}");
    }
}

proptest! {
    #[test]
    fn a23_whatever_a_client_sends_a_proxy_that_adds_the_address_decides(
        invented in "[ -~]{0,60}",
        quoted in any::<bool>(),
    ) {
        let header = if quoted { ForwardedHeader::Forwarded } else { ForwardedHeader::XForwardedFor };
        let (name, added) = match header {
            ForwardedHeader::XForwardedFor => ("x-forwarded-for", format!("{invented}, 198.51.100.1")),
            ForwardedHeader::Forwarded => ("forwarded", format!("{invented}, for=198.51.100.1")),
        };
        prop_assert_eq!(client(header, PROXY, &[(name, added.as_str())]), "198.51.100.1");
        let lines = [(name, invented.as_str()), (name, added.rsplit(", ").next().expect("added"))];
        prop_assert_eq!(client(header, PROXY, &lines), "198.51.100.1");
    }
}
