//! Asking the application: what is sent, what the answer comes to, and what is kept of it.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use tidings_auth::address::{Address, PlainHttp};
use tidings_auth::application::{Application, Policy, Shape};
use tidings_auth::claims::Layout;
use tidings_auth::claims::path::ClaimPath;
use tidings_auth::fetch::FetchMethod;
use tidings_auth::limits::{
    ANSWER_BYTES_MAX, ANSWER_KEPT_MS_DEFAULT, ANSWER_KEPT_MS_MAX, ANSWERS_KEPT_BYTES_MAX,
    REFUSAL_KEPT_MS_MAX,
};
use tidings_auth::provider::{Proven, Provider};
use tidings_core::port::{AuthFailure, Clock, Presented, Purpose};

use crate::web::{App, Does, HandClock, PlainFetch};

/// A policy that asks an address.
pub(crate) fn asking(url: &str) -> Policy {
    let address = Address::parse(url, PlainHttp::Loopback).expect(url);
    Policy::new("portal".parse().expect("a name"), address)
}

/// An application, who asks it, and their time.
pub(crate) struct Scene {
    pub(crate) app: Arc<App>,
    pub(crate) provider: Application,
    pub(crate) clock: Arc<HandClock>,
}

pub(crate) type Asked = Result<Option<Proven>, AuthFailure>;

impl Scene {
    pub(crate) async fn new(does: Does, change: impl FnOnce(&mut Policy)) -> Self {
        let app = App::start(does).await;
        let mut policy = asking(&app.url());
        policy.cookies = vec!["session".to_owned(), "echo".to_owned()];
        policy.headers = vec!["authorization".to_owned()];
        // Long enough for any machine, however busy.
        policy.timeout = Duration::from_secs(30);
        change(&mut policy);
        let clock = Arc::new(HandClock::default());
        let provider = Application::new(policy, Arc::new(PlainFetch), clock.clone());
        Self {
            app,
            provider: provider.expect("a good policy"),
            clock,
        }
    }

    pub(crate) async fn present(
        &self,
        cookies: &[(&str, &str)],
        headers: &[(&str, &[u8])],
    ) -> Asked {
        let peer = Ipv4Addr::LOCALHOST.into();
        let presented = Presented {
            cookies,
            headers,
            ..Presented::nothing(Purpose::Read, peer, self.clock.now())
        };
        self.provider.prove(presented).await
    }

    /// Presents one session.
    pub(crate) async fn sign_in(&self, session: &str) -> Asked {
        self.present(&[("session", session)], &[]).await
    }
}

