//! What is written as a stream is read back as the same, whatever the text and however it is cut.

use bytes::Bytes;
use proptest::prelude::*;
use tidings_core::port::Encoder as _;
use tidings_wire::limits::SSE_BLOCK_BYTES_MAX;
use tidings_wire::sse::{BlockTooLarge, Item, Parser, SSE_ENVELOPE, SSE_PAYLOAD, WireEncoder};

use crate::samples::{event, position};

/// A message as owned text.
type Read = (String, String, Option<String>);

fn feed(parser: &mut Parser, chunk: &[u8], read: &mut Vec<Read>) -> Result<(), BlockTooLarge> {
    parser.feed(chunk, |item| {
        if let Item::Message(message) = item {
            let id = message.id.map(str::to_owned);
            read.push((message.event_type.into(), message.data.into(), id));
        }
    })
}

/// Text of what breaks streams, between ordinary text.
fn nasty() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "\r",
            "\n",
            "\r\n",
            "\0",
            "\u{feff}",
            "\u{2028}",
            "\u{2029}",
            "\u{85}",
            "id: 9",
            "event: x",
            "data: y",
            "retry: 1",
            ":",
            " ",
            "\"",
            "\\",
            "\u{1f600}",
        ])
        .prop_map(str::to_owned),
        "\\PC{0,4}",
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn a18_an_event_survives_its_block(data in nasty(), source in nasty(), cut in 1_usize..40) {
        let json = serde_json::to_string(&data).expect("a string");
        let mut original = event(&json);
        original.content.source = source.as_str().into();
        original.content.metadata = Bytes::from(format!("{{\"note\":{json}}}"));
        let mut bytes = Vec::new();
        WireEncoder::default().event(SSE_ENVELOPE, &original, Some(position(7)), &mut bytes);
        WireEncoder::default().event(SSE_PAYLOAD, &original, Some(position(8)), &mut bytes);

        let mut parser = Parser::default();
        let mut read = Vec::new();
        for chunk in bytes.chunks(cut) {
            feed(&mut parser, chunk, &mut read).expect("below the limit");
        }
        prop_assert_eq!(read.len(), 2);
        let (event_type, envelope, id) = &read[0];
        prop_assert_eq!(event_type, "chapter.created");
        prop_assert_eq!(id.clone(), Some(position(7).to_string()));
        let envelope: serde_json::Value = serde_json::from_str(envelope).expect("an envelope");
        prop_assert_eq!(&envelope["data"], &data);
        prop_assert_eq!(&envelope["source"], &source);
        prop_assert_eq!(&envelope["metadata"]["note"], &data);
        prop_assert_eq!(&read[1].1, &json);
        prop_assert_eq!(parser.last_event_id(), position(8).to_string());
    }

    #[test]
    fn a18_raw_text_as_data_reads_back_with_line_feeds(data in nasty()) {
        let mut bytes = Vec::new();
        WireEncoder::default().event(SSE_PAYLOAD, &event(&data), Some(position(8)), &mut bytes);
        let mut read = Vec::new();
        feed(&mut Parser::default(), &bytes, &mut read).expect("below the limit");
        let lines = data.replace("\r\n", "\n").replace('\r', "\n");
        let id = Some(position(8).to_string());
        prop_assert_eq!(read, [("chapter.created".to_owned(), lines, id)]);
    }

    #[test]
    fn n14_any_bytes_cut_anywhere_give_the_same(
        pieces in prop::collection::vec(
            prop_oneof![
                prop::sample::select(vec![
                    &b"data"[..], b"id", b"event", b"retry", b":", b" ", b"\n", b"\r", b"\r\n",
                    b"\xef\xbb\xbf", b"\xff", b"\0", b"7",
                ]).prop_map(<[u8]>::to_vec),
                prop::collection::vec(any::<u8>(), 0..6),
            ],
            0..40,
        ),
        cuts in prop::collection::vec(1_usize..9, 1..60),
        bytes_max in 1_usize..60,
    ) {
        let bytes = pieces.concat();
        let mut whole = Parser::with_limit(bytes_max);
        let mut read_whole = Vec::new();
        let outcome_whole = feed(&mut whole, &bytes, &mut read_whole);

        let mut cut = Parser::with_limit(bytes_max);
        let mut read_cut = Vec::new();
        let mut outcome_cut = Ok(());
        let mut rest = bytes.as_slice();
        for size in cuts.iter().cycle() {
            if rest.is_empty() || outcome_cut.is_err() {
                break;
            }
            let (chunk, after) = rest.split_at((*size).min(rest.len()));
            outcome_cut = feed(&mut cut, chunk, &mut read_cut);
            rest = after;
        }
        prop_assert_eq!(outcome_cut, outcome_whole);
        prop_assert_eq!(read_cut, read_whole);
        prop_assert_eq!(cut.last_event_id(), whole.last_event_id());
    }
}

#[test]
fn a_block_beyond_the_limit_is_an_error_and_stays_one() {
    let mut parser = Parser::with_limit(100);
    let mut read = Vec::new();
    feed(&mut parser, b"data: small\n\n", &mut read).expect("a small block");
    for _ in 0..100 {
        feed(
            &mut parser,
            b": a comment does not grow the block\n",
            &mut read,
        )
        .expect("a comment");
    }
    let mut outcome = Ok(());
    let mut chunks = 0;
    while outcome.is_ok() {
        chunks += 1;
        assert!(chunks <= 20, "the limit was never reached");
        outcome = feed(&mut parser, b"data: 0123456789\n", &mut read);
    }
    assert_eq!(outcome, Err(BlockTooLarge { max: 100 }));
    assert_eq!(feed(&mut parser, b"\n\n", &mut read), outcome);
    assert_eq!(read.len(), 1, "what came before the error was reported");
}

#[test]
fn a_block_has_a_limit_to_the_byte() {
    let feed = |bytes: usize| {
        let mut parser = Parser::default();
        let mut blocks = 0;
        let field = "data:";
        let line = field.to_owned() + &"x".repeat(bytes - field.len()) + "\n\n";
        let fed = parser.feed(line.as_bytes(), |_| blocks += 1);
        fed.map(|()| blocks)
    };
    let max = SSE_BLOCK_BYTES_MAX;
    assert_eq!(feed(max), Ok(1));
    assert_eq!(feed(max + 1), Err(BlockTooLarge { max }));
}
