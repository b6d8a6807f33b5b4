//! What is forwarded, and what never is.

use std::net::Ipv4Addr;

use tidings_core::port::Purpose;
use tidings_core::time::Timestamp;

use super::*;

fn gather<'a>(
    cookies: &'a [(&'a str, &'a str)],
    headers: &'a [(&'a str, &'a [u8])],
) -> Result<Option<Forwarded<'a>>, AuthFailure> {
    let presented = Presented {
        cookies,
        headers,
        ..Presented::nothing(Purpose::Read, Ipv4Addr::LOCALHOST.into(), Timestamp(0))
    };
    let cookie_names = ["s", "a", "a_b", "ab"].map(str::to_owned);
    let header_names = ["authorization", "a", "a_b", "ab"].map(str::to_owned);
    Forwarded::gather(&presented, &cookie_names, &header_names)
}

fn key(cookies: &[(&str, &str)], headers: &[(&str, &[u8])]) -> Key {
    gather(cookies, headers).expect("good").expect("some").key()
}

#[test]
fn nothing_is_forwarded_that_is_not_listed() {
    let cookies = [
        ("theme", "dark"),
        ("s", "1"),
        ("s.0", "2"),
        ("s.x", "3"),
        ("ss", "4"),
    ];
    let headers: [(&str, &[u8]); 4] = [
        ("host", b"h"),
        ("authorization", b"Bearer t"),
        ("cookie", b"theme=dark; s=1"),
        ("x-forwarded-for", b"1.2.3.4"),
    ];
    let forwarded = gather(&cookies, &headers).expect("good").expect("some");
    assert!(!forwarded.is_ambient());
    let texts: Vec<(String, String)> = forwarded
        .headers()
        .into_iter()
        .map(|(name, value)| (name, String::from_utf8(value).expect("text")))
        .collect();
    let expected = [
        ("accept", "application/json"),
        ("authorization", "Bearer t"),
        ("cookie", "s=1; s.0=2"),
    ];
    assert_eq!(
        texts,
        expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
    assert!(
        gather(&cookies[1..2], &headers[..1])
            .expect("good")
            .expect("some")
            .is_ambient()
    );
    assert!(
        gather(&cookies[..1], &headers[..1])
            .expect("good")
            .is_none()
    );
    assert!(
        gather(&[("s", "")], &[("authorization", b"")])
            .expect("good")
            .is_none()
    );
}

#[test]
fn a17_credentials_that_collide_when_joined_have_keys_of_their_own() {
    let keys = [
        key(&[("a_b", "c")], &[]),
        key(&[("a", "b_c")], &[]),
        key(&[("a", "_bc")], &[]),
        key(&[("ab", "c")], &[]),
        key(&[("a", "bc")], &[]),
        key(&[("a", "b"), ("a", "c")], &[]),
        key(&[("a", "c"), ("a", "b")], &[]),
        key(&[("a", "b=c")], &[]),
        key(&[("a", "ba"), ("a", "c")], &[]),
        key(&[("a", "b")], &[("a", b"c")]),
        key(&[], &[("a", b"b"), ("a", b"c")]),
        key(&[], &[("a", b"bc")]),
        key(&[], &[("a_b", b"c")]),
        key(&[], &[("a", b"b_c")]),
        key(&[("a", "c")], &[("a", b"b")]),
    ];
    for (index, one) in keys.iter().enumerate() {
        assert!(
            keys[index + 1..].iter().all(|other| one != other),
            "{index}"
        );
    }
    assert_eq!(
        key(&[("x", "1"), ("a", "b")], &[]),
        key(&[("a", "b"), ("y", "2")], &[])
    );
}

#[test]
fn what_would_end_a_header_or_a_cookie_is_refused() {
    for value in ["a;b", "a\r\nx: y", "a\n", "a\0", "a\tb", "a\u{7f}"] {
        let refused = gather(&[("s", value)], &[]).expect_err(value);
        assert!(matches!(refused, AuthFailure::Malformed(_)), "{refused}");
    }
    for value in [b"a\r\nb".as_slice(), b"a\0", b"\x7f"] {
        gather(&[], &[("authorization", value)]).expect_err("refused");
    }
    gather(&[], &[("authorization", "ä\tb;c".as_bytes())]).expect("a good header");
}

#[test]
fn what_is_forwarded_has_limits_in_number_and_bytes() {
    let many = vec![("s", "x"); FORWARDED_PAIRS_MAX + 1];
    gather(&many[1..], &[]).expect("as many as allowed");
    gather(&many, &[]).expect_err("one too many");
    let long = "x".repeat(FORWARDED_BYTES_MAX);
    gather(&[("s", &long[1..])], &[]).expect("as long as allowed");
    gather(&[("s", &long)], &[]).expect_err("a byte too long");
}
