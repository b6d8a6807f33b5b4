//! Bodies of the routes around credentials.

use tidings_core::audience::{Key, Role, Subject};
use tidings_core::credential::CredentialId;
use tidings_core::explanation::{Decision, Described, Explanation, ProviderSaid, RuleSaid, Said};
use tidings_core::pattern::Pattern;
use tidings_core::port::AuthFailure;
use tidings_core::revocation::{Revocation, Revoked};
use tidings_core::time::Timestamp;
use tidings_wire::access::{
    self, AskedTicket, BodyFault, Issued, IssuedForm, IssuedKind, RenewedCredential,
};
use tidings_wire::problem::Problem;

use crate::samples::position;

#[test]
fn a_ticket_is_asked_for_with_nothing_or_with_what_it_is_bound_to() {
    for nothing in ["", " \n", "{}"] {
        assert_eq!(
            access::ticket(nothing.as_bytes()),
            Ok(AskedTicket::default())
        );
    }
    let body = br#"{"topics": ["project/*", "a"], "origin": "https://app.example"}"#;
    let asked = access::ticket(body).expect("fine");
    let patterns = ["project/*", "a"].map(|text| Pattern::parse(text).expect(text));
    assert_eq!(asked.patterns.as_deref(), Some(patterns.as_slice()));
    assert_eq!(asked.origin.as_deref(), Some("https://app.example"));
}

