//! Publish bodies in native JSON: what is taken, and where and why the rest is refused.

use proptest::prelude::*;
use tidings_core::event::Content;
use tidings_core::limits::{
    AUDIENCE_KEYS_MAX, EVENT_BYTES_MAX, GROUP_EVENTS_MAX, READER_WAIT_MS_DEFAULT,
    READER_WAIT_MS_MAX, READERS_AWAITED_MAX, SOURCE_BYTES_MAX,
};
use tidings_core::priority::Priority;
use tidings_wire::limits::{JSON_DEPTH_MAX, OBJECT_FIELDS_MAX};
use tidings_wire::publish::{Body, Publication, PublishError, decode, decode_event};

use crate::samples::audience;

fn taken(text: &str) -> Content {
    decode_event(text.as_bytes()).expect(text).content
}

/// Path, code and message of a refusal, with its hint.
fn refused(text: &str) -> String {
    describe(&decode(text.as_bytes()).expect_err(text))
}

fn describe(error: &PublishError) -> String {
    let hint = error.hint().map(|hint| format!(" hint: {hint}"));
    format!(
        "{:?} {}: {error}{}",
        error.path,
        error.code(),
        hint.unwrap_or_default()
    )
}

#[test]
fn every_field_is_taken() {
    let content = taken(
        r#"{"topics":["b","a\u002fc"],"users":["u1"],"roles":["ADMIN"],"id":"order-1",
            "type":"order.paid","priority":"high","source":"shop","data":{"n":1},
            "metadata":{"userId":"u9"}}"#,
    );
    assert_eq!(
        content.audience,
        audience(&["a/c", "b", "@user/u1", "@role/ADMIN"])
    );
    assert_eq!(content.id.expect("an id").as_str(), "order-1");
    assert_eq!(content.event_type.as_str(), "order.paid");
    assert_eq!(content.priority, Priority::High);
    assert_eq!(&*content.source, "shop");
    assert_eq!(content.data, r#"{"n":1}"#);
    assert_eq!(content.metadata, r#"{"userId":"u9"}"#);
}

#[test]
fn only_the_type_is_required_and_no_addressee_means_everyone() {
    let content = taken(r#"{"type":"t"}"#);
    assert_eq!(content.audience, audience(&["@all"]));
    assert_eq!(content.data, "null");
    assert_eq!(content.metadata, "");
    assert_eq!(content.priority, Priority::Normal);
    assert_eq!(content.id, None);
}

#[test]
fn data_keeps_its_text_but_for_line_breaks() {
    for data in [
        "1.50",
        "1e400",
        "123456789012345678901234567890",
        "-0.0",
        r#""a\u0000\ud800 \/""#,
        r#"{"a":1,"a":2}"#,
        "[ 1 , 2 ]",
        "\"\u{2028}\"",
        "false",
    ] {
        assert_eq!(
            taken(&format!(r#"{{"type":"t","data":{data}}}"#)).data,
            data
        );
    }
    let pretty = taken(
        "{\"type\":\"t\",\"data\":{\r\n  \"a b\": [1.0,\n 2]\n}, \"metadata\": {\n \"k\" : 1\n} }",
    );
    assert_eq!(pretty.data, r#"{"a b":[1.0,2]}"#);
    assert_eq!(pretty.metadata, r#"{"k":1}"#);
}

#[test]
fn refusals_say_where_and_what_to_do() {
    let bodies = [
        "",
        "  ",
        "nonsense",
        "42",
        "NaN",
        "\u{feff}{\"type\":\"t\"}",
        r#"{"type":"t"} x"#,
        r#"{"type":"t","data":NaN}"#,
        r#"{"type":"t","data":+1}"#,
        r#"{"type":"t","data":[1,]}"#,
        "{\"type\":\"t\",\"data\":\"a\nb\"}",
        r#"{"type":"t","#,
        r#"{"data":1}"#,
        r#"{"type":7}"#,
        r#"{"type":"\ud800"}"#,
        r#"{"type":""}"#,
        r#"{"type":"a b"}"#,
        r#"{"type":"tidings.hello"}"#,
        r#"{"type":"t","topic":"project/42"}"#,
        r#"{"tpye":"t"}"#,
        r#"{"type":"t","channel":"a"}"#,
        r#"{"type":"t","timestamp":1}"#,
        r#"{"type":"t","a/b~c":1}"#,
        r#"{"type":"t","ttl":60}"#,
        r#"{"type":"t","conflationKey":"a"}"#,
        r#"{"type":"t","exclude":"a"}"#,
        r#"{"type":"t","wait":null}"#,
        r#"{"type":"t","wait":"3s"}"#,
        r#"{"type":"t","wait":{"subscriber":1}}"#,
        r#"{"type":"t","wait":{"subscribers":1,"subscribers":1}}"#,
        r#"{"type":"t","wait":{"subscribers":0}}"#,
        r#"{"type":"t","wait":{"subscribers":1001}}"#,
        r#"{"type":"t","wait":{"subscribers":-1}}"#,
        r#"{"type":"t","wait":{"subscribers":1.5}}"#,
        r#"{"type":"t","wait":{"subscribers":"1"}}"#,
        r#"{"type":"t","wait":{"timeout":3}}"#,
        r#"{"type":"t","wait":{"timeout":"soon"}}"#,
        r#"{"type":"t","wait":{"timeout":"30001ms"}}"#,
        r#"{"type":"t","type":"t"}"#,
        r#"{"type":"t","\u0074ype":"t"}"#,
        r#"{"type":"t","topics":"a"}"#,
        r#"{"type":"t","topics":null}"#,
        r#"{"type":"t","topics":[]}"#,
        r#"{"type":"t","topics":[],"users":[]}"#,
        r#"{"type":"t","topics":["a",1]}"#,
        r#"{"type":"t","topics":["a","b//c"]}"#,
        r#"{"type":"t","topics":["a%2Fb"]}"#,
        r#"{"type":"t","topics":["a/*"]}"#,
        r#"{"type":"t","topics":["@all"]}"#,
        r#"{"type":"t","users":[""]}"#,
        r#"{"type":"t","roles":["a\n"]}"#,
        r#"{"type":"t","id":"a b"}"#,
        r#"{"type":"t","id":"a\r\nid: 9"}"#,
        r#"{"type":"t","id":"1042-k3x9f2m4q7"}"#,
        r#"{"type":"t","priority":"urgent"}"#,
        r#"{"type":"t","source":"a\u0000"}"#,
        r#"{"type":"t","metadata":[]}"#,
        r#"{"type":"t","metadata":null}"#,
        r#"{"type":"t","metadata":{"topics":["x"]}}"#,
        r#"{"type":"t","metadata":{"a":1,"a":2}}"#,
        "[]",
        "[1]",
        r#"[{"type":"t"},{"type":"t","topics":["a","@b"]}]"#,
        r#"[{"type":"t"},{"typ":"t"}]"#,
    ];
    let report: Vec<String> = bodies
        .iter()
        .map(|body| format!("{}\n    {}", body.escape_debug(), refused(body)))
        .collect();
    insta::assert_snapshot!(report.join("\n"));
}

#[test]
fn an_array_is_one_group_in_order() {
    let body = decode(br#" [{"type":"a"},{"type":"b"}]"#).expect("a group");
    let Body::Group(group) = body else {
        panic!("an array is a group even of one");
    };
    let types: Vec<&str> = group
        .iter()
        .map(|one| one.content.event_type.as_str())
        .collect();
    assert_eq!(types, ["a", "b"]);
    assert!(matches!(decode(br#"{"type":"a"}"#), Ok(Body::One(_))));
}

#[test]
fn every_limit_of_a_body_is_reached() {
    let event = |count: usize| {
        let topics: Vec<String> = (0..count).map(|n| format!("\"t{n}\"")).collect();
        format!(r#"{{"type":"t","topics":[{}]}}"#, topics.join(","))
    };
    assert!(decode_event(event(AUDIENCE_KEYS_MAX).as_bytes()).is_ok());
    assert!(refused(&event(AUDIENCE_KEYS_MAX + 1)).contains("65 addressees"));
    let users: Vec<String> = (0..AUDIENCE_KEYS_MAX)
        .map(|n| format!("\"u{n}\""))
        .collect();
    let both = format!(
        r#"{{"type":"t","topics":["a"],"users":[{}]}}"#,
        users.join(",")
    );
    assert!(
        refused(&both).contains("65 addressees"),
        "the lists count together"
    );

    let group = |count: usize| format!("[{}]", vec![r#"{"type":"t"}"#; count].join(","));
    assert!(decode(group(GROUP_EVENTS_MAX).as_bytes()).is_ok());
    assert!(refused(&group(GROUP_EVENTS_MAX + 1)).contains("group_too_large"));

    let sized = |bytes: usize| format!(r#"{{"type":"t","data":"{}"}}"#, "x".repeat(bytes));
    assert!(decode_event(sized(EVENT_BYTES_MAX - 2).as_bytes()).is_ok());
    assert!(refused(&sized(EVENT_BYTES_MAX - 1)).contains("body_too_large"));

    let deep = |depth: usize| {
        format!(
            r#"{{"type":"t","data":{}{}}}"#,
            "[".repeat(depth),
            "]".repeat(depth)
        )
    };
    assert!(decode_event(deep(JSON_DEPTH_MAX - 1).as_bytes()).is_ok());
    assert!(refused(&deep(JSON_DEPTH_MAX)).contains("nested deeper"));
    assert!(refused(&"[".repeat(1_000_000)).contains("invalid_json"));
    assert!(refused(&"{\"a\":".repeat(1_000_000)).contains("invalid_json"));

    let wide = |count: usize| {
        let entries: Vec<String> = (0..count).map(|n| format!("\"k{n}\":1")).collect();
        format!(r#"{{"type":"t","metadata":{{{}}}}}"#, entries.join(","))
    };
    assert!(decode_event(wide(OBJECT_FIELDS_MAX).as_bytes()).is_ok());
    assert!(refused(&wide(OBJECT_FIELDS_MAX + 1)).contains("129 fields"));
}

#[test]
fn bytes_that_are_not_utf_8_are_refused() {
    for body in [
        &b"{\"type\":\"t\",\"data\":\"\xff\"}"[..],
        b"{\"type\":\"\xc0\xaf\"}",
        b"\xff",
    ] {
        assert_eq!(
            decode(body).expect_err("no UTF-8").code().as_str(),
            "invalid_json"
        );
    }
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        drop(decode(&bytes));
    }

    #[test]
    fn almost_json_never_panics_and_data_of_any_kind_is_one_line(
        pieces in prop::collection::vec(
            prop::sample::select(vec![
                "{", "}", "[", "]", ",", ":", "\"", "\\", "\"type\"", "\"t\"", "\"data\"", "\n",
                "\r", " ", "1", "-", "null", "\"topics\"", "\"metadata\"", "\\u00", "é",
                "{\"type\":\"t\",\"data\":",
            ]),
            0..30,
        ),
    ) {
        if let Ok(Body::One(Publication { content, .. })) = decode(pieces.concat().as_bytes()) {
            prop_assert!(!content.data.iter().any(|byte| matches!(byte, b'\n' | b'\r')));
            let value: Result<serde_json::Value, _> = serde_json::from_slice(&content.data);
            prop_assert!(value.is_ok());
        }
    }
}

#[test]
fn a_source_has_a_limit_to_the_byte() {
    let event = |bytes: usize| {
        let source = "s".repeat(bytes);
        format!(r#"{{"type":"t","topics":["a"],"source":"{source}"}}"#)
    };
    assert_eq!(
        taken(&event(SOURCE_BYTES_MAX)).source.len(),
        SOURCE_BYTES_MAX
    );
    assert!(refused(&event(SOURCE_BYTES_MAX + 1)).contains("256"));
}

#[test]
fn a_wait_says_for_how_many_readers_and_how_long() {
    let wait = |text: &str| {
        let body = format!(r#"{{"type":"t","wait":{text}}}"#);
        let wait = decode_event(body.as_bytes()).expect(text).wait;
        let wait = wait.expect("a wait");
        (wait.readers(), wait.patience().as_millis() as u64)
    };
    let longest = READER_WAIT_MS_MAX;
    assert_eq!(wait("{}"), (1, READER_WAIT_MS_DEFAULT));
    assert_eq!(wait(r#"{"subscribers":2,"timeout":"500ms"}"#), (2, 500));
    assert_eq!(wait(r#"{"timeout":"0s"}"#), (1, 0));
    assert_eq!(
        wait(&format!(
            r#"{{"subscribers":{READERS_AWAITED_MAX},"timeout":"{longest}ms"}}"#
        )),
        (READERS_AWAITED_MAX, longest)
    );
    let plain = decode_event(br#"{"type":"t"}"#).expect("an event");
    assert_eq!(plain.wait, None);
    assert_eq!(Publication::from(plain.content.clone()), plain);
}
