//! Query parameters and `Last-Event-ID`.

use std::time::Duration;

use proptest::prelude::*;
use tidings_core::id::EventId;
use tidings_core::limits::{
    PAGE_EVENTS_MAX, PAGE_WAIT_MS_MAX, PATTERNS_PER_CONNECTION_MAX, TYPE_GLOBS_MAX,
};
use tidings_core::start::Start;
use tidings_core::time::Timestamp;
use tidings_wire::limits::QUERY_PARAMETERS_MAX;
use tidings_wire::query;

use crate::samples::{percent_encoded, position};

fn id(text: &str) -> EventId {
    EventId::parse(text).expect("an id")
}

#[test]
fn since_is_tried_in_its_order() {
    let cursor = position(1042).to_string();
    let cases = [
        ("now", Start::Now),
        ("earliest", Start::Earliest),
        ("last", Start::Last),
        (cursor.as_str(), Start::After(position(1042))),
        ("1795262400000", Start::Since(Timestamp(1_795_262_400_000))),
        ("0", Start::Since(Timestamp(0))),
        (
            "2026-11-21T12:00:00Z",
            Start::Since(Timestamp(1_795_262_400_000)),
        ),
        (
            "2026-11-21T13:00:00.5+01:00",
            Start::Since(Timestamp(1_795_262_400_500)),
        ),
        ("2026-11-21", Start::Since(Timestamp(1_795_219_200_000))),
        ("1969-01-01T00:00:00Z", Start::Since(Timestamp(0))),
        ("10m", Start::Ago(Duration::from_secs(600))),
        ("500ms", Start::Ago(Duration::from_millis(500))),
        ("30s", Start::Ago(Duration::from_secs(30))),
        ("2h", Start::Ago(Duration::from_secs(7_200))),
        ("1d", Start::Ago(Duration::from_secs(86_400))),
        ("10M", Start::AfterId(id("10M"))),
        ("order-1", Start::AfterId(id("order-1"))),
        ("2026-11-21-order", Start::AfterId(id("2026-11-21-order"))),
        (
            "99999999999999999999",
            Start::AfterId(id("99999999999999999999")),
        ),
        ("r1042-k3x9f2m4q7", Start::Foreign),
        ("007-k3x9f2m4q7", Start::Foreign),
    ];
    for (text, expected) in cases {
        assert_eq!(query::since(text), Ok(expected), "{text}");
    }
}

#[test]
fn n13_a_last_event_id_is_never_an_error() {
    let cursor = position(7).to_string();
    assert_eq!(query::last_event_id(b""), None);
    assert_eq!(query::last_event_id(b"  "), None);
    assert_eq!(
        query::last_event_id(cursor.as_bytes()),
        Some(Start::After(position(7)))
    );
    assert_eq!(
        query::last_event_id(b"order-1"),
        Some(Start::AfterId(id("order-1")))
    );
    // What `since` would take as a time or a keyword is an id here.
    assert_eq!(
        query::last_event_id(b"now"),
        Some(Start::AfterId(id("now")))
    );
    assert_eq!(query::last_event_id(b"17"), Some(Start::AfterId(id("17"))));
    let long = "a".repeat(100_000);
    for foreign in [
        &b"\xff\xfe"[..],
        b"a b",
        b"a\nb",
        b"{\"id\":1}",
        b"r1042-k3x9f2m4q7",
        b"99999999999999999999999-k3x9f2m4q7",
        long.as_bytes(),
    ] {
        assert_eq!(
            query::last_event_id(foreign),
            Some(Start::Foreign),
            "{foreign:?}"
        );
    }
}

