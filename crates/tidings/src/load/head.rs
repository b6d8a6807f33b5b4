//! The head of a response, however it is cut, and what it says of the body that follows.

use memchr::memmem;

use super::body::Body;
use super::limits::HEAD_BYTES_MAX;

const END: &[u8] = b"\r\n\r\n";

/// A response head as far as a load needs it.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) status: u16,
    /// The hub will close the connection after this answer.
    pub(super) closes: bool,
    pub(super) body: Body,
}

/// Why bytes are no response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the answer is not HTTP/1.1")]
pub(super) struct NotHttp;

/// A head of which a part has arrived.
#[derive(Debug, Default)]
pub(super) struct HeadSoFar(Vec<u8>);

impl HeadSoFar {
    /// Takes from the input what belongs to the head; the head when it is whole.
    pub(super) fn take(&mut self, input: &mut &[u8]) -> Result<Option<Head>, NotHttp> {
        let before = self.0.len();
        let search_from = before.saturating_sub(END.len() - 1);
        self.0.extend_from_slice(input);
        let tail = self.0.get(search_from..).unwrap_or_default();
        let Some(at) = memmem::find(tail, END) else {
            *input = &[];
            return if self.0.len() > HEAD_BYTES_MAX {
                Err(NotHttp)
            } else {
                Ok(None)
            };
        };
        let end = search_from + at + END.len();
        *input = input.get(end - before..).unwrap_or_default();
        let head = parse(self.0.get(..end).unwrap_or_default());
        self.0 = Vec::new();
        head.map(Some)
    }
}

fn parse(text: &[u8]) -> Result<Head, NotHttp> {
    let text = String::from_utf8_lossy(text);
    let mut lines = text.lines();
    let status = lines
        .next()
        .and_then(|line| line.strip_prefix("HTTP/1.")?.get(2..5)?.parse().ok())
        .ok_or(NotHttp)?;
    let mut length = None;
    let mut chunked = false;
    let mut closes = false;
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        let value = value.trim();
        if name.eq_ignore_ascii_case("content-length") {
            length = Some(value.parse().map_err(|_| NotHttp)?);
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            chunked = value.eq_ignore_ascii_case("chunked");
        } else if name.eq_ignore_ascii_case("connection") {
            closes = value.eq_ignore_ascii_case("close");
        }
    }
    let body = match length {
        _ if chunked => Body::chunked(),
        _ if status == 204 || status == 304 => Body::of_length(0),
        Some(length) => Body::of_length(length),
        None => Body::until_close(),
    };
    Ok(Head {
        status,
        closes,
        body,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_wherever_it_is_cut() {
        let text = b"HTTP/1.1 201 Created\r\ncontent-length: 12\r\nX: y\r\n\r\nbody";
        for cut in 0..text.len() {
            let mut head = HeadSoFar::default();
            let (mut first, mut second) = text.split_at(cut);
            let early = head.take(&mut first).expect("HTTP");
            let found = early
                .or_else(|| head.take(&mut second).expect("HTTP"))
                .expect("whole");
            let rest = [first, second].concat();
            assert_eq!(
                (found.status, rest.as_slice()),
                (201, &b"body"[..]),
                "{cut}"
            );
        }
    }

    #[test]
    fn what_is_no_head_or_never_ends_is_refused() {
        let mut text = &b"SSH-2.0-x\r\n\r\n"[..];
        assert_eq!(HeadSoFar::default().take(&mut text).err(), Some(NotHttp));
        let long = vec![b'x'; HEAD_BYTES_MAX + 1];
        let mut text = long.as_slice();
        assert_eq!(HeadSoFar::default().take(&mut text).err(), Some(NotHttp));
    }
}
