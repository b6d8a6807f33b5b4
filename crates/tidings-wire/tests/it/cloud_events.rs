//! CloudEvents 1.0 in every mode, with the examples of the specification.

use proptest::prelude::*;
use tidings_core::event::Content;
use tidings_core::priority::Priority;
use tidings_wire::publish::{
    Addressing, Format, PublishError, decode_batch, decode_binary, decode_structured,
    has_attributes,
};

use crate::samples::{audience, percent_encoded};

fn structured(body: &str) -> Result<Content, PublishError> {
    decode_structured(body.as_bytes(), &Addressing::default())
}

fn binary(
    headers: &[(&str, &str)],
    content_type: Option<&str>,
    body: &[u8],
) -> Result<Content, PublishError> {
    let required = [
        ("CE-SpecVersion", "1.0"),
        ("ce-id", "A234-1234-1234"),
        ("ce-type", "com.example.someevent"),
        ("ce-source", "/mycontext"),
        ("Authorization", "Bearer \"x\""),
    ];
    let headers = required
        .iter()
        .chain(headers)
        .map(|(name, value)| (*name, value.as_bytes()));
    decode_binary(headers, content_type, body, &Addressing::default())
}

#[test]
fn the_structured_example_of_the_specification_is_taken() {
    let content = structured(
        r#"{"specversion":"1.0","type":"com.github.pull_request.opened",
            "source":"https://github.com/cloudevents/spec/pull","subject":"123",
            "id":"A234-1234-1234","time":"2018-04-05T17:31:00Z","comexampleextension1":"value",
            "comexampleothervalue":5,"unset":null,"datacontenttype":"text/xml",
            "data":"<much wow=\"xml\"/>"}"#,
    )
    .expect("an event");
    assert_eq!(content.id.expect("an id").as_str(), "A234-1234-1234");
    assert_eq!(
        content.event_type.as_str(),
        "com.github.pull_request.opened"
    );
    assert_eq!(&*content.source, "https://github.com/cloudevents/spec/pull");
    assert_eq!(content.data, r#""<much wow=\"xml\"/>""#);
    assert_eq!(content.audience, audience(&["@all"]));
    assert_eq!(
        content.metadata,
        r#"{"time":"2018-04-05T17:31:00Z","subject":"123","datacontenttype":"text/xml","comexampleextension1":"value","comexampleothervalue":5}"#
    );
}