pub(crate) fn yes() -> Does {
    Does::Answers(200, r#"{"subject": "u1", "roles": ["ADMIN"]}"#.to_owned())
}

pub(crate) fn subject(asked: Asked) -> String {
    let proven = asked.expect("good").expect("known");
    proven.subject.expect("somebody").as_str().to_owned()
}

#[tokio::test]
async fn only_what_is_listed_is_sent_and_the_answer_says_who() {
    let scene = Scene::new(yes(), |_| {}).await;
    let cookies = [("theme", "dark"), ("session", "s1"), ("session.0", "s2")];
    let headers: [(&str, &[u8]); 4] = [
        ("host", b"hub.example.com"),
        ("cookie", b"theme=dark; session=s1"),
        ("x-forwarded-for", b"10.0.0.1"),
        ("user-agent", b"a browser"),
    ];
    let proven = scene
        .present(&cookies, &headers)
        .await
        .expect("good")
        .expect("known");
    assert_eq!(
        scene.app.last(),
        format!(
            "GET /api/auth/session HTTP/1.1\r\nhost: {}\r\naccept: application/json\r\n\
             cookie: session=s1; session.0=s2\r\n\r\n",
            scene.app.address
        )
    );
    assert_eq!(proven.subject.expect("somebody").as_str(), "u1");
    assert_eq!(proven.issuer.as_deref(), Some("portal"));
    assert_eq!(
        proven.expires_at,
        Some(scene.clock.now().plus(Duration::from_secs(3_600)))
    );
    assert_eq!(proven.credential.issued_at, Some(scene.clock.now()));
    assert!(proven.credential.is_ambient);
    assert_eq!(scene.provider.name(), "application");

    let bearer: [(&str, &[u8]); 1] = [("authorization", b"Bearer opaque")];
    let proven = scene
        .present(&cookies, &bearer)
        .await
        .expect("good")
        .expect("known");
    assert!(!proven.credential.is_ambient);
    assert!(
        scene
            .app
            .last()
            .contains("authorization: Bearer opaque\r\n")
    );
}

#[tokio::test]
async fn a_request_without_any_of_it_presents_nothing_and_asks_nothing() {
    let scene = Scene::new(yes(), |_| {}).await;
    let asked = scene
        .present(&[("theme", "dark")], &[("x-user", b"admin")])
        .await;
    assert_eq!(asked, Ok(None));
    assert_eq!(scene.app.asked(), 0);
}

#[tokio::test]
async fn an_existing_session_endpoint_works_unchanged() {
    let body = r#"{"user": {"email": "ada@example.com", "role": "ADMIN"},
                   "expires": "2030-03-17T17:47:40.000Z"}"#;
    let scene = Scene::new(Does::Answers(200, body.to_owned()), |policy| {
        policy.method = FetchMethod::Post;
        policy.qualify = true;
        let layout = Layout {
            subject: ClaimPath::of(&["user", "email"]),
            roles: vec![ClaimPath::of(&["user", "role"]).into()],
            grants: None,
        };
        policy.shape = Shape::session(layout, Some(ClaimPath::top("expires")));
    })
    .await;
    let proven = scene.sign_in("s1").await.expect("good").expect("known");
    assert_eq!(
        proven.subject.expect("somebody").as_str(),
        "portal:ada@example.com"
    );
    assert!(scene.app.last().starts_with("POST "));
    // It ends before the hour of the policy.
    assert_eq!(
        proven.expires_at,
        Some(scene.clock.now().plus(Duration::from_secs(60)))
    );
    assert_eq!(proven.claims["user"]["role"], "ADMIN");

    scene.app.now_does(Does::Answers(200, "{}".to_owned()));
    assert_eq!(scene.sign_in("s2").await, Err(AuthFailure::Denied));
}

#[tokio::test]
async fn an_answer_is_kept_for_its_time_and_no_longer() {
    let scene = Scene::new(yes(), |_| {}).await;
    for _ in 0..10 {
        assert_eq!(subject(scene.sign_in("s1").await), "u1");
    }
    assert_eq!(scene.app.asked(), 1);
    scene.app.now_does(Does::Answers(401, String::new()));
    scene
        .clock
        .pass(Duration::from_millis(ANSWER_KEPT_MS_DEFAULT - 1));
    assert_eq!(subject(scene.sign_in("s1").await), "u1");
    assert_eq!(scene.app.asked(), 1);
    scene.clock.pass(Duration::from_millis(1));
    assert_eq!(scene.sign_in("s1").await, Err(AuthFailure::Denied));
    assert_eq!(scene.app.asked(), 2);
}

#[tokio::test]
async fn an_answer_is_not_kept_beyond_its_own_end() {
    let body = r#"{"subject": "u1", "ttl": 5}"#.to_owned();
    let scene = Scene::new(Does::Answers(200, body), |_| {}).await;
    scene.sign_in("s1").await.expect("good");
    scene.clock.pass(Duration::from_millis(4_999));
    scene.sign_in("s1").await.expect("still good");
    assert_eq!(scene.app.asked(), 1);
    scene.clock.pass(Duration::from_millis(1));
    scene.sign_in("s1").await.expect("good again");
    assert_eq!(scene.app.asked(), 2);
}

