//! What of a request is forwarded to the application: what the settings list by name, and no more.

use sha2::{Digest, Sha256};
use tidings_core::port::{AuthFailure, Presented};

use crate::limits::{FORWARDED_BYTES_MAX, FORWARDED_PAIRS_MAX};

/// The credentials of one request, in the order in which they were sent.
#[derive(Debug, Default)]
pub(super) struct Forwarded<'a> {
    cookies: Vec<(&'a str, &'a str)>,
    headers: Vec<(&'a str, &'a [u8])>,
}

/// Which credentials an answer is for, without them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key([u8; 32]);

impl<'a> Forwarded<'a> {
    /// The listed ones of a request, if there are any.
    pub(super) fn gather(
        presented: &Presented<'a>,
        cookies: &[String],
        headers: &[String],
    ) -> Result<Option<Self>, AuthFailure> {
        let mut forwarded = Self::default();
        for (name, value) in presented.cookies {
            if cookies.iter().any(|listed| is_it_or_a_part(name, listed)) && !value.is_empty() {
                forwarded.cookies.push((name, value));
            }
        }
        for (name, value) in presented.headers {
            if headers.iter().any(|listed| listed == name) && !value.is_empty() {
                forwarded.headers.push((name, value));
            }
        }
        let pairs = forwarded.pairs();
        if pairs.is_empty() {
            return Ok(None);
        }
        let bytes: usize = pairs.iter().map(|pair| pair.1.len() + pair.2.len()).sum();
        if pairs.len() > FORWARDED_PAIRS_MAX || bytes > FORWARDED_BYTES_MAX {
            let problem = "it has more cookies and headers than are forwarded";
            return Err(AuthFailure::Malformed(problem.to_owned()));
        }
        // What would end a header or a cookie would be taken for another one.
        let breaks = |byte: &u8| (*byte < 0x20 && *byte != b'\t') || *byte == 0x7f;
        let cookie_breaks = |value: &str| value.contains([';', '\t']);
        if pairs.iter().any(|pair| pair.2.iter().any(breaks))
            || forwarded.cookies.iter().any(|pair| cookie_breaks(pair.1))
        {
            let problem = "it has a character that cannot be forwarded";
            return Err(AuthFailure::Malformed(problem.to_owned()));
        }
        Ok(Some(forwarded))
    }

    /// Whether browsers send all of it along by themselves.
    pub(super) fn is_ambient(&self) -> bool {
        self.headers.is_empty()
    }

    /// As headers of the question.
    pub(super) fn headers(&self) -> Vec<(String, Vec<u8>)> {
        let mut headers = vec![("accept".to_owned(), b"application/json".to_vec())];
        let own = self.headers.iter();
        headers.extend(own.map(|(name, value)| ((*name).to_owned(), value.to_vec())));
        if !self.cookies.is_empty() {
            let cookies = self.cookies.iter();
            let pairs: Vec<String> = cookies
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            headers.push(("cookie".to_owned(), pairs.join("; ").into_bytes()));
        }
        headers
    }

    /// Under which the answer is kept. Lengths go before what they count, so that different
    /// credentials never come to the same text.
    pub(super) fn key(&self) -> Key {
        let mut hash = Sha256::new();
        for (kind, name, value) in self.pairs() {
            hash.update([kind]);
            for part in [name.as_bytes(), value] {
                hash.update((part.len() as u64).to_le_bytes());
                hash.update(part);
            }
        }
        Key(hash.finalize().into())
    }

    fn pairs(&self) -> Vec<(u8, &'a str, &'a [u8])> {
        let cookies = self
            .cookies
            .iter()
            .map(|(name, value)| (0, *name, value.as_bytes()));
        let headers = self.headers.iter().map(|(name, value)| (1, *name, *value));
        cookies.chain(headers).collect()
    }
}

/// Whether a cookie is the listed one or a part of it: long sessions come as `name.0`, `name.1`.
fn is_it_or_a_part(name: &str, listed: &str) -> bool {
    name.strip_prefix(listed).is_some_and(|rest| {
        let number = rest.strip_prefix('.');
        rest.is_empty()
            || number.is_some_and(|number| {
                !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
            })
    })
}

#[cfg(test)]
mod tests;
