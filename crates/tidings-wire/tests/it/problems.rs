//! Every problem document, and which refusal becomes which.

use std::sync::Arc;

use tidings_core::pattern::Pattern;
use tidings_core::port::{AppendError, AuthFailure, ReadError};
use tidings_core::subscription::SubscribeRefused;
use tidings_wire::problem::{Code, Problem};
use tidings_wire::publish::{Format, LineTooLong, decode};
use tidings_wire::query;

use crate::samples::position;

fn document(problem: &Problem) -> String {
    let text = String::from_utf8(problem.to_bytes()).expect("text");
    let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(value["status"], problem.status());
    assert_eq!(value["code"], problem.code().as_str());
    text
}

#[test]
fn every_code_has_its_document() {
    let documents: Vec<String> = Code::ALL
        .iter()
        .map(|code| document(&Problem::new(*code, "what happened").with_request_id("r1")))
        .collect();
    insta::assert_snapshot!(documents.join("\n"));
}

#[test]
fn every_refusal_has_its_document() {
    let append = [
        AppendError::IdReused {
            index: 2,
            position: Some(position(7)),
        },
        AppendError::Busy {
            retry_after_ms: 1_000,
        },
        AppendError::Full,
        AppendError::NotWritable,
        AppendError::OutcomeUnknown,
        AppendError::TooLarge { actual: 2, max: 1 },
    ];
    let subscribe = [
        SubscribeRefused::NotGranted(vec![Pattern::parse("a/**").expect("a pattern")]),
        SubscribeRefused::Nothing,
        SubscribeRefused::TooMany(1_025),
    ];
    let auth = [
        AuthFailure::Malformed("it has two parts".to_owned()),
        AuthFailure::NotTrusted,
        AuthFailure::Unknown,
        AuthFailure::Expired,
        AuthFailure::NotYetValid,
        AuthFailure::Revoked,
        AuthFailure::NotForThis("it opens streams and nothing else"),
        AuthFailure::Denied,
        AuthFailure::Claim {
            claim: "aud".to_owned(),
            problem: "is missing".to_owned(),
        },
        AuthFailure::Unavailable,
    ];
    let publish = decode(br#"[{"type":"t","topic":"a"}]"#).expect_err("a mistyped field");
    let problems = append
        .iter()
        .map(Problem::from)
        .chain(subscribe.iter().map(Problem::from))
        .chain(auth.iter().map(Problem::from))
        .chain([
            Problem::from(&ReadError(Arc::from("/secret/path: denied"))),
            Problem::from(&publish),
            Problem::from(LineTooLong { max: 10 }),
            Problem::from(&Format::of(Some("text/plain"), false).expect_err("no form")),
            Problem::from(&query::limit("x").expect_err("no number")),
            Problem::from(&query::patterns(["a//b"]).expect_err("no pattern")),
        ]);
    let documents: Vec<String> = problems.map(|problem| document(&problem)).collect();
    let epoch = position(0).epoch.to_string();
    let documents = documents.join("\n").replace(&epoch, "EPOCH");
    assert!(
        !documents.contains("/secret"),
        "causes are for the operator alone"
    );
    insta::assert_snapshot!(documents);
}

#[test]
fn a_refused_credential_gets_the_hint_of_its_fault() {
    let hint = |failure: &AuthFailure| {
        let text = document(&Problem::from(failure));
        let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        value["hint"].as_str().expect("a hint").to_owned()
    };
    let claim = AuthFailure::Claim {
        claim: "sub".to_owned(),
        problem: "is missing".to_owned(),
    };
    for (failure, wanted) in [
        (
            AuthFailure::Malformed("it is short".to_owned()),
            "three parts",
        ),
        (AuthFailure::NotTrusted, "to the last byte, and takes"),
        (AuthFailure::Expired, "new token"),
        (AuthFailure::Expired, "came by a cookie"),
        (AuthFailure::NotYetValid, "clocks"),
        (AuthFailure::Unknown, "get a new one: a ticket"),
        (AuthFailure::Unknown, "an API key"),
        (AuthFailure::Revoked, "sign in again"),
        (AuthFailure::NotForThis("x"), "with which it was made"),
        (AuthFailure::Denied, "the application"),
        (claim, "correct the claim"),
        (AuthFailure::Unavailable, "Retry-After"),
    ] {
        let shown = hint(&failure);
        assert!(shown.contains(wanted), "{failure:?}: {shown}");
    }
}

#[test]
fn the_protocol_lists_every_code_with_its_status() {
    let protocol = include_str!("../../../../spec/PROTOCOL.md");
    for code in Code::ALL {
        let row = format!("| `{code}` | {} |", code.status());
        assert!(protocol.contains(&row), "{row}");
    }
    let section = protocol
        .split("\n## 7. Problems")
        .nth(1)
        .expect("a section");
    let (codes, rest) = section.split_once("### 7.1 Categories").expect("another");
    let rows = codes.lines().filter(|line| line.starts_with("| `"));
    assert_eq!(rows.count(), Code::ALL.len());

    let categories = rest.split("\n## ").next().expect("it ends");
    let rows: Vec<&str> = categories
        .lines()
        .filter(|line| line.starts_with("| `"))
        .collect();
    for code in Code::ALL {
        let category = code.category();
        let row = format!("| `{}` | `{}` | ", category.as_str(), category.recovery());
        let row = rows
            .iter()
            .find(|found| found.starts_with(&row))
            .expect("a row");
        assert!(row.contains(&format!("`{code}`")), "{code}: {row}");
    }
    let listed: usize = rows
        .iter()
        .map(|row| row.matches('`').count() / 2 - 2)
        .sum();
    assert_eq!(listed, Code::ALL.len());
}