#[tokio::test]
async fn only_so_many_bytes_of_answers_are_kept() {
    let pad = "x".repeat(ANSWER_BYTES_MAX - 100);
    let body = format!(r#"{{"subject": "u1", "claims": {{"pad": "{pad}"}}}}"#);
    let scene = Scene::new(Does::Answers(200, body), |policy| {
        policy.kept = Duration::from_millis(ANSWER_KEPT_MS_MAX);
    })
    .await;
    // An answer counts for more than its bytes; as these alone, twice what fits.
    let sessions = 2 * ANSWERS_KEPT_BYTES_MAX as usize / ANSWER_BYTES_MAX;
    for _ in 0..2 {
        for n in 0..sessions {
            assert_eq!(subject(scene.sign_in(&format!("s{n}")).await), "u1");
        }
    }
    let asked_again = scene.app.asked() - sessions;
    assert!(asked_again > sessions / 2, "{asked_again} of {sessions}");
}

#[tokio::test]
async fn a_no_is_kept_for_a_moment_so_that_signing_in_helps_soon() {
    for status in [401, 403, 404, 204, 302, 307, 400, 431] {
        let scene = Scene::new(Does::Answers(status, String::new()), |_| {}).await;
        for _ in 0..3 {
            assert_eq!(
                scene.sign_in("s1").await,
                Err(AuthFailure::Denied),
                "{status}"
            );
        }
        assert_eq!(scene.app.asked(), 1, "{status}");
        scene.app.now_does(yes());
        scene.clock.pass(Duration::from_millis(REFUSAL_KEPT_MS_MAX));
        assert_eq!(subject(scene.sign_in("s1").await), "u1", "{status}");
    }
}

#[tokio::test]
async fn a17_sessions_that_collide_when_joined_get_answers_of_their_own() {
    let scene = Scene::new(Does::Echoes, |policy| {
        policy.cookies = ["a", "a_b", "echo"].map(str::to_owned).to_vec();
    })
    .await;
    for (index, cookies) in [
        [("a_b", "c"), ("echo", "u1")],
        [("a", "b_c"), ("echo", "u2")],
        [("a", "b_cecho"), ("echo", "u3")],
        [("a", "c"), ("echo", "u4")],
    ]
    .iter()
    .enumerate()
    {
        let expected = format!("u{}", index + 1);
        assert_eq!(subject(scene.present(cookies, &[]).await), expected);
        assert_eq!(subject(scene.present(cookies, &[]).await), expected);
        assert_eq!(scene.app.asked(), index + 1);
    }
}

#[tokio::test]
async fn an_answer_that_is_too_large_or_no_answer_at_all_is_refused() {
    let padded = |bytes: usize| {
        let body = r#"{"subject": "u1"}"#;
        format!("{body}{}", " ".repeat(bytes - body.len()))
    };
    let scene = Scene::new(Does::Answers(200, padded(ANSWER_BYTES_MAX)), |_| {}).await;
    assert_eq!(subject(scene.sign_in("s1").await), "u1");
    for body in [
        padded(ANSWER_BYTES_MAX + 1),
        "<!doctype html><title>Sign in</title>".to_owned(),
        r#"{"subject": 1}"#.to_owned(),
        r#"{"subject": "u1", "admin": "yes"}"#.to_owned(),
    ] {
        scene.app.now_does(Does::Answers(200, body.clone()));
        let refused = scene.sign_in(&format!("s{}", body.len())).await;
        assert!(
            matches!(refused, Err(AuthFailure::Claim { .. })),
            "{refused:?}"
        );
    }
}

#[tokio::test]
async fn a12_nothing_shows_a_credential() {
    let scene = Scene::new(Does::Answers(401, String::new()), |_| {}).await;
    let failure = scene.sign_in("CANARY").await.expect_err("refused");
    let unsendable = scene.sign_in("CANARY\n").await.expect_err("refused");
    let shown = format!(
        "{failure}{failure:?}{unsendable}{unsendable:?}{:?}",
        scene.provider
    );
    assert!(!shown.contains("CANARY"), "{shown}");
}
