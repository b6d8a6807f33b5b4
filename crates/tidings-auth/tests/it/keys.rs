//! API keys: what they prove, for how long, and what other processes see of them.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};

use futures_util::FutureExt;
use tempfile::{TempDir, tempdir};
use tidings_auth::journal::{Journal, Kind};
use tidings_auth::key::{KeyError, KeyProvider, KeyRequest, KeyState, Keys};
use tidings_auth::limits::{KEY_NAME_BYTES_MAX, KEY_REMEMBERED_MS, KEYS_MAX};
use tidings_auth::provider::{Proven, Provider};
use tidings_core::audience::{Role, Subject};
use tidings_core::credential::{CredentialId, Serves};
use tidings_core::grant::{Grants, PublishGrant};
use tidings_core::limits::{PATTERNS_PER_CLAIM_MAX, ROLES_PER_IDENTITY_MAX};
use tidings_core::pattern::Pattern;
use tidings_core::port::{AuthFailure, Presented, Purpose};
use tidings_core::time::Timestamp;

const NOW: Timestamp = Timestamp(1_750_000_000_000);

fn keys(directory: &TempDir) -> Keys {
    Keys::open(directory.path()).expect("readable")
}

pub(crate) fn request() -> KeyRequest {
    KeyRequest {
        name: "the build server".to_owned(),
        subject: Subject::parse("builds").expect("a subject"),
        roles: vec![Role::parse("CI").expect("a role")],
        grants: Grants {
            publish: vec![PublishGrant::parse("@all").expect("a grant")],
            subscribe: vec![Pattern::parse("build/**").expect("a pattern")],
            hear_everyone: false,
            administer: true,
        },
        expires_at: None,
    }
}

fn nothing() -> Presented<'static> {
    let peer = IpAddr::V4(Ipv4Addr::LOCALHOST);
    Presented::nothing(Purpose::Act, peer, NOW)
}

fn prove(keys: &Keys, presented: Presented<'_>) -> Result<Option<Proven>, AuthFailure> {
    let provider = KeyProvider::new(keys.clone());
    let proof = provider.prove(presented).now_or_never();
    proof.expect("it waits for nothing")
}

#[test]
fn a_key_proves_what_it_was_made_for_in_either_header() {
    let directory = tempdir().expect("a directory");
    let keys = keys(&directory);
    let made = keys.create(request(), NOW).expect("made");
    let headers = [("x-api-key", made.expose().as_bytes())];
    for presented in [
        Presented {
            bearer: Some(made.expose()),
            ..nothing()
        },
        Presented {
            headers: &headers,
            ..nothing()
        },
    ] {
        let proven = prove(&keys, presented).expect("good").expect("a key");
        assert_eq!(proven.subject, Some(request().subject));
        assert_eq!(proven.roles, request().roles);
        assert_eq!(proven.grants, request().grants);
        assert_eq!(proven.expires_at, None);
        let credential = proven.credential;
        assert_eq!(credential.id, Some(CredentialId::Key(made.key.id.clone())));
        assert_eq!(credential.issued_at, Some(NOW));
        assert_eq!(credential.serves, Serves::Anything);
        assert!(!credential.is_ambient && !proven.is_final);
    }
}

#[test]
fn two_keys_at_once_are_refused_and_foreign_ones_are_not_looked_at() {
    let directory = tempdir().expect("a directory");
    let keys = keys(&directory);
    let made = keys.create(request(), NOW).expect("made");
    let key = made.expose().as_bytes();
    let twice = [("x-api-key", key), ("x-api-key", key)];
    let once = [("x-api-key", key)];
    for (bearer, headers) in [
        (None, &twice[..]),
        (Some(made.expose()), &once[..]),
        (Some("eyJ.some.token"), &once[..]),
        (None, &[("x-api-key", b"tdk_\xff".as_slice())][..]),
    ] {
        let presented = Presented {
            bearer,
            headers,
            ..nothing()
        };
        let refused = prove(&keys, presented).expect_err("refused");
        assert!(matches!(refused, AuthFailure::Malformed(_)), "{refused}");
    }
    let gateway = [("x-api-key", b"of-the-gateway".as_slice())];
    for (bearer, headers) in [(None, &[][..]), (Some("eyJ.some.token"), &gateway[..])] {
        let presented = Presented {
            bearer,
            headers,
            ..nothing()
        };
        assert_eq!(prove(&keys, presented), Ok(None));
    }
}

