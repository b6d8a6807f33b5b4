//! Sessions of Auth.js and `NextAuth` as the libraries make them (A10).

use std::net::Ipv4Addr;
use std::time::Duration;

use futures_util::FutureExt;
use tidings_auth::claims::Layout;
use tidings_auth::claims::path::ClaimPath;
use tidings_auth::issuer::{IssuerName, StreamLife};
use tidings_auth::limits::SESSION_LEEWAY_SECONDS;
use tidings_auth::provider::{Proven, Provider};
use tidings_auth::session::{COOKIE_NAMES_DEFAULT, Policy, SessionCookie};
use tidings_core::audience::Role;
use tidings_core::credential::{CredentialId, Serves};
use tidings_core::port::{AuthFailure, Presented, Purpose};
use tidings_core::time::Timestamp;

use crate::fixtures::{secrets, sessions, valid};

/// A time at which the valid fixtures are valid.
pub(crate) const THEN: Timestamp = Timestamp(1_900_000_000_000);

/// The end of every valid fixture.
const END: Timestamp = Timestamp(4_102_444_800_000);

/// What the fixtures are made for.
pub(crate) fn policy() -> Policy {
    Policy {
        name: name("portal"),
        secrets: secrets().iter().map(|text| text.as_str().into()).collect(),
        cookie_names: COOKIE_NAMES_DEFAULT.map(str::to_owned).to_vec(),
        layout: Layout::own(),
        qualify: false,
        others: vec![name("keys")],
        stream_life: StreamLife::WithToken,
    }
}

fn name(text: &str) -> IssuerName {
    text.parse().expect(text)
}

/// The usual layout, with other places for who and with which roles.
pub(crate) fn layout(subject: &str, roles: &[&str]) -> Layout {
    let path = |text: &str| text.parse::<ClaimPath>().expect(text);
    Layout {
        subject: path(subject),
        roles: roles.iter().map(|text| path(text).into()).collect(),
        ..Layout::own()
    }
}

/// Presents cookies at a time.
pub(crate) fn ask(
    provider: &SessionCookie,
    cookies: &[(&str, &str)],
    now: Timestamp,
) -> Result<Option<Proven>, AuthFailure> {
    let presented = Presented {
        cookies,
        ..Presented::nothing(Purpose::Read, Ipv4Addr::LOCALHOST.into(), now)
    };
    let answer = provider.prove(presented).now_or_never();
    answer.expect("a session needs nobody's answer")
}

/// The provider of a policy.
pub(crate) fn provider(policy: Policy) -> SessionCookie {
    SessionCookie::new(policy).expect("a good policy")
}

#[test]
fn a10_every_session_that_the_libraries_made_is_accepted() {
    let provider = provider(policy());
    let sessions = sessions("valid");
    assert!(sessions.len() > 15);
    assert!(sessions.iter().any(|session| session.cookies.len() > 2));
    for session in sessions {
        let label = &session.label;
        let proven = ask(&provider, &session.cookies(), THEN)
            .expect(label)
            .expect(label);
        assert_eq!(
            proven.subject.expect(label).as_str(),
            session.subject,
            "{label}"
        );
        let roles: Vec<&str> = proven.roles.iter().map(Role::as_str).collect();
        assert_eq!(roles, session.roles, "{label}");
        let ends = proven.expires_at.expect(label);
        assert!(ends.since(END) < Duration::from_secs(60), "{label}: {ends}");
        assert_eq!(proven.issuer.as_deref(), Some("portal"));
        assert!(proven.credential.is_ambient);
        assert_eq!(proven.credential.serves, Serves::Anything);
        assert!(proven.credential.issued_at.is_some(), "{label}");
        let Some(CredentialId::Token { issuer, id }) = proven.credential.id else {
            panic!("{label} has a jti");
        };
        assert_eq!(&*issuer, "portal");
        assert_eq!(proven.claims["jti"], *id);
        assert!(!proven.is_final);
    }
}

#[test]
fn a10_the_order_of_the_parts_of_a_cookie_does_not_matter() {
    let provider = provider(policy());
    let session = valid("Auth.js 5, in parts, __Secure-");
    let mut cookies = session.cookies();
    cookies.reverse();
    cookies.insert(1, ("theme", "dark"));
    assert!(ask(&provider, &cookies, THEN).expect("good").is_some());
}

#[test]
fn a10_an_expired_session_is_refused_to_the_millisecond() {
    let provider = provider(policy());
    for session in sessions("expired") {
        let refused = ask(&provider, &session.cookies(), THEN);
        assert_eq!(refused, Err(AuthFailure::Expired), "{}", session.label);
    }
    let session = valid("Auth.js 5, A256GCM");
    let at = |ms| ask(&provider, &session.cookies(), Timestamp(END.0 + ms));
    let leeway = SESSION_LEEWAY_SECONDS * 1_000;
    assert!(at(leeway - 1).expect("within the leeway").is_some());
    assert_eq!(at(leeway), Err(AuthFailure::Expired));
}

