//! The value of a session cookie, put together from the parts into which Auth.js cuts a long one.

use std::borrow::Cow;

use tidings_core::port::{AuthFailure, Presented};

use crate::limits::{SESSION_CHUNKS_MAX, SESSION_COOKIE_BYTES_MAX};

/// Finds the cookie of a name, whole (`name`) or in parts (`name.0`, `name.1`, ...).
///
/// An empty cookie is one that is being removed, and counts as none.
pub(super) fn find<'a>(
    presented: &Presented<'a>,
    name: &str,
) -> Result<Option<Cow<'a, str>>, AuthFailure> {
    let mut whole = None;
    let mut parts = [None; SESSION_CHUNKS_MAX];
    for (found, value) in presented.cookies {
        let Some(suffix) = found.strip_prefix(name) else {
            continue;
        };
        let place = if suffix.is_empty() {
            &mut whole
        } else {
            let Some(number) = suffix.strip_prefix('.').and_then(number) else {
                continue;
            };
            let Some(place) = parts.get_mut(number) else {
                let problem = format!("its cookie has more than {SESSION_CHUNKS_MAX} parts");
                return Err(AuthFailure::Malformed(problem));
            };
            place
        };
        if value.is_empty() {
            continue;
        }
        if place.replace(*value).is_some() {
            return Err(twice());
        }
    }
    let count = parts.iter().flatten().count();
    let value = match (whole, count) {
        (None, 0) => return Ok(None),
        (Some(value), 0) => Cow::Borrowed(value),
        (Some(_), _) => return Err(twice()),
        (None, _) => {
            let in_row: Vec<&str> = parts.iter().map_while(|part| *part).collect();
            if in_row.len() != count {
                return Err(AuthFailure::NotTrusted);
            }
            Cow::Owned(in_row.concat())
        }
    };
    if value.len() > SESSION_COOKIE_BYTES_MAX {
        let problem = format!("its cookie is longer than {SESSION_COOKIE_BYTES_MAX} bytes");
        return Err(AuthFailure::Malformed(problem));
    }
    Ok(Some(value))
}

/// Which of them is meant, nobody can tell.
fn twice() -> AuthFailure {
    AuthFailure::Malformed("its cookie is there twice".to_owned())
}

/// The number of a part in its one spelling.
fn number(text: &str) -> Option<usize> {
    let is_canonical =
        text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| is_canonical)
}

#[cfg(test)]
mod tests {
    use tidings_core::port::Purpose;
    use tidings_core::time::Timestamp;

    use super::*;

    fn read(cookies: &[(&str, &str)]) -> Result<Option<String>, AuthFailure> {
        let peer = std::net::Ipv4Addr::LOCALHOST.into();
        let presented = Presented {
            cookies,
            ..Presented::nothing(Purpose::Read, peer, Timestamp(0))
        };
        find(&presented, "s").map(|found| found.map(Cow::into_owned))
    }

    #[test]
    fn a10_parts_are_joined_by_their_numbers_whatever_their_order() {
        let some = |text: &str| Ok(Some(text.to_owned()));
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&[("t", "a"), ("s", "b"), ("ss", "c")]), some("b"));
        assert_eq!(read(&[("s.1", "b"), ("x", "y"), ("s.0", "a")]), some("ab"));
        assert_eq!(read(&[("s.0", "a")]), some("a"));
        assert_eq!(read(&[("s", ""), ("s.0", "a"), ("s.1", "")]), some("a"));
        assert_eq!(
            read(&[("s.x", "a"), ("s.00", "a"), ("s.+0", "a")]),
            Ok(None)
        );
    }

    #[test]
    fn a10_gaps_and_repeats_are_refused() {
        for gap in [&[("s.1", "b")][..], &[("s.0", "a"), ("s.2", "c")]] {
            assert_eq!(read(gap), Err(AuthFailure::NotTrusted));
        }
        for repeat in [
            [("s", "a"), ("s", "a")],
            [("s.0", "a"), ("s.0", "b")],
            [("s", "a"), ("s.0", "a")],
        ] {
            assert_eq!(read(&repeat), Err(twice()));
        }
    }

    #[test]
    fn a_cookie_has_limits_in_number_and_bytes() {
        let names: Vec<String> = (0..=SESSION_CHUNKS_MAX).map(|n| format!("s.{n}")).collect();
        let parts: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "a")).collect();
        assert!(matches!(read(&parts[..SESSION_CHUNKS_MAX]), Ok(Some(_))));
        assert!(matches!(read(&parts), Err(AuthFailure::Malformed(_))));
        let huge = [("s.99999999999999999999", "a")];
        assert_eq!(read(&huge), Ok(None));

        let long = "a".repeat(SESSION_COOKIE_BYTES_MAX);
        assert!(matches!(read(&[("s", &long)]), Ok(Some(_))));
        let parts = [("s.0", long.as_str()), ("s.1", "a")];
        assert!(matches!(read(&parts), Err(AuthFailure::Malformed(_))));
    }
}
