//! Events that somebody sends to see whether they arrive.

use tidings_wire::publish::{Body, decode, decode_test_event};

/// A test event is the native event that says the same.
#[test]
fn a_test_event_is_an_event_of_the_hub() {
    for (sent, native) in [
        ("{}", r#"{"type": "test", "source": "test"}"#),
        (
            r#"{"target": "broadcast", "targetValue": null, "message": null}"#,
            r#"{"type": "test", "source": "test"}"#,
        ),
        (
            r#"{"type": "a.b", "message": "x \"y\"", "target": "user", "targetValue": "u1"}"#,
            r#"{"type": "a.b", "source": "test", "users": ["u1"], "data": {"message":"x \"y\""}}"#,
        ),
        (
            r#"{"message": "m", "data": [1, {"a": 2}], "target": "role", "targetValue": "ADMIN"}"#,
            r#"{"type": "test", "source": "test", "roles": ["ADMIN"],
                "data": {"message":"m","data":[1, {"a": 2}]}}"#,
        ),
        (
            r#"{"data": 5, "priority": "critical", "target": "topic", "targetValue": "a/b"}"#,
            r#"{"type": "test", "source": "test", "topics": ["a/b"], "data": 5, "priority": "critical"}"#,
        ),
    ] {
        let Body::One(expected) = decode(native.as_bytes()).expect(native) else {
            panic!("one event: {native}");
        };
        assert_eq!(
            decode_test_event(sent.as_bytes()),
            Ok(expected.content),
            "{sent}"
        );
    }
}

#[test]
fn what_might_reach_everyone_by_mistake_is_refused_at_its_place() {
    for (sent, path, says) in [
        (r#"{"target": "user"}"#, "/targetValue", "required"),
        (
            r#"{"target": "user", "targetValue": null}"#,
            "/targetValue",
            "required",
        ),
        (
            r#"{"targetValue": "u1"}"#,
            "/targetValue",
            "everyone is meant",
        ),
        (
            r#"{"target": "users", "targetValue": "u1"}"#,
            "/target",
            "`topic`",
        ),
        (
            r#"{"traget": "user", "targetValue": "u1"}"#,
            "/traget",
            "no event has",
        ),
        (
            r#"{"target": "topic", "targetValue": "a//b"}"#,
            "/targetValue",
            "not a topic",
        ),
        (r#"{"message": {"a": 1}}"#, "/message", "expected a string"),
        ("7", "", "expected an object"),
    ] {
        let error = decode_test_event(sent.as_bytes()).expect_err(sent);
        assert_eq!(error.path, path, "{sent}");
        assert!(error.to_string().contains(says), "{error}");
    }
    let deep = format!("{{\"data\": {}1{}}}", "[".repeat(200), "]".repeat(200));
    let error = decode_test_event(deep.as_bytes()).expect_err("too deep");
    assert!(error.to_string().contains("deeper"), "{error}");
}