#[test]
fn a6_a_claim_of_a_wrong_type_refuses_the_session_and_is_named() {
    let provider = provider(policy());
    let wrong = sessions("wrong");
    assert!(wrong.len() > 10);
    for session in wrong {
        match ask(&provider, &session.cookies(), THEN) {
            Err(AuthFailure::Claim { claim, .. }) => {
                assert!(claim.starts_with(&session.label), "{claim}");
            }
            other => panic!("{}: {other:?}", session.label),
        }
    }
    for session in sessions("noClaims") {
        let refused = ask(&provider, &session.cookies(), THEN);
        assert!(
            matches!(refused, Err(AuthFailure::Malformed(_))),
            "{refused:?}"
        );
    }
}

#[test]
fn a6_a_session_does_not_count_before_its_time() {
    let provider = provider(policy());
    let begins = END.minus(Duration::from_secs(3_600 + SESSION_LEEWAY_SECONDS));
    for session in sessions("early") {
        let at = |time| ask(&provider, &session.cookies(), time);
        let a_moment_before = Timestamp(begins.0 - 1);
        assert_eq!(at(a_moment_before), Err(AuthFailure::NotYetValid));
        assert!(at(begins).expect("within the leeway").is_some());
    }
}

#[test]
fn a_request_without_the_cookie_presents_nothing() {
    let provider = provider(policy());
    for cookies in [
        &[][..],
        &[("theme", "dark"), ("authjs.csrf-token", "x")],
        &[("authjs.session-token", "")],
        &[("AUTHJS.session-token", "x")],
        &[("authjs.session-token-old", "x")],
    ] {
        assert_eq!(ask(&provider, cookies, THEN), Ok(None), "{cookies:?}");
    }
    assert_eq!(provider.name(), "session");
}

#[test]
fn a_good_session_counts_beside_one_of_another_application() {
    let provider = provider(policy());
    let (good, other) = (valid("NextAuth 4, "), valid("Auth.js 5, "));
    let mut cookies = good.cookies();
    cookies.insert(0, ("authjs.session-token", "of.another.application.here"));
    let proven = ask(&provider, &cookies, THEN)
        .expect("good")
        .expect("known");
    assert_eq!(proven.subject.expect("somebody").as_str(), "u1");

    // That a real one has ended says more than that another is none.
    let ended = &sessions("expired")[1];
    for junk in ["authjs.session-token", "__Secure-next-auth.session-token"] {
        let mut cookies = ended.cookies();
        cookies.push((junk, &other.cookies[0].1[1..]));
        assert_eq!(ask(&provider, &cookies, THEN), Err(AuthFailure::Expired));
        cookies.reverse();
        assert_eq!(ask(&provider, &cookies, THEN), Err(AuthFailure::Expired));
    }
}

#[test]
fn a_session_of_the_strictest_name_goes_first() {
    let provider = provider(policy());
    let mut cookies: Vec<(String, String)> = valid("Auth.js 5, one role").cookies;
    cookies.extend(valid("Auth.js 5, __Host-").cookies);
    let cookies = crate::fixtures::borrowed(&cookies);
    let proven = ask(&provider, &cookies, THEN)
        .expect("good")
        .expect("known");
    assert_eq!(proven.subject.expect("somebody").as_str(), "u1");
}

#[test]
fn subjects_and_roles_are_found_where_callbacks_put_them() {
    let mut sessions = sessions("byId").into_iter();
    let (flat, nested) = (sessions.next().expect("one"), sessions.next().expect("two"));
    let by_id = provider(Policy {
        layout: layout("id", &["role"]),
        ..policy()
    });
    let proven = ask(&by_id, &flat.cookies(), THEN)
        .expect("good")
        .expect("known");
    assert_eq!(proven.subject.expect("somebody").as_str(), flat.subject);
    let missing = ask(&by_id, &nested.cookies(), THEN).expect_err("no `id` there");
    assert_eq!(missing.to_string(), "the claim `id` is missing");

    let in_user = provider(Policy {
        layout: layout("user.id", &["user.role", "user.roles"]),
        qualify: true,
        ..policy()
    });
    let proven = ask(&in_user, &nested.cookies(), THEN)
        .expect("good")
        .expect("known");
    assert_eq!(proven.subject.expect("somebody").as_str(), "portal:user-7");
    assert_eq!(proven.roles, [Role::parse("ADMIN").expect("a role")]);
}

#[test]
fn a_stream_may_live_longer_or_shorter_than_its_session() {
    let life = Duration::from_secs(3_600);
    let provider = provider(Policy {
        stream_life: StreamLife::Session(life),
        ..policy()
    });
    let session = valid("NextAuth 4, ");
    let proven = ask(&provider, &session.cookies(), THEN)
        .expect("good")
        .expect("known");
    assert_eq!(proven.expires_at, Some(THEN.plus(life)));
}

#[test]
fn a12_no_session_provider_shows_its_secrets() {
    let provider = provider(policy());
    for shown in [format!("{provider:?}"), format!("{:#?}", policy())] {
        for secret in secrets() {
            assert!(!shown.contains(&secret), "{shown}");
        }
    }
}
