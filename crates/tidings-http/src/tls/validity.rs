//! From when until when a certificate counts (RFC 5280, section 4.1.2.5).
//!
//! Whoever is shown the certificate checks it; the hub only wants to tell its operator in time. So this
//! reads as much of DER as lies before these two times, and says nothing of anything else.

use tidings_core::time::{Timestamp, parse_rfc3339};

const SEQUENCE: u8 = 0x30;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
/// The version, which is left out of the first one.
const VERSION: u8 = 0xa0;

/// When a certificate in DER begins to count, and when it ends; none if it is no certificate. A time
/// before 1970 is told as 1970.
pub(super) fn of(certificate: &[u8]) -> Option<(Timestamp, Timestamp)> {
    let mut certificate = Der(Der(certificate).expect(SEQUENCE)?);
    let mut signed = Der(certificate.expect(SEQUENCE)?);
    // The version, or the serial number.
    if signed.next()?.0 == VERSION {
        signed.next()?;
    }
    // The algorithm of the signature, and who has signed.
    signed.expect(SEQUENCE)?;
    signed.expect(SEQUENCE)?;
    let mut validity = Der(signed.expect(SEQUENCE)?);
    let (begins, ends) = (validity.next()?, validity.next()?);
    Some((time(begins)?, time(ends)?))
}

/// What has not been read yet of a sequence.
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    /// The kind of the next value, and its content.
    fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (kind, rest) = self.0.split_first()?;
        let (first, mut rest) = rest.split_first()?;
        let mut length = usize::from(*first);
        if length >= 0x80 {
            // So many bytes hold the length; no certificate needs more than three.
            let (bytes, after) = rest.split_at_checked(length - 0x80)?;
            if bytes.is_empty() || bytes.len() > 3 {
                return None;
            }
            length = bytes
                .iter()
                .fold(0, |length, byte| length << 8 | usize::from(*byte));
            rest = after;
        }
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((*kind, content))
    }

    /// The content of the next value, if it is of this kind.
    fn expect(&mut self, kind: u8) -> Option<&'a [u8]> {
        self.next().filter(|next| next.0 == kind).map(|next| next.1)
    }
}

fn time((kind, text): (u8, &[u8])) -> Option<Timestamp> {
    let text = str::from_utf8(text).ok()?;
    let digits = text.strip_suffix('Z')?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (century, digits) = match (kind, digits.len()) {
        // Two digits of a year are of 1950 to 2049.
        (UTC_TIME, 12) if digits < "50" => ("20", digits),
        (UTC_TIME, 12) => ("19", digits),
        (GENERALIZED_TIME, 14) => digits.split_at(2),
        _ => return None,
    };
    let part = |at: usize| &digits[at..at + 2];
    let (year, month, day) = (part(0), part(2), part(4));
    let (hour, minute, second) = (part(6), part(8), part(10));
    let rfc3339 = format!("{century}{year}-{month}-{day}T{hour}:{minute}:{second}Z");
    let ms = parse_rfc3339(&rfc3339)?;
    Some(Timestamp(u64::try_from(ms).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(kind: u8, content: &[u8]) -> Vec<u8> {
        let length = u8::try_from(content.len()).expect("short");
        [&[kind, length], content].concat()
    }

    fn with_times(begins: &[u8], ends: &[u8]) -> Vec<u8> {
        let times = value(SEQUENCE, &[begins, ends].concat());
        let signed = [
            value(VERSION, &[2, 1, 2]),
            value(2, &[7]),
            value(SEQUENCE, &[]),
            value(SEQUENCE, &[]),
            times,
        ];
        value(SEQUENCE, &value(SEQUENCE, &signed.concat()))
    }

    #[test]
    fn both_forms_of_times_are_read() {
        let begins = value(UTC_TIME, b"991231235959Z");
        let ends = value(GENERALIZED_TIME, b"20500101000000Z");
        let found = of(&with_times(&begins, &ends)).expect("a validity");
        assert_eq!(found.0, Timestamp(946_684_799_000));
        assert_eq!(found.1, Timestamp(2_524_608_000_000));
        let before_1970 = value(UTC_TIME, b"500101000000Z");
        let found = of(&with_times(&before_1970, &ends)).expect("a validity");
        assert_eq!(found.0, Timestamp(0));
    }

    #[test]
    fn what_is_no_certificate_has_no_times_and_harms_nobody() {
        let good = value(UTC_TIME, b"261231235959Z");
        for bad in [
            value(UTC_TIME, b"261231235959"),
            value(UTC_TIME, b"20261231235959Z"),
            value(GENERALIZED_TIME, b"261231235959Z"),
            value(UTC_TIME, b"26123123595\xffZ"),
            value(UTC_TIME, "2612312359é".as_bytes()),
            value(UTC_TIME, b"261331235959Z"),
            value(4, b"261231235959Z"),
        ] {
            assert_eq!(of(&with_times(&bad, &good)), None, "{bad:?}");
            assert_eq!(of(&with_times(&good, &bad)), None, "{bad:?}");
        }
        let whole = with_times(&good, &good);
        for end in 0..whole.len() {
            assert_eq!(of(&whole[..end]), None);
        }
        for length in [
            &[0x80][..],
            &[0x84, 0, 0, 0, 1],
            &[0xff],
            &[0x83, 255, 255, 255],
        ] {
            assert_eq!(of(&[&[SEQUENCE], length, b"content"].concat()), None);
        }
    }
}
