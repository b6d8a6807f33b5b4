//! A chain with rules and revocations: who is refused, for what, and what the explanation tells.

use std::net::Ipv4Addr;
use std::sync::Arc;

use futures_util::FutureExt;
use serde_json::json;
use tempfile::{TempDir, tempdir};
use tidings_auth::anonymous::Anonymous;
use tidings_auth::chain::Chain;
use tidings_auth::key::{KeyProvider, KeyRequest, Keys};
use tidings_auth::rules::{Rule, Rules, Template, Who};
use tidings_auth::secret::Secret;
use tidings_auth::session::SessionCookie;
use tidings_auth::session_token::{self, SessionToken};
use tidings_auth::store::LocalStore;
use tidings_auth::stream_token::StreamTokens;
use tidings_auth::ticket::{TicketRequest, Tickets};
use tidings_core::audience::{Key, Role};
use tidings_core::explanation::{Explanation, Question, Said};
use tidings_core::grant::{Grants, PublishGrant};
use tidings_core::identity::Identity;
use tidings_core::port::{AuthFailure, Authenticator, Presented, Purpose, SharedStore};
use tidings_core::revocation::{Revocation, Revoked};
use tidings_core::time::Timestamp;

use crate::chain::own_tokens;
use crate::forge::{self, SECRET, good, with_claims_text};
use crate::person::{patterns, person};
use crate::world::World;

const NOW: Timestamp = Timestamp(forge::NOW * 1_000);
const CANARY: &str = "canary7f3e";

/// Everything that decides who is let in.
struct Hub {
    _directory: TempDir,
    store: Arc<LocalStore>,
    keys: Keys,
    tickets: Tickets,
    tokens: Arc<StreamTokens>,
    chain: Chain,
}

impl Hub {
    fn new() -> Self {
        let directory = tempdir().expect("a directory");
        let store = Arc::new(LocalStore::open(directory.path()).expect("readable"));
        let keys = Keys::open(directory.path()).expect("readable");
        let tickets = Tickets::new(store.clone());
        let tokens = Arc::new(StreamTokens::new(&[Secret::from(SECRET)]).expect("a good secret"));
        let issuers = World::new(Vec::new()).expect("no policies").issuers;
        let cookies = vec![session_token::SessionCookie::clerk()];
        let chain = Chain::new(
            vec![
                Arc::new(tickets.clone()),
                tokens.clone(),
                Arc::new(KeyProvider::new(keys.clone())),
                own_tokens(),
                Arc::new(SessionToken::new(issuers, cookies)),
                Arc::new(SessionCookie::new(crate::session::policy()).expect("a good policy")),
                Arc::new(Anonymous::new(Grants {
                    subscribe: patterns(&["public/**"]),
                    hear_everyone: true,
                    ..Grants::default()
                })),
            ],
            rules(),
            store.clone(),
        );
        Self {
            _directory: directory,
            store,
            keys,
            tickets,
            tokens,
            chain,
        }
    }

    fn ask(&self, presented: Presented<'_>) -> Result<Option<Identity>, AuthFailure> {
        let asked = self.chain.authenticate(presented).now_or_never();
        asked.expect("it waits for nobody")
    }

    fn explain(&self, presented: Presented<'_>, question: Option<&str>) -> Explanation {
        let key = question.map(|text| match PublishGrant::parse(text).expect(text) {
            PublishGrant::Topics(topic) => Key::Topic(topic.as_topic().expect("no wildcard")),
            PublishGrant::User(user) => Key::User(user.expect("one")),
            PublishGrant::Role(role) => Key::Role(role.expect("one")),
            PublishGrant::Everyone => Key::Everyone,
        });
        let question = Question { key };
        let explained = self.chain.explain(presented, &question).now_or_never();
        explained.expect("it waits for nobody")
    }

    fn revoke(&self, what: &str, issued_before: Option<Timestamp>) {
        let revoked = self.store.revoke(Revocation {
            what: Revoked::parse(what).expect(what),
            at: NOW,
            until: Timestamp(NOW.0 + 3_600_000),
            issued_before,
        });
        revoked.now_or_never().expect("at hand").expect("kept");
    }
}

/// Everybody reads their own topics, editors publish, and nobody of another issuer administers.
fn rules() -> Rules {
    let read = |text| Template::for_reading(text).expect(text);
    let publish = |text| Template::for_publishing(text).expect(text);
    Rules::new(vec![
        Rule {
            subscribe: vec![read("user/{sub}/**"), read("team/{team}")],
            ..Rule::default()
        },
        Rule {
            who: Who {
                roles: Some(vec![Role::parse("EDITOR").expect("a role")]),
                ..Who::default()
            },
            publish: vec![publish("news/*")],
            ..Rule::default()
        },
        Rule {
            who: Who {
                issuers: Some(vec!["clerk".into()]),
                ..Who::default()
            },
            administer: true,
            ..Rule::default()
        },
    ])
}

