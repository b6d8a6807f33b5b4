//! Forged tokens: algorithms, signatures and headers (A1 to A3).

use std::io::ErrorKind;
use std::net::TcpListener;

use jsonwebtoken::Algorithm;
use serde_json::json;
use tidings_auth::limits::TOKEN_BYTES_MAX;
use tidings_core::port::AuthFailure;

use crate::forge::{
    SECRET, encode, good, signed, verify, with_claim, with_claims_text, with_header,
};

#[test]
fn a1_no_token_without_the_one_algorithm_and_a_signature_passes() {
    let claims = encode(good().to_string());
    let mut refused = Vec::new();
    for algorithm in ["none", "None", "nOnE", "NONE", "", "hs256", "HS1", "HS256 "] {
        let header = format!(r#"{{"alg":"{algorithm}"}}"#);
        refused.push(format!("{}.{claims}.", encode(&header)));
        refused.push(with_header(&header));
    }
    for algorithm in ["HS384", "HS512", "RS256", "PS256", "ES256", "EdDSA"] {
        refused.push(with_header(&format!(r#"{{"alg":"{algorithm}"}}"#)));
    }
    let header = r#"{"alg":"HS384"}"#;
    let claims_text = good().to_string();
    refused.push(signed(
        header,
        &claims_text,
        Algorithm::HS384,
        SECRET.as_bytes(),
    ));
    for header in [
        "{}",
        "[]",
        "",
        "{",
        r#"{"alg":null}"#,
        r#"{"alg":["HS256"]}"#,
    ] {
        refused.push(with_header(header));
    }
    refused.push(with_header(r#"{"alg":"none","alg":"HS256"}"#));
    for token in refused {
        let failure = verify(&token).expect_err(&token);
        assert!(
            matches!(failure, AuthFailure::NotTrusted | AuthFailure::Malformed(_)),
            "{token}: {failure}"
        );
    }
}

#[test]
fn a1_a_signature_by_another_key_or_over_other_bytes_does_not_pass() {
    let header = r#"{"alg":"HS256"}"#;
    let claims = good().to_string();
    let whole = with_claims_text(&claims);
    verify(&whole).expect("the unchanged token passes");
    let (message, signature) = whole.rsplit_once('.').expect("three parts");

    let pem: &[u8] = b"-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----\n";
    for key in [b"".as_slice(), b"another secret of some good length", pem] {
        let token = signed(header, &claims, Algorithm::HS256, key);
        assert_eq!(verify(&token), Err(AuthFailure::NotTrusted), "{token}");
    }
    for changed in [
        format!("{message}."),
        message.to_owned(),
        format!("{message}.{}", &signature[..signature.len() - 2]),
        format!("{message}.{signature}AA"),
        format!("{message}.{signature}="),
        format!("{message}.{signature}.x"),
        format!(" {whole}"),
        format!("{whole} "),
        String::new(),
        "..".to_owned(),
        "a.b.c.d.e".to_owned(),
    ] {
        verify(&changed).expect_err(&changed);
    }
}

#[test]
fn a1_no_bit_of_a_token_can_be_flipped() {
    let whole = with_claims_text(&good().to_string());
    for index in 0..whole.len() {
        for bit in 0..7 {
            let mut bytes = whole.clone().into_bytes();
            bytes[index] ^= 1 << bit;
            let token = String::from_utf8(bytes).expect("still ASCII");
            verify(&token).expect_err(&token);
        }
    }
}

#[test]
fn a2_a_key_id_is_never_looked_up() {
    // A text says nothing to a provider with one key; anything else is no header.
    for kid in [
        "../../etc/passwd",
        "' OR 1=1 --",
        "http://127.0.0.1/",
        "a\\u0000b",
    ] {
        let header = format!(r#"{{"alg":"HS256","kid":"{kid}"}}"#);
        verify(&with_header(&header)).expect(kid);
        let forged = signed(&header, &good().to_string(), Algorithm::HS256, b"other");
        assert_eq!(verify(&forged), Err(AuthFailure::NotTrusted), "{kid}");
    }
    let huge = format!(r#"{{"alg":"HS256","kid":"{}"}}"#, "k".repeat(1024 * 1024));
    for header in [huge.as_str(), r#"{"alg":"HS256","kid":["a"]}"#] {
        let failure = verify(&with_header(header)).expect_err("refused");
        assert!(matches!(failure, AuthFailure::Malformed(_)), "{failure}");
    }
}

#[test]
fn a3_key_material_and_addresses_in_a_header_are_not_used() {
    let canary = TcpListener::bind("127.0.0.1:0").expect("a listener");
    canary.set_nonblocking(true).expect("non-blocking");
    let url = format!("http://{}/keys", canary.local_addr().expect("bound"));
    let own_key = encode("an attacker's key of a good length");
    for extra in [
        format!(r#""jku":"{url}""#),
        format!(r#""x5u":"{url}""#),
        format!(r#""jwk":{{"kty":"oct","k":"{own_key}"}}"#),
        r#""x5c":["MIIB"]"#.to_owned(),
        format!(r#""jku":"{url}","kid":"{url}""#),
    ] {
        let header = format!(r#"{{"alg":"HS256",{extra}}}"#);
        let forged = signed(
            &header,
            &good().to_string(),
            Algorithm::HS256,
            b"an attacker's key of a good length",
        );
        verify(&forged).expect_err(&header);
    }
    for critical in [r#"["exp"]"#, "[]", r#"["b64"]"#, r#""exp""#] {
        let header = format!(r#"{{"alg":"HS256","crit":{critical}}}"#);
        verify(&with_header(&header)).expect_err(&header);
    }
    let nobody = canary.accept().expect_err("nothing may have been fetched");
    assert_eq!(nobody.kind(), ErrorKind::WouldBlock);
}

#[test]
fn a_token_is_read_up_to_its_limit_and_not_beyond() {
    // Base64 leaves out every fourth length, which a longer name makes up for.
    let of_length = |wanted: usize| {
        let lengths = (5_000..6_200).flat_map(|pad| [(pad, "p"), (pad, "pp")]);
        let mut tokens = lengths.map(|(pad, name)| with_claim(name, Some(json!("x".repeat(pad)))));
        tokens.find(|token| token.len() == wanted)
    };
    let longest = of_length(TOKEN_BYTES_MAX).expect("a token of this length");
    verify(&longest).expect("as long as allowed");
    let beyond = of_length(TOKEN_BYTES_MAX + 1).or_else(|| of_length(TOKEN_BYTES_MAX + 2));
    let refused = verify(&beyond.expect("a longer one")).expect_err("too long");
    assert!(
        refused.to_string().contains("longer than 8192 bytes"),
        "{refused}"
    );
}
