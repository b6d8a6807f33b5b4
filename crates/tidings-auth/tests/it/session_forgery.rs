//! Forged session cookies: all refused alike (A10).

use tidings_auth::session::{Policy, SessionCookie};
use tidings_core::port::AuthFailure;

use crate::fixtures::{sessions, valid};
use crate::forge::encode;
use crate::session::{THEN, ask, layout, policy, provider};

const LABELS: [&str; 3] = ["Auth.js 5, ", "NextAuth 4, ", "Auth.js 5, A256GCM"];

const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// A provider with one secret and few names, so that each forgery is tried with few keys.
fn lean() -> SessionCookie {
    let mut policy = policy();
    policy.secrets.truncate(1);
    provider(policy)
}

fn refuse(provider: &SessionCookie, name: &str, value: &str, why: &str) {
    let refused = ask(provider, &[(name, value)], THEN);
    assert_eq!(refused, Err(AuthFailure::NotTrusted), "{why}: {value}");
}

/// The bits that a base64url digit stands for, flipped.
fn flipped(digit: u8, bit: u32) -> u8 {
    let value = DIGITS
        .iter()
        .position(|known| *known == digit)
        .expect("a digit");
    DIGITS[value ^ (1 << bit)]
}

#[test]
fn a10_every_flipped_bit_of_every_segment_is_refused() {
    let provider = lean();
    for label in LABELS {
        let session = valid(label);
        let (name, value) = session.cookies()[0];
        ask(&provider, &session.cookies(), THEN).expect(label);
        let mut segments_seen = [0; 5];
        for index in 0..value.len() {
            let digit = value.as_bytes()[index];
            let segment = value[..index].matches('.').count();
            if digit == b'.' {
                continue;
            }
            for bit in 0..6 {
                let mut bytes = value.as_bytes().to_vec();
                bytes[index] = flipped(digit, bit);
                let forged = String::from_utf8(bytes).expect("ASCII");
                refuse(&provider, name, &forged, label);
                segments_seen[segment] += 1;
            }
        }
        // The second segment, the wrapped key, is empty, and no bit in it can be flipped.
        assert_eq!(
            segments_seen.map(|count| count > 0),
            [true, false, true, true, true]
        );
        for (at, _) in value.match_indices('.') {
            let forged = format!("{}{}", &value[..at], &value[at + 1..]);
            refuse(&provider, name, &forged, "a segment is missing");
            let forged = format!("{}..{}", &value[..at], &value[at + 1..]);
            refuse(&provider, name, &forged, "a segment too many");
        }
        let forged = value.replacen("..", ".AAAA.", 1);
        refuse(&provider, name, &forged, "a wrapped key");
    }
}

#[test]
fn a10_a_tag_of_any_other_length_is_refused() {
    let provider = lean();
    for label in LABELS {
        let session = valid(label);
        let (name, value) = session.cookies()[0];
        let (rest, tag) = value.rsplit_once('.').expect("five segments");
        for length in 0..tag.len() {
            let forged = format!("{rest}.{}", &tag[..length]);
            refuse(&provider, name, &forged, "a truncated tag");
        }
        for more in ["A", "AA", "AAAA", "=", ".", " "] {
            refuse(&provider, name, &format!("{value}{more}"), "a longer tag");
        }
        for length in [1, 8, 15, 16, 17, 31, 32, 33, 64] {
            let forged = format!("{rest}.{}", encode(vec![0; length]));
            refuse(&provider, name, &forged, "a tag of zeros");
        }
    }
}

#[test]
fn a10_a_tag_of_another_session_is_refused() {
    let provider = lean();
    for (label, other) in [
        ("Auth.js 5, ", "Auth.js 5, two secrets"),
        ("Auth.js 5, ", "Auth.js 5, __Secure-"),
        ("NextAuth 4, ", "NextAuth 4, __Secure-"),
    ] {
        let (session, other) = (valid(label), valid(other));
        let (name, value) = session.cookies()[0];
        let parts: Vec<&str> = value.split('.').collect();
        let others: Vec<&str> = other.cookies()[0].1.split('.').collect();
        for swapped in 2..5 {
            let mut forged = parts.clone();
            forged[swapped] = others[swapped];
            refuse(&provider, name, &forged.join("."), "a swapped segment");
        }
        let mut forged = parts.clone();
        forged.swap(2, 4);
        refuse(
            &provider,
            name,
            &forged.join("."),
            "segments in another order",
        );
    }
}