fn presented(bearer: Option<&str>) -> Presented<'_> {
    Presented {
        bearer,
        ..Presented::nothing(Purpose::Act, Ipv4Addr::LOCALHOST.into(), NOW)
    }
}

fn token() -> String {
    let mut claims = good();
    claims["jti"] = json!("t1");
    claims["iat"] = json!(forge::NOW - 10);
    claims["roles"] = json!(["EDITOR"]);
    claims["note"] = json!(CANARY);
    with_claims_text(&claims.to_string())
}

#[test]
fn a9_a_revoked_subject_token_or_age_is_refused_and_others_are_not() {
    let token = token();
    let before = |ms| Some(Timestamp(NOW.0 - 10_000 + ms));
    for (what, issued_before, is_refused) in [
        ("subject:u1", None, true),
        ("token:hub:t1", None, true),
        ("subject:u1", before(1), true),
        ("subject:u1", before(0), false),
        ("subject:u2", None, false),
        ("token:hub:t2", None, false),
        ("token:clerk:t1", None, false),
    ] {
        let hub = Hub::new();
        assert!(hub.ask(presented(Some(&token))).is_ok());
        hub.revoke(what, issued_before);
        let asked = hub.ask(presented(Some(&token)));
        let expected = is_refused.then_some(AuthFailure::Revoked);
        assert_eq!(asked.err(), expected, "{what} {issued_before:?}");
        let explained = hub.explain(presented(Some(&token)), Some("user/u1/x"));
        assert_eq!(explained.revocation.is_some(), is_refused, "{what}");
        let reads = explained.subscribe.expect("asked about");
        assert_eq!(reads.is_allowed, !is_refused, "{}", reads.because);
    }
}

#[test]
fn a9_a_revoked_key_is_refused() {
    let hub = Hub::new();
    let made = hub.keys.create(
        KeyRequest {
            grants: Grants {
                subscribe: patterns(&["a/**"]),
                ..Grants::default()
            },
            ..crate::keys::request()
        },
        NOW,
    );
    let made = made.expect("made");
    let bearer = made.expose();
    assert!(hub.ask(presented(Some(bearer))).expect("good").is_some());
    hub.revoke(&format!("key:{}", made.key.id), None);
    assert_eq!(hub.ask(presented(Some(bearer))), Err(AuthFailure::Revoked));
}

#[test]
fn a_credential_for_reading_reads_and_renews_and_does_nothing_else() {
    let hub = Hub::new();
    let token = hub.tokens.mint(&person(), None, NOW).expect("made");
    let with = |purpose| Presented {
        purpose,
        ..presented(Some(token.expose()))
    };
    for purpose in [Purpose::Read, Purpose::Look, Purpose::Renew] {
        let identity = hub.ask(with(purpose)).expect("good").expect("known");
        assert_eq!(identity.method, "stream_token");
        assert_eq!(
            identity.grants.subscribe,
            person().grants.subscribe,
            "no rule adds"
        );
    }
    let refused = hub.ask(with(Purpose::Act));
    assert!(
        matches!(refused, Err(AuthFailure::NotForThis(_))),
        "{refused:?}"
    );
    let explained = hub.explain(with(Purpose::Read), Some("a/x"));
    assert!(explained.subscribe.expect("asked about").is_allowed);
    assert!(!explained.publish.expect("asked about").is_allowed);
    assert!(explained.rules.iter().all(|rule| rule.why_not.is_some()));
    hub.revoke("token:main:t1", None);
    assert_eq!(
        hub.ask(with(Purpose::Read)),
        Err(AuthFailure::Revoked),
        "what is behind it"
    );
}

