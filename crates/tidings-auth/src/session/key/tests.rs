//! Keys of sessions against vectors of RFC 7518 and of others who derive and encrypt.

use super::*;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    digits
        .chunks(2)
        .map(|pair| {
            let pair = std::str::from_utf8(pair).expect("digits are ASCII");
            u8::from_str_radix(pair, 16).expect("two digits")
        })
        .collect()
}

/// RFC 7518, appendix B.3.
fn cbc_vector() -> (Key, Sealed<'static>) {
    let mut key = Zeroizing::new([0; CBC_KEY_BYTES]);
    for (index, byte) in key.iter_mut().enumerate() {
        *byte = index as u8;
    }
    let sealed = Sealed {
        associated: "The second principle of Auguste Kerckhoffs",
        encryption: Encryption::CbcHmac,
        key_id: None,
        vector: hex("1af38c2dc2b96ffdd86694092341bc04"),
        content: hex(
            "4affaaadb78c31c5da4b1b590d10ffbd3dd8d5d302423526912da037ecbcc7bd
             822c301dd67c373bccb584ad3e9279c2e6d12a1374b77f077553df829410446b
             36ebd97066296ae6427ea75c2e0846a11a09ccf5370dc80bfecbad28c73f09b3
             a3b75e662a2594410ae496b2e2e6609e31e6e02cc837f053d21f37ff4f51950b
             be2638d09dd7a4930930806d0703b1f6",
        ),
        tag: hex("4dd3b4c088a7f45c216839645b2012bf2e6269a8c56a816dbc1b267761955bc5"),
    };
    (Key::new(KeyBytes::CbcHmac(key)), sealed)
}

/// RFC 7516, appendix A.1, from its content encryption key on.
fn gcm_vector() -> (Key, Sealed<'static>) {
    let key = [
        177, 161, 244, 128, 84, 143, 225, 115, 63, 180, 3, 255, 107, 154, 212, 246, 138, 7, 110,
        91, 112, 46, 34, 105, 47, 130, 203, 46, 122, 234, 64, 252,
    ];
    let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).expect("base64");
    let sealed = Sealed {
        associated: "eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ",
        encryption: Encryption::Gcm,
        key_id: None,
        vector: bytes("48V1_ALb6US04U3b"),
        content: bytes(
            "5eym8TW_c8SuK0ltJ3rpYIzOeDQz7TALvtu6UG9oMo4vpzs9tX_EFShS8iB7j6ji\
             SdiwkIr3ajwQzaBtQD_A",
        ),
        tag: bytes("XFBoMYUZodetZdvTiFvSkQ"),
    };
    (Key::new(KeyBytes::Gcm(Zeroizing::new(key))), sealed)
}

#[test]
fn a10_the_vectors_of_the_specifications_open() {
    let (key, sealed) = cbc_vector();
    let content = key.open(&sealed).expect("RFC 7518, B.3");
    let expected = "A cipher system must not be required to be secret, and it must be able to fall \
                    into the hands of the enemy without inconvenience";
    assert_eq!(content.as_slice(), expected.as_bytes());
    let (key, sealed) = gcm_vector();
    let content = key.open(&sealed).expect("RFC 7516, A.1");
    let expected = "The true sign of intelligence is not knowledge but imagination.";
    assert_eq!(content.as_slice(), expected.as_bytes());
}

#[test]
fn a10_a_change_of_any_bit_of_a_vector_is_refused() {
    for (key, mut sealed) in [cbc_vector(), gcm_vector()] {
        let parts: [for<'a> fn(&'a mut Sealed<'static>) -> &'a mut Vec<u8>; 3] =
            [|s| &mut s.vector, |s| &mut s.content, |s| &mut s.tag];
        for part in parts {
            for bit in 0..part(&mut sealed).len() * 8 {
                part(&mut sealed)[bit / 8] ^= 1 << (bit % 8);
                assert!(key.open(&sealed).is_none(), "{:?} {bit}", key.encryption());
                part(&mut sealed)[bit / 8] ^= 1 << (bit % 8);
            }
            // Every shorter length, and a longer one.
            let whole = part(&mut sealed).clone();
            for length in 0..whole.len() {
                part(&mut sealed).truncate(length);
                assert!(
                    key.open(&sealed).is_none(),
                    "{:?} {length}",
                    key.encryption()
                );
                part(&mut sealed).clone_from(&whole);
            }
            part(&mut sealed).push(0);
            assert!(key.open(&sealed).is_none());
            part(&mut sealed).clone_from(&whole);
        }
        sealed.associated = "another header";
        assert!(key.open(&sealed).is_none());
    }
}

/// Makes the tag that RFC 7518, section 5.2.2.1, demands.
fn sign(mut sealed: Sealed<'static>) -> Sealed<'static> {
    let mac_key: Vec<u8> = (0..HALF_BYTES as u8).collect();
    let mut mac = Hmac::<Sha512>::new_from_slice(&mac_key).expect("any length");
    mac.update(sealed.associated.as_bytes());
    mac.update(&sealed.vector);
    mac.update(&sealed.content);
    mac.update(&(sealed.associated.len() as u64 * 8).to_be_bytes());
    sealed.tag = mac.finalize().into_bytes()[..HALF_BYTES].to_vec();
    sealed
}

#[test]
fn a10_bad_padding_is_refused_like_a_bad_tag_even_if_its_tag_is_good() {
    let (key, sealed) = cbc_vector();
    let sealed = sign(sealed);
    assert_eq!(sealed.tag, cbc_vector().1.tag, "this is how a tag is made");
    key.open(&sealed).expect("so it opens");
    let mut bad_paddings = 0;
    for flip in 1..=255 {
        let (_, mut sealed) = cbc_vector();
        let before_last = sealed.content.len() - 17;
        sealed.content[before_last] ^= flip;
        bad_paddings += usize::from(key.open(&sign(sealed)).is_none());
    }
    // A last byte of 1 is a padding of its own; the padding of this vector is 16 bytes of 16.
    assert_eq!(bad_paddings, 254);
    let (_, mut sealed) = cbc_vector();
    sealed.content.pop();
    assert!(key.open(&sign(sealed)).is_none(), "not whole blocks");
    let (_, mut sealed) = cbc_vector();
    sealed.content.clear();
    assert!(key.open(&sign(sealed)).is_none(), "no block");
    let (_, mut sealed) = cbc_vector();
    sealed.vector.pop();
    assert!(key.open(&sign(sealed)).is_none(), "a short vector");
}

#[test]
fn a10_keys_of_the_two_libraries_differ_by_cookie_encryption_and_secret() {
    let secret = b"a secret that is not one, for tests only";
    let mut thumbprints = vec![Key::of_next_auth(secret).thumbprint];
    for cookie in ["authjs.session-token", "__Secure-authjs.session-token"] {
        for encryption in [Encryption::CbcHmac, Encryption::Gcm] {
            for secret in [secret.as_slice(), b"another"] {
                thumbprints.push(Key::of_auth_js(secret, cookie, encryption).thumbprint);
            }
        }
    }
    let all = thumbprints.len();
    thumbprints.sort();
    thumbprints.dedup();
    assert_eq!(thumbprints.len(), all);
}
