//! `tidings revoke`: credentials that end before their time, and those that count again.

use std::time::Duration;

use tempfile::{TempDir, tempdir};
use tidings_auth::store::LocalStore;
use tidings_core::port::SharedStore;
use tidings_core::revocation::Revocation;
use tidings_core::time::Timestamp;

use crate::program::{Ran, run};

fn revoke(directory: &TempDir, arguments: &[&str]) -> Ran {
    let arguments = [&["revoke", "--data-dir", "data"], arguments].concat();
    run(directory.path(), &[], &arguments)
}

fn revoked(directory: &TempDir, arguments: &[&str]) {
    let ran = revoke(directory, arguments);
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), ""), "{}", ran.err);
}

fn kept(directory: &TempDir) -> Vec<Revocation> {
    let store = LocalStore::open(&directory.path().join("data")).expect("readable");
    let mut all: Vec<Revocation> = store.revocations().iter().cloned().collect();
    all.sort_by(|a, b| a.what.cmp(&b.what));
    all
}

#[test]
fn what_is_revoked_is_kept_for_as_long_as_asked() {
    let directory = tempdir().expect("a directory");
    revoked(&directory, &["subject:u1"]);
    revoked(&directory, &["token:main:t1", "--for", "2h"]);
    let [subject, token] = kept(&directory).try_into().expect("two");
    assert_eq!(subject.what.to_string(), "subject:u1");
    let days = Duration::from_secs(30 * 24 * 3_600);
    assert_eq!(subject.until.since(subject.at), days);
    assert_eq!(subject.issued_before, None);
    assert_eq!(token.what.to_string(), "token:main:t1");
    let hours = Duration::from_secs(2 * 3_600);
    assert_eq!(token.until.since(token.at), hours);
}

#[test]
fn newer_credentials_are_spared_by_any_form_of_time() {
    let directory = tempdir().expect("a directory");
    let before = |time: &str| {
        revoked(&directory, &["subject:u1", "--issued-before", time]);
        let [revocation] = kept(&directory).try_into().expect("one");
        (revocation.at, revocation.issued_before.expect("a time"))
    };
    let new_year = Timestamp(1_767_225_600_000);
    assert_eq!(before("2026-01-01T00:00:00Z").1, new_year);
    assert_eq!(before("1767225600000").1, new_year);
    let (at, time) = before("now");
    assert_eq!(at, time);
    let (at, time) = before("10m");
    assert_eq!(at.since(time), Duration::from_secs(600));
    let ran = revoke(&directory, &["subject:u1", "--issued-before", "earliest"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("hint: give a time"), "{}", ran.err);
}

#[test]
fn what_is_revoked_is_listed_and_can_be_lifted() {
    let directory = tempdir().expect("a directory");
    let none = revoke(&directory, &["--list"]);
    assert_eq!((none.code, none.out.as_str()), (Some(0), ""));
    assert_eq!(none.err, "nothing is revoked\n");
    revoked(
        &directory,
        &["subject:u1", "--issued-before", "1767225600000"],
    );
    revoked(&directory, &["token:main:t1"]);
    revoked(&directory, &["subject:soon", "--for", "1s"]);
    let listed = revoke(&directory, &["--list"]);
    let subject = listed
        .out
        .lines()
        .find(|line| line.starts_with("subject:u1 "));
    let subject = subject.expect("it is listed");
    assert!(
        subject.ends_with("issued before 2026-01-01T00:00:00.000Z"),
        "{subject}"
    );
    let token = listed
        .out
        .lines()
        .find(|line| line.starts_with("token:main:t1 "));
    assert!(
        token.expect("it is listed").contains("  until 2"),
        "{listed:?}"
    );

    revoked(&directory, &["subject:u1", "--lift"]);
    let left = revoke(&directory, &["--list"]).out;
    assert!(!left.contains("subject:u1") && left.contains("token:main:t1"));
    let again = revoke(&directory, &["subject:u1", "--lift"]);
    assert_eq!(again.code, Some(1));
    assert!(
        again.err.contains("is not revoked in `data`"),
        "{}",
        again.err
    );
}

#[test]
fn whoever_revokes_a_key_hears_of_the_way_that_lasts() {
    let directory = tempdir().expect("a directory");
    let ran = revoke(&directory, &["key:4fQz81LmXo0B"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(
        ran.err.contains("hint: `tidings key revoke`"),
        "{}",
        ran.err
    );
}
