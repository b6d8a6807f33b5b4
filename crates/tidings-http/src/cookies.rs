//! The cookies of a request, as browsers send them (RFC 6265, section 5.4).
//!
//! Other applications of the same site leave cookies of every kind, so what is no cookie is passed
//! over; only their number is bounded.

use http::HeaderMap;
use http::header::COOKIE;

use crate::limits::COOKIES_MAX;

/// A request has more cookies than are read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the request has more than {COOKIES_MAX} cookies")]
pub(crate) struct TooManyCookies;

/// The cookies of a request, in the order in which they were sent. Several `Cookie` headers are one
/// (RFC 9113, section 8.2.3). Names and values are as sent, but for the quotes around a value.
pub(crate) fn read(headers: &HeaderMap) -> Result<Vec<(&str, &str)>, TooManyCookies> {
    let mut cookies = Vec::new();
    for line in headers.get_all(COOKIE) {
        for piece in line.as_bytes().split(|byte| *byte == b';') {
            let Some(cookie) = cookie(piece) else {
                continue;
            };
            if cookies.len() == COOKIES_MAX {
                return Err(TooManyCookies);
            }
            cookies.push(cookie);
        }
    }
    Ok(cookies)
}

/// The cookies of one `Cookie` header, as far as they are read.
pub fn pairs(header: &str) -> Vec<(&str, &str)> {
    let pieces = header.as_bytes().split(|byte| *byte == b';');
    pieces.filter_map(cookie).take(COOKIES_MAX).collect()
}

fn cookie(piece: &[u8]) -> Option<(&str, &str)> {
    let (name, value) = str::from_utf8(piece).ok()?.split_once('=')?;
    let is_blank = |character| matches!(character, ' ' | '\t');
    let (name, value) = (name.trim_matches(is_blank), value.trim_matches(is_blank));
    let unquoted = value
        .strip_prefix('"')
        .and_then(|value| value.strip_suffix('"'));
    (!name.is_empty()).then_some((name, unquoted.unwrap_or(value)))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn headers(lines: &[&[u8]]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(COOKIE, HeaderValue::from_bytes(line).expect("a value"));
        }
        headers
    }

    #[test]
    fn cookies_are_read_as_they_are_sent() {
        let sent = headers(&[
            b"a=1; b=\"x y\";c==2=; ;nothing; =unnamed;d=; e = f ",
            b"a=again; \xff=bad; g=\xc3\xa9; h=%20; i=\"",
        ]);
        let read = read(&sent).expect("cookies");
        assert_eq!(
            read,
            [
                ("a", "1"),
                ("b", "x y"),
                ("c", "=2="),
                ("d", ""),
                ("e", "f"),
                ("a", "again"),
                ("g", "é"),
                ("h", "%20"),
                ("i", "\""),
            ]
        );
        assert!(super::read(&HeaderMap::new()).expect("none").is_empty());
    }

    #[test]
    fn cookies_are_counted() {
        let many = "a=1;".repeat(COOKIES_MAX);
        let sent = headers(&[many.as_bytes()]);
        assert_eq!(read(&sent).expect("cookies").len(), COOKIES_MAX);
        let sent = headers(&[many.as_bytes(), b"b=2"]);
        assert_eq!(read(&sent), Err(TooManyCookies));
    }

    proptest! {
        #[test]
        fn cookies_split_over_headers_are_the_same_cookies(
            pairs in proptest::collection::vec(("[!-~&&[^=;\"]]{1,8}", "[!-~&&[^;\"]]{0,8}"), 0..8),
            at in 0_usize..8,
        ) {
            let texts: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let at = at.min(texts.len());
            let one = headers(&[texts.join("; ").as_bytes()]);
            let two = headers(&[texts[..at].join("; ").as_bytes(), texts[at..].join(";").as_bytes()]);
            let expected: Vec<(&str, &str)> = pairs
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect();
            prop_assert_eq!(read(&one).expect("cookies"), expected.clone());
            prop_assert_eq!(read(&two).expect("cookies"), expected);
        }

        #[test]
        fn no_cookie_header_panics(line in proptest::collection::vec(any::<u8>(), 0..60)) {
            if let Ok(line) = HeaderValue::from_bytes(&line) {
                let mut headers = HeaderMap::new();
                headers.append(COOKIE, line);
                prop_assert!(read(&headers).expect("few").iter().all(|(name, _)| !name.is_empty()));
            }
        }
    }
}
