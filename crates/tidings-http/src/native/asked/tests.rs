//! What parameters and headers come to, and which are refused.

use proptest::prelude::*;
use tidings_core::id::EventId;
use tidings_core::limits::{CONNECTION_METADATA_BYTES_MAX, CONNECTION_METADATA_ENTRIES_MAX};

use super::*;

/// Reads a query as the hub's own profile does.
fn read_native(
    text: &str,
    last_event_id: Option<&[u8]>,
    kind: Kind,
    development: bool,
) -> Result<Asked, Problem> {
    let taken = Taken {
        kind,
        profile: &Profile::native(),
        development,
    };
    read_from(text, last_event_id, taken)
}

fn stream(text: &str, header: Option<&str>) -> Result<Asked, Problem> {
    read_native(text, header.map(str::as_bytes), Kind::Stream, false)
}

fn after_id(id: &str) -> Start {
    Start::AfterId(EventId::parse(id).expect(id))
}

fn json(problem: &Problem) -> String {
    String::from_utf8(problem.to_bytes()).expect("text")
}

#[test]
fn the_header_wins_over_the_parameter_and_both_over_since() {
    let asked = stream("since=earliest&lastEventId=p", Some("h")).expect("asked");
    assert_eq!(
        (asked.start, asked.fallback),
        (after_id("h"), Start::Earliest)
    );
    let asked = stream("since=earliest&lastEventId=p", None).expect("asked");
    assert_eq!(
        (asked.start, asked.fallback),
        (after_id("p"), Start::Earliest)
    );
    let asked = stream("since=earliest", Some("")).expect("asked");
    assert_eq!((asked.start, asked.fallback), (Start::Earliest, Start::Now));
    assert_eq!(stream("", None).expect("asked").start, Start::Now);
}

#[test]
fn every_spelling_of_last_event_id_is_taken() {
    for name in LAST_EVENT_ID_NAMES {
        let asked = stream(&format!("{name}=p"), None).expect(name);
        assert_eq!(asked.start, after_id("p"), "{name}");
    }
}

#[test]
fn n13_no_last_event_id_is_refused() {
    let long = "9".repeat(100_000);
    for text in [
        "18446744073709551616-k3x9f2m4q7",
        "a b",
        "\u{1}",
        long.as_str(),
    ] {
        assert_eq!(
            stream("", Some(text)).expect("asked").start,
            Start::Foreign,
            "{text:.20}"
        );
    }
    assert_eq!(stream("", Some("-1")).expect("asked").start, after_id("-1"));
    let asked = read_native("", Some(b"\xff\xfe"), Kind::Stream, false).expect("asked");
    assert_eq!(asked.start, Start::Foreign);
}

#[test]
fn an_unknown_parameter_is_refused_with_the_one_that_was_meant() {
    let problem = stream("topic=a", None).expect_err("unknown");
    assert_eq!(problem.code(), Code::InvalidQuery);
    assert!(
        json(&problem).contains("use `topics`"),
        "{}",
        json(&problem)
    );
    assert!(stream("limit=1", None).is_err());
    assert!(stream("meta_tab=1", None).is_ok());
    assert!(read_native("meta_tab=1", None, Kind::Page, false).is_err());
}

#[test]
fn a12_a_credential_in_the_url_is_refused_and_not_repeated() {
    let elsewhere = CREDENTIAL_NAMES.map(|name| (name, not_known(name, &[])));
    let names = CREDENTIAL_NAMES.into_iter().filter(|name| *name != TICKET);
    let refused = names.flat_map(|name| {
        let capital = name.to_ascii_uppercase();
        [name.to_owned(), capital].map(|spelling| {
            let read = stream(&format!("{spelling}=s3cret"), None);
            (name, read.expect_err(name))
        })
    });
    for (name, problem) in elsewhere.into_iter().chain(refused) {
        assert_eq!(problem.code(), Code::InvalidQuery, "{name}");
        let text = json(&problem);
        assert_eq!(problem.status(), 400);
        assert!(text.contains("Authorization: Bearer"), "{text}");
        assert!(!text.contains("s3cret"), "{text}");
    }
}

#[test]
fn a_ticket_is_taken_by_readers() {
    for kind in [Kind::Stream, Kind::Page] {
        assert!(read_native("ticket=t", None, kind, false).is_ok());
    }
}

#[test]
fn the_development_user_is_a_parameter_in_development_only() {
    assert!(read_native("userId=u1", None, Kind::Stream, true).is_ok());
    assert!(read_native("userId=u1", None, Kind::Stream, false).is_err());
}

#[test]
fn a_single_valued_parameter_stands_once() {
    assert!(stream("since=now&since=earliest", None).is_err());
    let asked = stream("topics=a&topics=b,c", None).expect("asked");
    assert_eq!(asked.subscription.patterns.len(), 3);
}

#[test]
fn metadata_has_its_limits() {
    let many = |count: usize| {
        let pairs: Vec<String> = (0..count).map(|n| format!("meta_{n}=x")).collect();
        stream(&pairs.join("&"), None)
    };
    assert!(many(CONNECTION_METADATA_ENTRIES_MAX).is_ok());
    assert!(many(CONNECTION_METADATA_ENTRIES_MAX + 1).is_err());
    let of = |bytes: usize| stream(&format!("meta_a={}", "x".repeat(bytes)), None);
    assert!(of(CONNECTION_METADATA_BYTES_MAX).is_ok());
    assert!(of(CONNECTION_METADATA_BYTES_MAX + 1).is_err());
    assert!(stream("meta_=x", None).is_err());
    assert!(stream("meta_a=%00", None).is_err());
    assert!(stream("meta_a=1&meta_a=1", None).is_err());
    let asked = stream("meta_b=2&meta_a=%C3%A9", None).expect("two of them");
    assert!(asked.metadata.iter().eq([("b", "2"), ("a", "é")]));
}

#[test]
fn a15_n7_absurd_queries_are_refused() {
    let parameters = "topics=a&".repeat(100_000);
    assert!(stream(&parameters, None).is_err());
    let wildcards = format!("topics={}", "*/".repeat(1_000));
    assert!(stream(&wildcards, None).is_err());
    let patterns = format!("topics={}", vec!["a/*"; 101].join(","));
    assert_eq!(
        stream(&patterns, None).expect_err("too many").code(),
        Code::TooManyPatterns
    );
}

proptest! {
    #[test]
    fn no_query_panics(text in "\\PC{0,60}", header in proptest::option::of("\\PC{0,30}")) {
        let result = stream(&text, header.as_deref());
        if let Err(problem) = result {
            prop_assert!((400..500).contains(&problem.status()));
        }
    }

    #[test]
    fn no_likely_query_panics(
        text in "((topics|events|since|meta_a|wait|limit|audience|token)=[a*/,%0-9A-Fsm.:-]{0,12}&?){0,6}",
    ) {
        for kind in [Kind::Stream, Kind::Page] {
            if let Err(problem) = read_native(&text, None, kind, false) {
                prop_assert!((400..500).contains(&problem.status()));
            }
        }
    }
}
