//! The cases of `spec/cases/sse`, which the suites of every language run.

use std::fmt::Write as _;

use serde_json::{Value, json};
use tidings_wire::sse::{Item, Parser};

const FILES: [&str; 3] = [
    include_str!("../../../../spec/cases/sse/lines.json"),
    include_str!("../../../../spec/cases/sse/fields.json"),
    include_str!("../../../../spec/cases/sse/ids.json"),
];

/// Items in the form of the cases, and the last event id.
fn parsed<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Value>, String) {
    let mut parser = Parser::default();
    let mut items = Vec::new();
    for chunk in chunks {
        parser
            .feed(chunk, |item| {
                items.push(match item {
                    Item::Message(message) => {
                        let mut value = json!({"type": message.event_type, "data": message.data});
                        if let Some(id) = message.id {
                            value["id"] = id.into();
                        }
                        value
                    }
                    Item::IdOnly(id) => json!({"idOnly": id}),
                    Item::Retry(ms) => json!({"retry": ms}),
                    Item::Comment(text) => json!({"comment": text}),
                });
            })
            .expect("below the limit");
    }
    (items, parser.last_event_id().to_owned())
}

fn chunk_bytes(chunk: &Value) -> Vec<u8> {
    if let Some(text) = chunk.as_str() {
        return text.as_bytes().to_vec();
    }
    let hex = chunk["hex"].as_str().expect("text or hex");
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex"))
        .collect()
}

#[test]
fn a18_every_case_gives_its_items_however_it_is_cut() {
    let mut failures = String::new();
    let mut count = 0;
    for file in FILES {
        let cases: Vec<Value> = serde_json::from_str(file).expect("a file of cases");
        for case in cases {
            count += 1;
            let chunks: Vec<Vec<u8>> = case["chunks"]
                .as_array()
                .expect("chunks")
                .iter()
                .map(chunk_bytes)
                .collect();
            let whole = chunks.concat();
            let expected = (
                case["items"].as_array().expect("items").clone(),
                case["lastEventId"].as_str().unwrap_or_default().to_owned(),
            );
            let as_given = parsed(chunks.iter().map(Vec::as_slice));
            let at_once = parsed([whole.as_slice()]);
            let byte_by_byte = parsed(whole.chunks(1));
            for (cut, got) in [
                ("as given", as_given),
                ("at once", at_once),
                ("byte by byte", byte_by_byte),
            ] {
                if got != expected {
                    writeln!(failures, "{}, {cut}: {got:?}", case["name"]).expect("text");
                }
            }
        }
    }
    assert!(count >= 40, "{count} cases");
    assert!(failures.is_empty(), "{failures}");
}
