//! Why a credential is accepted or refused, without the credential.

use serde_json::{Value, json};
use tidings_auth::rules::{Rule, Rules, Template, Who};
use tidings_http::limits::ACCESS_BODY_BYTES_MAX;

use crate::client::{Answer, Request};
use crate::world::{Wish, World};

async fn world() -> World {
    let template = |text| Template::for_reading(text).expect(text);
    let rules = Rules::new(vec![
        Rule {
            subscribe: vec![template("user/{sub}/**"), template("workspace/{workspace}")],
            ..Rule::default()
        },
        Rule {
            who: Who {
                roles: Some(vec![
                    tidings_core::audience::Role::parse("ADMIN").expect("a role"),
                ]),
                ..Who::default()
            },
            administer: true,
            ..Rule::default()
        },
    ]);
    World::start_with(Wish {
        rules,
        ..Wish::default()
    })
    .await
}

async fn ask(world: &World, body: &str) -> Answer {
    let request = Request::post("/v1/auth/explain").bearer("admin");
    world.send(request.json(body)).await
}

async fn explain(world: &World, body: &Value) -> Value {
    let answer = ask(world, &body.to_string()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    answer.json()
}

fn said(explained: &Value) -> Vec<&str> {
    let providers = explained["providers"].as_array().expect("a list");
    let said = providers.iter().map(|provider| provider["said"].as_str());
    said.map(|said| said.expect("a word")).collect()
}

#[tokio::test]
async fn an_accepted_token_is_explained_by_provider_rule_and_decision() {
    let world = world().await;
    let token = "~ann~id=token:main:j1~read=project/*~write=project/1~ends=60000";
    let body = json!({ "token": token, "key": "project/42" });
    let explained = explain(&world, &body).await;
    assert_eq!(said(&explained), ["accepted", "not_asked", "not_asked"]);
    let identity = &explained["identity"];
    assert_eq!(identity["subject"], "ann");
    assert_eq!(identity["roles"], json!(["USER"]));
    assert_eq!(identity["method"], "tokens");
    assert_eq!(identity["credential"], "token:main:j1");
    assert_eq!(identity["subscribe"], json!(["project/*", "user/ann/**"]));
    assert_eq!(identity["publish"], json!(["project/1"]));
    assert_eq!(identity["administer"], false);
    assert!(identity["expiresAt"].as_u64().expect("an end") > world.now_ms());
    assert_eq!(explained["rules"][0]["applies"], true);
    assert_eq!(
        explained["rules"][0]["granted"],
        json!(["subscribe user/ann/**"])
    );
    assert_eq!(
        explained["rules"][0]["leftOut"][0]["what"],
        "workspace/{workspace}"
    );
    assert_eq!(explained["rules"][1]["applies"], false);
    assert_eq!(explained["rules"][1]["why"], "it has none of the roles");
    assert_eq!(explained["subscribe"]["allowed"], true);
    assert_eq!(explained["publish"]["allowed"], false);
    assert_eq!(explained["revocation"], json!(null));
    assert!(!explained.to_string().contains(token));

    world.revoke(r#"{"revoke": "token:main:j1"}"#).await;
    let explained = explain(&world, &body).await;
    assert_eq!(explained["revocation"]["revoked"], "token:main:j1");
}

#[tokio::test]
async fn every_kind_of_key_is_asked_about() {
    let world = world().await;
    for (key, subscribe, publish) in [
        ("project/1", true, true),
        ("elsewhere", false, false),
        ("user/w1/inbox", true, false),
        ("@user/w1", true, true),
        ("@user/w2", false, true),
        ("@role/USER", true, false),
        ("@role/ADMIN", false, false),
        ("@all", true, true),
    ] {
        let explained = explain(&world, &json!({ "token": "writer", "key": key })).await;
        assert_eq!(
            explained["subscribe"]["allowed"], subscribe,
            "{key} {explained}"
        );
        assert_eq!(
            explained["publish"]["allowed"], publish,
            "{key} {explained}"
        );
        assert!(explained["subscribe"]["because"].is_string());
    }
    let explained = explain(&world, &json!({ "token": "writer" })).await;
    assert_eq!(explained["subscribe"], json!(null));
}

#[tokio::test]
async fn what_is_refused_or_nothing_is_explained_too() {
    let world = world().await;
    let token = world.issue("token", "writer", "").await;
    for (body, words, why) in [
        (
            json!({ "token": "expired" }),
            &["refused", "not_asked", "not_asked"],
            "has expired",
        ),
        (json!({ "token": "canary" }), &["nothing"; 3], ""),
        (json!({}), &["nothing"; 3], ""),
        (
            json!({ "cookie": "a=1; session=reader" }),
            &["accepted", "not_asked", "not_asked"],
            "",
        ),
        (
            json!({ "cookie": "session=canary" }),
            &["refused", "not_asked", "not_asked"],
            "does not accept",
        ),
        (
            json!({ "token": token, "key": "project/1" }),
            &["nothing", "nothing", "accepted"],
            "",
        ),
    ] {
        let explained = explain(&world, &body).await;
        assert_eq!(said(&explained), words, "{explained}");
        if words.contains(&"accepted") {
            assert!(explained["identity"].is_object());
        } else {
            assert_eq!(explained["identity"], json!(null));
        }
        let text = explained.to_string();
        assert!(text.contains(why), "{text}");
        assert!(!text.contains("canary") && !text.contains(&token), "{text}");
    }
    let explained = explain(&world, &json!({ "token": token, "key": "project/1" })).await;
    assert_eq!(explained["publish"]["allowed"], false);
    assert_eq!(
        explained["rules"][0]["applies"], false,
        "settled when it was issued"
    );
}

#[tokio::test]
async fn a12_a_question_that_is_wrong_is_refused_and_not_repeated() {
    let world = world().await;
    let fits = |bytes: usize| {
        let frame = r#"{"token": ""}"#.len();
        format!(r#"{{"token": "{}"}}"#, "c".repeat(bytes - frame))
    };
    assert_eq!(ask(&world, &fits(ACCESS_BODY_BYTES_MAX)).await.status, 200);
    let answer = ask(&world, &fits(ACCESS_BODY_BYTES_MAX + 1)).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (413, "body_too_large")
    );
    assert_eq!(answer.json()["limit"], ACCESS_BODY_BYTES_MAX);
    for (body, code) in [
        ("{\"token\": \"canary", "invalid_json"),
        ("[\"canary\"]", "invalid_body"),
        (r#"{"token": "canary", "ticket": "canary"}"#, "invalid_body"),
        (r#"{"token": ["canary"]}"#, "invalid_body"),
        (r#"{"key": "canary//"}"#, "invalid_body"),
        (r#"{"key": "@nobody/canary"}"#, "invalid_body"),
        (r#"{"token": null}"#, "invalid_body"),
        ("\u{feff}{\"token\": \"canary\"}", "invalid_json"),
    ] {
        let answer = ask(&world, body).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (400, code),
            "{body}"
        );
        assert!(!answer.text().contains("canary"), "{}", answer.text());
    }
}

#[tokio::test]
async fn only_administrators_have_credentials_explained() {
    let world = world().await;
    let ask = || Request::post("/v1/auth/explain").json(r#"{"token": "writer"}"#);
    for (request, status, code) in [
        (ask(), 401, "authentication_required"),
        (ask().bearer("writer"), 403, "not_granted"),
        (
            ask()
                .header("cookie", "session=admin")
                .header("origin", "https://evil.example"),
            403,
            "cross_site",
        ),
    ] {
        let answer = world.send(request).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code));
        assert!(!answer.text().contains("w1"), "{}", answer.text());
    }
}
