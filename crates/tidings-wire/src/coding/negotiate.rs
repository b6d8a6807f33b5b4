//! Which coding a reader gets, by what its request says (RFC 9110, section 12.5.3).

use tidings_core::coding::Coding;

use crate::limits::ACCEPT_ENCODING_BYTES_MAX;

/// A weight in thousandths.
type Weight = u16;

/// What a member without a weight has.
const WEIGHT_MAX: Weight = 1_000;

/// What a header says of the codings that there are; nothing where it does not name one.
#[derive(Default)]
struct Offer {
    zstd: Option<Weight>,
    gzip: Option<Weight>,
    identity: Option<Weight>,
    any: Option<Weight>,
}

/// The coding for a request with these headers.
///
/// The one with the highest weight; among equals zstd, then gzip. Text as it is, if the header is
/// missing or offers neither: a reader that refuses that as well can still say so, but not read a
/// refusal. `*` stands for gzip and not for zstd, because programs that accept "anything" are often
/// older than zstd on the web. Members that are malformed are as if they were not there.
///
/// Safari announces zstd, but nobody has seen what it does with several frames: WebKit outside of
/// Chromium gets gzip first.
pub fn negotiate(accept_encoding: Option<&str>, user_agent: Option<&str>) -> Coding {
    let offer = Offer::read(accept_encoding.unwrap_or_default());
    let gzip = (Coding::Gzip, offer.gzip.or(offer.any));
    let zstd = (Coding::Zstd, offer.zstd);
    let by_preference = if user_agent.is_some_and(is_webkit) {
        [gzip, zstd]
    } else {
        [zstd, gzip]
    };
    let mut best = (Coding::Identity, 0);
    for (coding, weight) in by_preference {
        if let Some(weight) = weight.filter(|weight| *weight > best.1) {
            best = (coding, weight);
        }
    }
    match offer.identity {
        Some(identity) if identity > best.1 => Coding::Identity,
        _ => best.0,
    }
}

/// What `Content-Encoding` says of a stream in this coding; none if it has no such header.
pub fn content_encoding(coding: Coding) -> Option<&'static str> {
    match coding {
        Coding::Identity => None,
        Coding::Gzip => Some("gzip"),
        Coding::Zstd => Some("zstd"),
    }
}

/// Whether this is WebKit and not Chromium, which names WebKit for old times' sake. Every browser of
/// iOS is WebKit, Chrome (`CriOS`) included.
fn is_webkit(user_agent: &str) -> bool {
    user_agent.contains("AppleWebKit/")
        && !user_agent.contains("Chrome/")
        && !user_agent.contains("Chromium/")
}

/// A coding and its weight, from a member such as `gzip;q=0.5`.
fn member(text: &[u8]) -> Option<(&[u8], Weight)> {
    let mut parts = text.splitn(2, |byte| *byte == b';');
    let coding = parts.next()?.trim_ascii();
    let weight = match parts.next() {
        None => WEIGHT_MAX,
        Some(parameter) => weight(parameter.trim_ascii())?,
    };
    Some((coding, weight))
}

/// A weight such as `q=0.75`: at most three digits after the point, and at most one.
fn weight(parameter: &[u8]) -> Option<Weight> {
    let [b'q' | b'Q', b'=', whole @ (b'0' | b'1'), fraction @ ..] = parameter else {
        return None;
    };
    let digits = match fraction {
        [] => fraction,
        [b'.', digits @ ..] if digits.len() <= 3 => digits,
        _ => return None,
    };
    let mut weight = Weight::from(whole - b'0');
    for place in 0..3 {
        let digit = digits.get(place).unwrap_or(&b'0');
        if !digit.is_ascii_digit() {
            return None;
        }
        weight = weight * 10 + Weight::from(digit - b'0');
    }
    (weight <= WEIGHT_MAX).then_some(weight)
}

// === impl Offer ===

impl Offer {
    /// Reads a header up to the limit. Of members that name the same coding the first one counts.
    fn read(header: &str) -> Self {
        let mut offer = Self::default();
        for (coding, weight) in whole_members(header.as_bytes()).filter_map(member) {
            let slot = match coding {
                b"*" => &mut offer.any,
                _ if coding.eq_ignore_ascii_case(b"zstd") => &mut offer.zstd,
                _ if coding.eq_ignore_ascii_case(b"gzip") => &mut offer.gzip,
                // The same by another name (RFC 9110, section 8.4.1.3).
                _ if coding.eq_ignore_ascii_case(b"x-gzip") => &mut offer.gzip,
                _ if coding.eq_ignore_ascii_case(b"identity") => &mut offer.identity,
                _ => continue,
            };
            slot.get_or_insert(weight);
        }
        offer
    }
}

/// The members of a header that end within the limit.
fn whole_members(header: &[u8]) -> impl Iterator<Item = &[u8]> {
    let read = match header.get(..ACCEPT_ENCODING_BYTES_MAX) {
        Some(read) if header.len() > read.len() => {
            let last_comma = read.iter().rposition(|byte| *byte == b',');
            &read[..last_comma.unwrap_or(0)]
        }
        _ => header,
    };
    read.split(|byte| *byte == b',')
}