#[test]
fn lists_may_be_repeated_separated_and_escaped() {
    let items = |text: &str| query::split_list(text).collect::<Vec<_>>().join("|");
    assert_eq!(items("a,b"), "a|b");
    assert_eq!(items(r"a\,b,c"), "a,b|c");
    assert_eq!(items(r"a\\,b\c\"), r"a\|b\c\");
    assert_eq!(items(",a,"), "|a|");
    assert_eq!(query::split_list("").count(), 0);

    let patterns = query::patterns(["a/*,b", "", r"c\,d"]).expect("patterns");
    let texts: Vec<&str> = patterns
        .iter()
        .map(tidings_core::pattern::Pattern::as_str)
        .collect();
    assert_eq!(texts, ["a/*", "b", "c,d"]);
    let filter = query::types(["chapter.*", "a,b"]).expect("types");
    assert_eq!(filter.globs().len(), 3);
    assert!(query::types([]).expect("no types").is_everything());
}

#[test]
fn every_limit_of_a_query_is_reached() {
    let topics = |count: usize| {
        (0..count)
            .map(|n| format!("t{n}"))
            .collect::<Vec<_>>()
            .join(",")
    };
    assert!(query::patterns([topics(PATTERNS_PER_CONNECTION_MAX).as_str()]).is_ok());
    let many = topics(PATTERNS_PER_CONNECTION_MAX + 1);
    let error = query::patterns([many.as_str()]).expect_err("too many");
    assert_eq!(error.code().as_str(), "too_many_patterns");

    assert!(query::types([topics(TYPE_GLOBS_MAX).as_str()]).is_ok());
    assert!(query::types([topics(TYPE_GLOBS_MAX + 1).as_str()]).is_err());

    let query = |count: usize| vec!["a=b"; count].join("&");
    assert!(query::pairs(&query(QUERY_PARAMETERS_MAX)).is_ok());
    assert!(query::pairs(&query(QUERY_PARAMETERS_MAX + 1)).is_err());
}

#[test]
fn a14_a_query_is_decoded_once_and_strictly() {
    let pairs = query::pairs("topics=a%2Fb&a+b=c%2B+d&flag&&x=1=2&p=100%&t=%252F").expect("pairs");
    let pairs: Vec<(&str, &str)> = pairs
        .iter()
        .map(|(name, value)| (&**name, &**value))
        .collect();
    assert_eq!(
        pairs,
        [
            ("topics", "a/b"),
            ("a b", "c+ d"),
            ("flag", ""),
            ("x", "1=2"),
            ("p", "100%"),
            ("t", "%2F"),
        ]
    );
    assert!(
        query::patterns(["%2F"]).is_err(),
        "a second round is refused by the topic's own rule"
    );
    for bad in ["topics=%ff", "%c0%af=1", "topics=%ed%a0%80"] {
        assert!(query::pairs(bad).is_err(), "{bad}");
    }
}

#[test]
fn refusals_say_which_parameter_and_what_to_do() {
    let errors = [
        query::since("foo bar").expect_err("since"),
        query::since("").expect_err("since"),
        query::since("2026-11-21T12:00:00").expect_err("since"),
        query::since("2026-02-30").expect_err("since"),
        query::since("2026-11-21T12:00:00 01:00").expect_err("since"),
        query::since(&"a".repeat(200)).expect_err("since"),
        query::patterns(["a//b"]).expect_err("topics"),
        query::patterns(["a,,b"]).expect_err("topics"),
        query::patterns(["a/**/b"]).expect_err("topics"),
        query::types(["a b"]).expect_err("events"),
        query::audience("nobody").expect_err("audience"),
        query::limit("0").expect_err("limit"),
        query::limit("1001").expect_err("limit"),
        query::limit("+5").expect_err("limit"),
        query::wait("25").expect_err("wait"),
        query::wait("1h").expect_err("wait"),
        query::duration("wait", "99999999999999999999d").expect_err("wait"),
        query::unknown("topic", &["topics", "events"]),
        query::unknown("banana", &["topics", "events"]),
        query::pairs("a=%ff").expect_err("encoding"),
        query::pairs(&"&a".repeat(QUERY_PARAMETERS_MAX + 1)).expect_err("too many"),
    ];
    let report: Vec<String> = errors
        .iter()
        .map(|error| {
            let hint = error.hint().unwrap_or_default();
            format!("{}: {error} [{hint}]", error.code())
        })
        .collect();
    insta::assert_snapshot!(report.join("\n"));
}

#[test]
fn amounts_are_taken_within_their_range() {
    assert_eq!(query::limit("1000"), Ok(1_000));
    assert_eq!(query::wait("25s"), Ok(Duration::from_secs(25)));
    assert_eq!(query::wait("55000ms"), Ok(Duration::from_secs(55)));
    assert_eq!(query::audience("none"), Ok(false));
    assert_eq!(query::audience("own"), Ok(true));
    assert_eq!(query::count("subscribers", "1", 1, 9), Ok(1));
}

proptest! {
    #[test]
    fn n13_no_text_panics(bytes in prop::collection::vec(any::<u8>(), 0..60), text in "\\PC{0,40}") {
        prop_assert_eq!(
            query::last_event_id(&bytes).is_none(),
            bytes.trim_ascii().is_empty()
        );
        drop(query::since(&text));
        drop(query::patterns([text.as_str()]));
        drop(query::types([text.as_str()]));
        drop(query::duration("wait", &text));
        drop(query::pairs(&text));
        drop(query::pairs(&String::from_utf8_lossy(&bytes)));
    }

    #[test]
    fn items_survive_being_escaped(items in prop::collection::vec("[a,\\\\é]{1,6}", 1..6)) {
        let escaped: Vec<String> = items
            .iter()
            .map(|item| item.replace('\\', "\\\\").replace(',', "\\,"))
            .collect();
        let split: Vec<String> =
            query::split_list(&escaped.join(",")).map(String::from).collect();
        prop_assert_eq!(split, items);
    }

    #[test]
    fn a14_decoding_undoes_encoding_exactly_once(text in any::<String>()) {
        let encoded = percent_encoded(&text);
        prop_assert_eq!(query::percent_decode(&encoded).expect("UTF-8"), text);
    }
}

#[test]
fn a_page_has_a_limit_of_events_and_of_waiting() {
    let max = PAGE_EVENTS_MAX;
    assert_eq!(query::limit(&max.to_string()).expect("at its limit"), max);
    assert!(query::limit(&(max + 1).to_string()).is_err());
    let wait = query::wait(&format!("{PAGE_WAIT_MS_MAX}ms")).expect("at its limit");
    assert_eq!(wait.as_millis() as u64, PAGE_WAIT_MS_MAX);
    assert!(query::wait(&format!("{}ms", PAGE_WAIT_MS_MAX + 1)).is_err());
}