#[test]
fn a10_another_secret_and_another_name_are_refused() {
    let provider = lean();
    let others = sessions("others");
    assert_eq!(others.len(), 3);
    for session in others {
        let (name, value) = session.cookies()[0];
        refuse(&provider, name, value, &session.label);
    }
    for label in ["Auth.js 5, secret before", "NextAuth 4, secret before"] {
        let session = valid(label);
        let (name, value) = session.cookies()[0];
        refuse(&provider, name, value, "a secret that is no longer listed");
    }
    // The name of its cookie is the salt of the key.
    let moved = valid("Auth.js 5, ");
    for name in ["__Secure-authjs.session-token", "next-auth.session-token"] {
        refuse(&provider, name, &moved.cookies[0].1, "the wrong salt");
    }
}

#[test]
fn a10_headers_of_other_algorithms_are_refused() {
    let provider = lean();
    for label in LABELS {
        let session = valid(label);
        let (name, value) = session.cookies()[0];
        let (_, rest) = value.split_once('.').expect("five segments");
        for header in [
            r#"{"alg":"none","enc":"A256GCM"}"#,
            r#"{"alg":"dir","enc":"none"}"#,
            r#"{"alg":"dir","enc":"A128GCM"}"#,
            r#"{"alg":"dir","enc":"A256GCM","zip":"DEF"}"#,
            r#"{"alg":"dir","enc":"A256GCM","crit":["exp"]}"#,
            r#"{"alg":"PBES2-HS512+A256KW","p2c":2147483647,"p2s":"AA","enc":"A256GCM"}"#,
            r#"{"alg":"dir","enc":"A256GCM","kid":"x"}"#,
            r#"{"alg":"dir","enc":"A256CBC-HS512","kid":"../../dev/null"}"#,
            "{}",
            "",
        ] {
            refuse(
                &provider,
                name,
                &format!("{}.{rest}", encode(header)),
                header,
            );
        }
        for shape in [
            "",
            ".",
            "....",
            "x",
            "a.b.c",
            "\u{e4}.\u{e4}.\u{e4}.\u{e4}.\u{e4}",
        ] {
            if !shape.is_empty() {
                refuse(&provider, name, shape, "no token at all");
            }
        }
        let signed = crate::forge::with_claims_text(&crate::forge::good().to_string());
        refuse(&provider, name, &signed, "a signed token");
    }
}

#[test]
fn a10_parts_that_were_swapped_or_are_missing_are_refused() {
    let provider = lean();
    for label in ["Auth.js 5, in parts, ", "NextAuth 4, in parts, "] {
        let session = valid(label);
        ask(&provider, &session.cookies(), THEN).expect(label);
        let count = session.cookies.len();
        assert_eq!(count, 3);
        for missing in 0..count {
            let mut cookies = session.cookies();
            cookies.remove(missing);
            let refused = ask(&provider, &cookies, THEN);
            assert_eq!(
                refused,
                Err(AuthFailure::NotTrusted),
                "without part {missing}"
            );
        }
        for (a, b) in [(0, 1), (1, 2), (0, 2)] {
            let mut cookies = session.cookies();
            (cookies[a].1, cookies[b].1) = (cookies[b].1, cookies[a].1);
            let refused = ask(&provider, &cookies, THEN);
            assert_eq!(refused, Err(AuthFailure::NotTrusted), "swapped {a} and {b}");
        }
    }
}

#[test]
fn a12_no_failure_shows_a_cookie_or_a_part_of_it() {
    let provider = provider(Policy {
        layout: layout("name", &["iat"]),
        ..policy()
    });
    let session = valid("Auth.js 5, ");
    let (name, value) = session.cookies()[0];
    for cookies in [
        vec![(name, &value[1..])],
        vec![(name, value), (name, value)],
        vec![(name, value)],
    ] {
        let failure = ask(&provider, &cookies, THEN).expect_err("refused");
        for shown in [failure.to_string(), format!("{failure:?}")] {
            for secret in [&value[1..20], "Ada", "u1", "ada@example.com"] {
                assert!(!shown.contains(secret), "{shown}");
            }
        }
    }
}