#[test]
fn a_wrong_secret_an_unknown_id_and_a_typo_are_refused() {
    let directory = tempdir().expect("a directory");
    let elsewhere = tempdir().expect("a directory");
    let keys = keys(&directory);
    let made = keys.create(request(), NOW).expect("made");
    let others = self::keys(&elsewhere).create(request(), NOW).expect("made");
    let refused = keys.verify(others.expose(), NOW);
    assert_eq!(refused.map(|_| ()), Err(AuthFailure::Unknown));
    // The journal of another hub with this one's id: right id and sum, wrong secret.
    let path = directory.path().join("auth/keys.jsonl");
    let text = fs::read_to_string(elsewhere.path().join("auth/keys.jsonl")).expect("readable");
    assert!(!text.contains(others.expose()), "only a hash is kept");
    fs::remove_file(path).expect("removed");
    let forged = others.key.id.to_string();
    let line = text
        .lines()
        .nth(1)
        .expect("a key")
        .replace(&forged, &made.key.id);
    let (json, _) = line.rsplit_once(",\"sum\"").expect("a sum");
    let mut journal = Journal::new(
        directory.path(),
        Kind {
            name: "keys",
            version: 1,
        },
    );
    let mut writing = journal.write().expect("the right to write");
    writing.append(&format!("{json}}}")).expect("written");
    drop(writing);
    let keys = self::keys(&directory);
    assert_eq!(keys.list()[0].id, made.key.id);
    let refused = keys.verify(made.expose(), NOW);
    assert_eq!(refused.map(|_| ()), Err(AuthFailure::Unknown));

    let typo = made.expose().replacen(&*made.key.id, "AAAAAAAAAAAA", 1);
    let refused = keys.verify(&typo, NOW).map(|_| ()).expect_err("a typo");
    assert!(refused.to_string().contains("mistyped"), "{refused}");
    let refused = keys.verify("tdk_", NOW).map(|_| ()).expect_err("no key");
    assert!(matches!(refused, AuthFailure::Malformed(_)), "{refused}");
}

#[test]
fn a_key_ends_at_its_time_and_when_it_is_revoked() {
    let directory = tempdir().expect("a directory");
    let keys = keys(&directory);
    let end = Timestamp(NOW.0 + 1_000);
    let expires_at = Some(end);
    let short = keys.create(
        KeyRequest {
            expires_at,
            ..request()
        },
        NOW,
    );
    let short = short.expect("made");
    let long = keys.create(request(), NOW).expect("made");
    assert!(keys.verify(short.expose(), Timestamp(end.0 - 1)).is_ok());
    let ended = keys.verify(short.expose(), end).map(|_| ());
    assert_eq!(ended, Err(AuthFailure::Expired));
    assert!(keys.verify(long.expose(), end).is_ok());
    let revoked = keys.revoke(&long.key.id, end).expect("revoked");
    assert_eq!(revoked.revoked_at, Some(end));
    assert_eq!(revoked.state(end), KeyState::Revoked);
    let again = keys.revoke(&long.key.id, Timestamp(end.0 + 5));
    assert_eq!(again.expect("still").revoked_at, Some(end));
    let refused = keys.verify(long.expose(), end).map(|_| ());
    assert_eq!(refused, Err(AuthFailure::Revoked));
    let unknown = keys.revoke("AAAAAAAAAAAA", NOW).expect_err("unknown");
    assert!(matches!(unknown, KeyError::Unknown(_)), "{unknown}");
    let states = keys.list().iter().map(|key| key.state(end).as_str()).fold(
        Vec::new(),
        |mut states, state| {
            states.push(state);
            states.sort_unstable();
            states
        },
    );
    assert_eq!(states, ["expired", "revoked"]);
}

#[test]
fn other_processes_keys_count_after_a_poll_and_all_survive_a_restart() {
    let directory = tempdir().expect("a directory");
    let hub = keys(&directory);
    let command = keys(&directory);
    assert!(!hub.poll().expect("readable"));
    let made = command.create(request(), NOW).expect("made");
    let unknown = hub.verify(made.expose(), NOW).map(|_| ());
    assert_eq!(unknown, Err(AuthFailure::Unknown));
    assert!(hub.poll().expect("readable"));
    assert!(!hub.poll().expect("readable"));
    assert!(hub.verify(made.expose(), NOW).is_ok());
    // Both know all, whoever made it.
    let second = hub.create(request(), NOW).expect("made");
    command.revoke(&second.key.id, NOW).expect("it is known");
    hub.poll().expect("readable");
    for keys in [&hub, &command, &keys(&directory)] {
        assert_eq!(keys.list(), hub.list());
        assert!(keys.verify(made.expose(), NOW).is_ok());
        let refused = keys.verify(second.expose(), NOW).map(|_| ());
        assert_eq!(refused, Err(AuthFailure::Revoked));
    }
}