#[test]
fn whoever_presents_something_wrong_is_never_anonymous() {
    let hub = Hub::new();
    let nobody = hub.ask(presented(None)).expect("let in").expect("nobody");
    assert_eq!((nobody.method, nobody.subject), ("anonymous", None));
    assert_eq!(
        nobody.grants.subscribe,
        patterns(&["public/**"]),
        "no rule adds"
    );
    let foreign = Presented {
        cookies: &[("theme", "dark"), ("__session", "no token")],
        ..presented(None)
    };
    assert!(hub.ask(foreign).expect("none of ours").is_some());

    let spoiled = format!("{}AA", token());
    for bearer in ["x", "tdk_x", "a.b.c", "", spoiled.as_str()] {
        hub.ask(presented(Some(bearer))).expect_err(bearer);
    }
    for wrong in [
        Presented {
            ticket: Some("x"),
            ..presented(None)
        },
        Presented {
            cookies: &[("__session", "eyJ.e30.AAAA")],
            ..presented(None)
        },
        Presented {
            cookies: &[("authjs.session-token", "a.b.c.d.e")],
            ..presented(None)
        },
    ] {
        hub.ask(wrong).expect_err("it is of a known kind");
        let explained = hub.explain(wrong, None);
        assert_eq!(explained.identity, None);
        let refusals = explained.providers.iter();
        let refusals = refusals.filter(|one| matches!(one.said, Said::Refused(_)));
        assert_eq!(refusals.count(), 1);
    }
}

#[test]
fn an_explanation_tells_what_each_provider_and_each_rule_said() {
    let hub = Hub::new();
    let token = token();
    let explained = hub.explain(presented(Some(&token)), Some("news/today"));
    let said: Vec<_> = explained
        .providers
        .iter()
        .map(|one| {
            (
                one.provider,
                one.said == Said::Accepted,
                one.said == Said::NotAsked,
            )
        })
        .collect();
    assert_eq!(
        said,
        [
            ("ticket", false, false),
            ("stream_token", false, false),
            ("key", false, false),
            ("jwt", true, false),
            ("session_token", false, true),
            ("session", false, true),
            ("anonymous", false, true),
        ]
    );
    let identity = explained.identity.expect("somebody");
    assert_eq!((identity.method, identity.issuer), ("jwt", None));
    assert_eq!(
        identity.credential.expect("a name").to_string(),
        "token:hub:t1"
    );
    assert_eq!(identity.subscribe, ["user/u1/**"]);
    assert_eq!(identity.publish, ["news/*"]);
    assert!(!identity.administer);
    let [own, editors, issuer] = &explained.rules[..] else {
        panic!("three rules: {:?}", explained.rules);
    };
    assert_eq!((own.number, &own.why_not), (1, &None));
    assert_eq!(own.granted, ["subscribe user/u1/**"]);
    let why = "the claim `team` is missing".to_owned();
    assert_eq!(own.left_out, [("team/{team}".to_owned(), why)]);
    assert_eq!(editors.granted, ["publish news/*"]);
    assert_eq!(issuer.why_not.as_deref(), Some("it is of another issuer"));
    let publish = explained.publish.expect("asked about");
    assert_eq!(
        (publish.is_allowed, publish.because.as_str()),
        (true, "the publish grant `news/*`")
    );
    let read = explained.subscribe.expect("asked about");
    assert_eq!(
        (read.is_allowed, read.because.as_str()),
        (false, "no subscribe grant covers it")
    );
    for (question, reads, publishes) in [
        ("user/u1/x", true, false),
        ("@user/u1", true, false),
        ("@user/u2", false, false),
        ("@role/EDITOR", true, false),
        ("@role/ADMIN", false, false),
        ("@all", true, false),
    ] {
        let explained = hub.explain(presented(Some(&token)), Some(question));
        let read = explained.subscribe.expect(question);
        let publish = explained.publish.expect(question);
        assert_eq!(
            (read.is_allowed, publish.is_allowed),
            (reads, publishes),
            "{question}"
        );
    }
}

#[test]
fn a12_no_explanation_holds_a_credential_or_a_claim_that_is_no_name() {
    let hub = Hub::new();
    let token = token();
    let spoiled = format!("{token}AA");
    let request = TicketRequest::default();
    let ticket = hub.tickets.issue(&person(), request, NOW).now_or_never();
    let ticket = ticket.expect("at hand").expect("issued");
    let cookie = format!("{CANARY}.a.b.c.d");
    let cookies = [("authjs.session-token", cookie.as_str())];
    let cases = [
        presented(Some(&token)),
        presented(Some(&spoiled)),
        presented(Some(CANARY)),
        Presented {
            ticket: Some(ticket.expose()),
            purpose: Purpose::Read,
            ..presented(None)
        },
        Presented {
            ticket: Some(CANARY),
            purpose: Purpose::Read,
            ..presented(None)
        },
        Presented {
            cookies: &cookies,
            ..presented(None)
        },
    ];
    for presented in cases {
        let shown = format!("{:?}", hub.explain(presented, Some("news/x")));
        let parts = token.split('.').chain([CANARY, ticket.expose(), SECRET]);
        for secret in parts {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}