#[test]
fn addressees_come_from_attributes_or_else_from_the_request() {
    let body =
        |more: &str| format!(r#"{{"specversion":"1.0","id":"1","type":"t","source":"s"{more}}}"#);
    let request = Addressing {
        topics: vec!["from/request".to_owned()],
        ..Addressing::default()
    };
    let own = body(
        r#","tidingstopics":"a/b, c\\,d","tidingsusers":"u1","tidingsroles":"R","tidingspriority":"high""#,
    );
    let content = decode_structured(own.as_bytes(), &request).expect("an event");
    assert_eq!(
        content.audience,
        audience(&["a/b", "c,d", "@user/u1", "@role/R"])
    );
    assert_eq!(content.priority, Priority::High);
    assert_eq!(content.metadata, "", "addressees are not shown to readers");
    let plain = body("");
    let content = decode_structured(plain.as_bytes(), &request).expect("an event");
    assert_eq!(content.audience, audience(&["from/request"]));

    let bad = Addressing {
        topics: vec!["a//b".to_owned()],
        ..Addressing::default()
    };
    let error = decode_structured(plain.as_bytes(), &bad).expect_err("a bad topic");
    assert_eq!(
        (error.path.as_str(), error.code().as_str()),
        ("topics", "invalid_topic")
    );
}

#[test]
fn a_batch_is_one_group_and_names_the_bad_event() {
    let one = r#"{"specversion":"1.0","id":"1","type":"t","source":"s"}"#;
    let request = Addressing::default();
    let body = format!("[{one},{one}]");
    assert_eq!(
        decode_batch(body.as_bytes(), &request)
            .expect("a group")
            .len(),
        2
    );
    let body = format!("[{one},{}]", one.replace("\"t\"", "\"t t\""));
    let error = decode_batch(body.as_bytes(), &request).expect_err("a bad type");
    assert_eq!(error.path, "/1/type");
    for bad in ["[]", "{}", "7", "["] {
        assert!(decode_batch(bad.as_bytes(), &request).is_err(), "{bad}");
    }
}

#[test]
fn data_keeps_its_meaning_by_its_media_type() {
    let data = |content_type: Option<&str>, body: &[u8]| {
        let content = binary(&[], content_type, body).expect("an event");
        let metadata = std::str::from_utf8(&content.metadata)
            .expect("text")
            .to_owned();
        (
            std::str::from_utf8(&content.data).expect("text").to_owned(),
            metadata,
        )
    };
    let none = String::new;
    assert_eq!(
        data(Some("application/json; charset=utf-8"), b"{\n\"a\": 1.0}"),
        (r#"{"a":1.0}"#.to_owned(), none())
    );
    assert_eq!(
        data(Some("application/vnd.x+json"), b"[1]"),
        (
            "[1]".to_owned(),
            r#"{"datacontenttype":"application/vnd.x+json"}"#.to_owned()
        )
    );
    assert_eq!(
        data(Some("text/plain"), "a\r\n\u{e9}".as_bytes()),
        (
            r#""a\r\né""#.to_owned(),
            r#"{"datacontenttype":"text/plain"}"#.to_owned()
        )
    );
    let base64 = r#"{"datacontenttype":"image/png","dataEncoding":"base64"}"#;
    assert_eq!(
        data(Some("image/png"), b"\x00\xff"),
        ("\"AP8=\"".to_owned(), base64.to_owned())
    );
    assert_eq!(
        data(Some("text/plain"), b"\xff"),
        (
            "\"/w==\"".to_owned(),
            base64.replace("image/png", "text/plain")
        ),
        "text in another encoding loses nothing"
    );
    assert_eq!(data(None, b""), ("null".to_owned(), none()));

    let body = r#"{"specversion":"1.0","id":"1","type":"t","source":"s","data_base64":"AP8="}"#;
    let content = structured(body).expect("an event");
    assert_eq!(content.data, "\"AP8=\"");
    assert_eq!(content.metadata, r#"{"dataEncoding":"base64"}"#);
    let json = body
        .replace("AP8=", "WzFd")
        .replace("\"1\"", "\"1\",\"datacontenttype\":\"text/json\"");
    assert_eq!(structured(&json).expect("an event").data, "[1]");
}

#[test]
fn header_values_are_unquoted_and_decoded_once() {
    let content = binary(
        &[
            ("ce-subject", "Euro%20%E2%82%AC%20%F0%9F%98%80"),
            ("ce-quoted", r#""a\"b %2541""#),
            ("ce-tidingstopics", "a/b,c"),
            ("ce-partial", "100%"),
        ],
        None,
        b"",
    )
    .expect("an event");
    assert_eq!(
        content.metadata,
        "{\"subject\":\"Euro \u{20ac} \u{1f600}\",\"quoted\":\"a\\\"b %41\",\"partial\":\"100%\"}"
    );
    assert_eq!(content.audience, audience(&["a/b", "c"]));
}

#[test]
fn refusals_say_where_and_what_to_do() {
    let event =
        |more: &str| format!(r#"{{"specversion":"1.0","id":"1","type":"t","source":"s"{more}}}"#);
    let mut report = Vec::new();
    let mut note = |what: &str, error: &PublishError| {
        let hint = error.hint().unwrap_or_default();
        report.push(format!(
            "{what}\n    {:?} {}: {error} [{hint}]",
            error.path,
            error.code()
        ));
    };
    for more in [
        r#","data":1,"data_base64":"AA==""#,
        r#","data_base64":"AA""#,
        r#","data_base64":7"#,
        r#","time":"yesterday""#,
        r#","Subject":"x""#,
        r#","topics":"a""#,
        r#","tidingstopic":"a""#,
        r#","tidingstopics":null"#,
        r#","tidingstopics":"""#,
        r#","tidingstopics":"a,,b""#,
        r#","tidingspriority":5"#,
        r#","subject":{}"#,
        r#","id":"2""#,
    ] {
        note(more, &structured(&event(more)).expect_err(more));
    }
    for missing in ["specversion", "id", "type", "source"] {
        let body = event("").replace(&format!("\"{missing}\""), "\"other\"");
        note(missing, &structured(&body).expect_err(missing));
    }
    let old = event("").replace("1.0", "0.3");
    note("version", &structured(&old).expect_err("0.3"));
    for header in [
        ("ce-id", "2"),
        ("ce-subject", "%ff"),
        ("ce-a_b", "x"),
        ("ce-datacontenttype", "text/plain"),
        ("ce-", "x"),
    ] {
        let error = binary(&[header], None, b"").expect_err(header.0);
        note(header.0, &error);
    }
    note(
        "body",
        &binary(&[], Some("application/json"), b"{").expect_err("no JSON"),
    );
    let deep = "[".repeat(100) + &"]".repeat(100);
    note(
        "deep",
        &binary(&[], Some("text/json"), deep.as_bytes()).expect_err("deep"),
    );
    insta::assert_snapshot!(report.join("\n"));
}

#[test]
fn the_form_follows_from_media_type_and_headers() {
    let of = |content_type: &str, attributes| Format::of(Some(content_type), attributes).ok();
    assert_eq!(of("application/json", false), Some(Format::Json));
    assert_eq!(
        of("Application/JSON; charset=utf-8", false),
        Some(Format::Json)
    );
    assert_eq!(of("application/json", true), Some(Format::CloudEventBinary));
    assert_eq!(of("application/x-ndjson", false), Some(Format::Ndjson));
    assert_eq!(
        of("application/cloudevents+json", true),
        Some(Format::CloudEvent)
    );
    assert_eq!(
        of("application/cloudevents-batch+json", false),
        Some(Format::CloudEventBatch)
    );
    assert_eq!(of("text/plain", false), None);
    assert!(Format::of(None, false).is_err());
    assert!(has_attributes(["host", "Ce-Id"]));
    assert!(!has_attributes(["host", "ce", "cez-id", "é"]));
}

proptest! {
    #[test]
    fn no_headers_or_bodies_panic(
        headers in prop::collection::vec(("(ce-)?[a-z%\u{e9}]{0,6}", prop::collection::vec(any::<u8>(), 0..12)), 0..6),
        body in prop::collection::vec(any::<u8>(), 0..40),
        content_type in prop::option::of("(application/json|text/plain|\\PC{0,8})"),
    ) {
        let pairs = headers.iter().map(|(name, value)| (name.as_str(), value.as_slice()));
        let request = Addressing::default();
        drop(decode_binary(pairs, content_type.as_deref(), &body, &request));
        drop(decode_structured(&body, &request));
        drop(decode_batch(&body, &request));
    }

    #[test]
    fn what_is_taken_is_valid_json_on_one_line(subject in any::<String>(), text in any::<String>()) {
        let subject = percent_encoded(&subject);
        let content = binary(&[("ce-subject", &subject)], Some("text/plain"), text.as_bytes())
            .expect("an event");
        for json in [&content.data, &content.metadata] {
            let value: Result<serde_json::Value, _> = serde_json::from_slice(json);
            prop_assert!(value.is_ok());
            prop_assert!(!json.iter().any(|byte| matches!(byte, b'\n' | b'\r')));
        }
    }
}