#[test]
fn a_line_that_makes_no_sense_stops_the_hub_from_starting_and_keeps_a_running_one() {
    let directory = tempdir().expect("a directory");
    let hub = keys(&directory);
    let made = hub.create(request(), NOW).expect("made");
    let mut journal = Journal::new(
        directory.path(),
        Kind {
            name: "keys",
            version: 1,
        },
    );
    let mut writing = journal.write().expect("the right to write");
    writing.append(r#"{"rename":{"id":"x"}}"#).expect("written");
    drop(writing);
    for _ in 0..2 {
        let refused = hub.poll().expect_err("no sense").to_string();
        assert!(refused.contains("at line 3"), "{refused}");
        let refused = hub
            .create(request(), NOW)
            .map(|_| ())
            .expect_err("no sense");
        assert!(matches!(refused, KeyError::Journal(_)), "{refused}");
    }
    assert!(hub.verify(made.expose(), NOW).is_ok());
    Keys::open(directory.path())
        .map(|_| ())
        .expect_err("no sense");
}

#[test]
fn names_roles_and_patterns_of_a_key_are_limited() {
    let directory = tempdir().expect("a directory");
    let keys = keys(&directory);
    let make = |change: &dyn Fn(&mut KeyRequest)| {
        let mut request = request();
        change(&mut request);
        keys.create(request, NOW).map(|_| ())
    };
    make(&|request| request.name = "n".repeat(KEY_NAME_BYTES_MAX)).expect("fits");
    make(&|request| request.name = "n".repeat(KEY_NAME_BYTES_MAX + 1)).expect_err("too long");
    make(&|request| request.name = "a\u{202e}b".to_owned()).expect_err("a trick");
    let role = Role::parse("r").expect("a role");
    let pattern = Pattern::parse("a/*").expect("a pattern");
    for (fits, roles, patterns) in [
        (true, ROLES_PER_IDENTITY_MAX, PATTERNS_PER_CLAIM_MAX),
        (false, ROLES_PER_IDENTITY_MAX + 1, 1),
        (false, 1, PATTERNS_PER_CLAIM_MAX + 1),
    ] {
        let outcome = make(&|request| {
            request.roles = vec![role.clone(); roles];
            request.grants.subscribe = vec![pattern.clone(); patterns];
        });
        assert_eq!(outcome.is_ok(), fits, "{roles} {patterns}");
        let outcome = make(&|request| {
            request.grants.publish = vec![PublishGrant::Everyone; patterns];
        });
        assert_eq!(outcome.is_ok(), patterns <= PATTERNS_PER_CLAIM_MAX);
    }
}

#[test]
fn only_so_many_keys_are_kept_and_those_that_ended_long_ago_are_forgotten() {
    let directory = tempdir().expect("a directory");
    let first = keys(&directory).create(request(), NOW).expect("made");
    let path = directory.path().join("auth/keys.jsonl");
    let text = fs::read_to_string(path).expect("readable");
    let line = text.lines().nth(1).expect("a key");
    let (json, _) = line.rsplit_once(",\"sum\"").expect("a sum");
    let json = format!("{json}}}");
    let copies = (1..KEYS_MAX).map(|number| json.replace(&*first.key.id, &format!("{number:012}")));
    let mut journal = Journal::new(
        directory.path(),
        Kind {
            name: "keys",
            version: 1,
        },
    );
    let mut writing = journal.write().expect("the right to write");
    let lines: Vec<String> = copies.chain([json.clone()]).collect();
    writing.rewrite(lines).expect("written");
    drop(writing);
    let keys = keys(&directory);
    assert_eq!(keys.list().len(), KEYS_MAX);
    let full = keys.create(request(), NOW).map(|_| ()).expect_err("full");
    assert!(matches!(full, KeyError::Full), "{full}");
    assert!(full.hint().contains("30 days"));
    keys.revoke(&first.key.id, NOW).expect("revoked");
    let later = Timestamp(NOW.0 + KEY_REMEMBERED_MS);
    let early = Timestamp(later.0 - 1);
    let full = keys.create(request(), early).map(|_| ()).expect_err("full");
    assert!(matches!(full, KeyError::Full), "{full}");
    keys.create(request(), later).expect("room");
    assert!(keys.list().iter().all(|key| key.id != first.key.id));
}

#[test]
fn a12_nothing_shows_a_key() {
    let directory = tempdir().expect("a directory");
    let keys = keys(&directory);
    let made = keys.create(request(), NOW).expect("made");
    let secret = &made.expose()[17..60];
    let provider = KeyProvider::new(keys.clone());
    let shown = format!(
        "{made:?} {:?} {keys:?} {provider:?} {:#?}",
        made.key,
        keys.list()
    );
    assert!(shown.contains(&*made.key.id), "{shown}");
    assert!(!shown.contains(secret), "{shown}");
    for change in ["", "x"] {
        let wrong = format!("{}{change}", made.expose());
        let refused = self::keys(&tempdir().expect("a directory"))
            .verify(&wrong, NOW)
            .map(|_| ())
            .expect_err("unknown");
        assert!(!format!("{refused} {refused:?}").contains(secret));
    }
}
