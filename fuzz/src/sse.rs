//! The reader of streams, in one piece and in many, against the standard read naively.

use tidings_wire::sse::{Item, Parser};

/// What a stream said, in a form that outlives its parser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Said {
    /// A block: its type, its data, the last event id when it came.
    Message(String, String, String),
    /// An id without data.
    Id(String),
    /// A time to wait.
    Retry(u64),
    /// A comment.
    Comment(String),
}

/// Input: how long the pieces are, then the bytes of a stream.
pub fn sse_parser(data: &[u8]) {
    let Some((first, stream)) = data.split_first() else {
        return;
    };
    let piece = usize::from(*first % 17) + 1;
    let whole = said(stream, stream.len().max(1));
    assert_eq!(whole, said(stream, piece), "pieces of {piece} bytes");
    assert_eq!(whole, said_naively(stream));

    // What one block may hold is limited, however the stream is cut.
    let mut parser = Parser::with_limit(32);
    let mut failed = false;
    for bytes in stream.chunks(piece) {
        let result = parser.feed(bytes, |item| {
            if let Item::Message(message) = item {
                // Bytes that are no UTF-8 grow to three when they are shown.
                assert!(message.data.len() <= 3 * 32);
            }
        });
        assert!(!failed || result.is_err(), "it goes on after a failure");
        failed = result.is_err();
    }
}

/// What the parser says of a stream that comes in pieces of this size.
pub(crate) fn said(stream: &[u8], piece: usize) -> Vec<Said> {
    let mut parser = Parser::default();
    let mut all = Vec::new();
    let mut last = String::new();
    for bytes in stream.chunks(piece) {
        parser
            .feed(bytes, |item| {
                all.push(match item {
                    Item::Message(message) => {
                        if let Some(id) = message.id {
                            id.clone_into(&mut last);
                        }
                        let (name, data) = (message.event_type, message.data);
                        Said::Message(name.into_owned(), data.into_owned(), last.clone())
                    }
                    Item::IdOnly(id) => {
                        id.clone_into(&mut last);
                        Said::Id(id.to_owned())
                    }
                    Item::Retry(ms) => Said::Retry(ms),
                    Item::Comment(text) => Said::Comment(text.into_owned()),
                });
            })
            .expect("an input is shorter than a block may be");
    }
    assert_eq!(parser.last_event_id(), last);
    all
}

/// The same by the words of the HTML standard, section 9.2.6, on the whole stream at once.
fn said_naively(stream: &[u8]) -> Vec<Said> {
    let stream = stream.strip_prefix(b"\xef\xbb\xbf").unwrap_or(stream);
    let mut lines: Vec<Vec<u8>> = vec![Vec::new()];
    let mut at = 0;
    while at < stream.len() {
        match stream[at] {
            b'\r' if stream.get(at + 1) == Some(&b'\n') => {
                at += 1;
                lines.push(Vec::new());
            }
            b'\r' | b'\n' => lines.push(Vec::new()),
            byte => lines.last_mut().expect("there is a line").push(byte),
        }
        at += 1;
    }
    // The last line has not ended.
    lines.pop();

    let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut all = Vec::new();
    let (mut name, mut data, mut id) = (Vec::new(), None::<Vec<u8>>, None::<Vec<u8>>);
    let mut last = String::new();
    for line in lines {
        if line.is_empty() {
            let new_id = id.take();
            if let Some(id) = &new_id {
                last = lossy(id);
            }
            if let Some(data) = data.take() {
                let name = if name.is_empty() {
                    "message".to_owned()
                } else {
                    lossy(&name)
                };
                all.push(Said::Message(name, lossy(&data), last.clone()));
            } else if new_id.is_some() {
                all.push(Said::Id(last.clone()));
            }
            name.clear();
            continue;
        }
        let colon = line.iter().position(|byte| *byte == b':');
        if colon == Some(0) {
            all.push(Said::Comment(lossy(&line[1..])));
            continue;
        }
        let (field, value) = line.split_at(colon.unwrap_or(line.len()));
        let value = value.strip_prefix(b":").unwrap_or(value);
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"event" => name = value.to_vec(),
            b"data" => {
                data = Some(match data.take() {
                    Some(before) => [&before, &b"\n"[..], value].concat(),
                    None => value.to_vec(),
                });
            }
            b"id" if !value.contains(&0) => id = Some(value.to_vec()),
            b"retry" if !value.is_empty() && value.iter().all(u8::is_ascii_digit) => {
                all.extend(lossy(value).parse().ok().map(Said::Retry));
            }
            _ => {}
        }
    }
    all
}