#[test]
fn a12_a_body_that_is_wrong_is_told_why_and_repeated_nowhere() {
    let explain = |body: &str| access::explanation(body.as_bytes()).expect_err(body);
    let ticket = |body: &str| access::ticket(body.as_bytes()).expect_err(body);
    let revoke = |body: &str| access::revocation(body.as_bytes()).expect_err(body);
    let many: Vec<String> = (0..101).map(|n| format!("\"canary{n}\"")).collect();
    let deep = format!("{{\"token\": {}1{}}}", "[".repeat(200), "]".repeat(200));
    for (fault, said) in [
        (explain("{\"token\": \"canary"), "not valid JSON"),
        (explain("[\"canary\"]"), "an array"),
        (explain("\"canary\""), "a string"),
        (explain(r#"{"token": 5}"#), "`token` is not a string"),
        (
            explain(r#"{"token": "canary", "token": "canary"}"#),
            "twice",
        ),
        (explain(r#"{"toke": "canary"}"#), "`toke` is not known"),
        (explain(r#"{"key": "@canary"}"#), "`key` is not a key"),
        (explain(&deep), "too many levels"),
        (ticket(r#"{"topics": "canary"}"#), "`topics` is not a list"),
        (ticket(r#"{"topics": []}"#), "`topics` is not a list"),
        (
            ticket(r#"{"topics": ["canary//"]}"#),
            "`topics` is not a list",
        ),
        (
            ticket(&format!("{{\"topics\": [{}]}}", many.join(","))),
            "1 to 100",
        ),
        (revoke("{}"), "`revoke` is missing"),
        (
            revoke(r#"{"revoke": "canary"}"#),
            "`revoke` is not `subject:",
        ),
        (
            revoke(r#"{"revoke": "key:k", "for": "canary"}"#),
            "a duration",
        ),
        (
            revoke(r#"{"revoke": "key:k", "issuedBefore": "canary"}"#),
            "a time",
        ),
        (
            revoke(r#"{"revoke": "key:k", "issuedBefore": -1}"#),
            "a time",
        ),
    ] {
        let problem = Problem::from(&fault);
        let text = String::from_utf8(problem.to_bytes()).expect("text");
        assert!(fault.to_string().contains(said), "{fault}");
        assert!(!text.contains("canary"), "{text}");
        assert_eq!(problem.status(), 400);
    }
    let unknown = explain(r#"{"toke": "canary"}"#);
    assert!(matches!(
        unknown,
        BodyFault::Unknown {
            nearest: Some("token"),
            ..
        }
    ));
    let asked = access::explanation(br#"{"token": "canary", "cookie": "canary"}"#);
    assert!(!format!("{asked:?}").contains("canary"));
}

#[test]
fn a_revocation_says_of_what_and_for_how_long() {
    let body = br#"{"revoke": "subject:u1", "issuedBefore": "2026-11-21T12:00:00Z", "for": "30d"}"#;
    let asked = access::revocation(body).expect("fine");
    assert_eq!(asked.what.to_string(), "subject:u1");
    assert_eq!(asked.issued_before, Some(Timestamp(1_795_262_400_000)));
    assert_eq!(asked.lifetime.expect("a time").as_secs(), 30 * 86_400);
    let body = br#"{"revoke": "token:clerk:j1", "issuedBefore": 1795262400000}"#;
    let asked = access::revocation(body).expect("fine");
    assert_eq!(asked.issued_before, Some(Timestamp(1_795_262_400_000)));
    assert_eq!(asked.lifetime, None);
}

fn text(push: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    push(&mut out);
    let value: serde_json::Value = serde_json::from_slice(&out).expect("JSON");
    format!("{value:#}")
}

#[test]
fn answers_are_json() {
    let issued = Issued {
        kind: IssuedKind::Ticket,
        form: IssuedForm::NATIVE,
        text: "canary",
        expires_at: Timestamp(5),
    };
    assert!(!format!("{issued:?}").contains("canary"));
    let in_other_words = Issued {
        kind: IssuedKind::Token,
        form: IssuedForm {
            ticket: "session_id",
            token: "sse_token",
            expires_at: "expires_at",
            is_text: true,
        },
        ..issued
    };
    let in_other_words = text(|out| access::push_issued(&in_other_words, out));
    let expected =
        "{\n  \"expires_at\": \"1970-01-01T00:00:00.005Z\",\n  \"sse_token\": \"canary\"\n}";
    assert_eq!(in_other_words, expected);
    let renewed = RenewedCredential {
        cursor: position(7),
        expires_at: None,
        narrowed: Some(vec![Pattern::parse("a/*").expect("a pattern")]),
    };
    let revocation = |what: &str, before: Option<u64>| Revocation {
        what: Revoked::parse(what).expect(what),
        at: Timestamp(1),
        until: Timestamp(2),
        issued_before: before.map(Timestamp),
    };
    let both = [revocation("subject:u1", Some(9)), revocation("key:k", None)];
    let epoch = position(0).epoch.to_string();
    let all = [
        text(|out| access::push_issued(&issued, out)),
        text(|out| access::push_renewed(&renewed, out)).replace(&epoch, "EPOCH"),
        text(|out| access::push_revocations(&both, out)),
        text(|out| access::push_explanation(&explanation(), out)),
    ];
    insta::assert_snapshot!(all.join("\n"));
}

fn explanation() -> Explanation {
    let said = |provider, said| ProviderSaid { provider, said };
    Explanation {
        providers: vec![
            said("ticket", Said::Nothing),
            said("jwt", Said::Accepted),
            said("session", Said::NotAsked),
            said("key", Said::Refused(AuthFailure::Expired)),
        ],
        identity: Some(Described {
            subject: Subject::parse("u1").ok(),
            roles: vec![Role::parse("ADMIN").expect("a role")],
            method: "jwt",
            issuer: Some("clerk".to_owned()),
            credential: CredentialId::parse("token:clerk:j1").ok(),
            expires_at: Some(Timestamp(3)),
            subscribe: vec!["a/**".to_owned()],
            publish: Vec::new(),
            administer: false,
        }),
        revocation: None,
        rules: vec![
            RuleSaid {
                number: 1,
                why_not: None,
                granted: vec!["subscribe a/**".to_owned()],
                left_out: vec![("b/{c}".to_owned(), "the claim `c` is missing".to_owned())],
            },
            RuleSaid {
                number: 2,
                why_not: Some("it has none of the roles".to_owned()),
                granted: Vec::new(),
                left_out: Vec::new(),
            },
        ],
        subscribe: Some(Decision {
            is_allowed: true,
            because: "the subscribe grant `a/**`".to_owned(),
        }),
        publish: Some(Decision {
            is_allowed: false,
            because: "no publish grant covers it".to_owned(),
        }),
    }
}

#[test]
fn whom_to_ask_about_is_an_audience_key() {
    for text in ["project/42", "@user/u1", "@all"] {
        let body = format!("{{\"key\": \"{text}\"}}");
        let asked = access::explanation(body.as_bytes()).expect(text);
        assert_eq!(asked.key, Key::parse(text).ok());
    }
}
