//! Whom revocations concern.

use super::*;

fn revocation(what: &str, issued_before: Option<u64>) -> Revocation {
    Revocation {
        what: Revoked::parse(what).expect(what),
        at: Timestamp(100),
        until: Timestamp(1_000),
        issued_before: issued_before.map(Timestamp),
    }
}

fn finds(entries: &[Revocation], subject: &str, id: Option<&str>, issued: Option<u64>) -> bool {
    let credential = Credential {
        id: id.map(|id| CredentialId::parse(id).expect(id)),
        issued_at: issued.map(Timestamp),
        ..Credential::default()
    };
    let subject = Subject::parse(subject).ok();
    let revocations = Revocations::new(entries.iter().cloned());
    let now = Timestamp(500);
    let found = revocations.find(subject.as_ref(), &credential, now);
    let holder = Holder::new(subject, &credential);
    assert_eq!(revocations.concern(&holder, now), found.is_some());
    found.is_some()
}

#[test]
fn a_subject_loses_all_its_credentials_or_those_issued_before_a_time() {
    let all = [revocation("subject:u1", None)];
    assert!(finds(&all, "u1", None, Some(400)));
    assert!(finds(&all, "u1", Some("key:k1"), None));
    assert!(!finds(&all, "u2", None, None));
    let old = [revocation("subject:u1", Some(100))];
    assert!(finds(&old, "u1", None, Some(99)));
    assert!(finds(&old, "u1", None, None), "nobody knows how old it is");
    assert!(!finds(&old, "u1", None, Some(100)));
}

#[test]
fn a_credential_is_revoked_by_its_own_name() {
    let entries = [
        revocation("token:main:t1", None),
        revocation("key:k1", None),
    ];
    assert!(finds(&entries, "u1", Some("token:main:t1"), None));
    assert!(finds(&entries, "", Some("key:k1"), None));
    assert!(!finds(&entries, "u1", Some("token:other:t1"), None));
    assert!(!finds(&entries, "u1", Some("key:t1"), None));
    assert!(!finds(&entries, "key:k1", None, None));
}

#[test]
fn revocations_end() {
    let entry = revocation("subject:u1", None);
    assert!(entry.concerns(None, Timestamp(999)));
    assert!(!entry.concerns(None, Timestamp(1_000)));
}

#[test]
fn texts_say_what_is_revoked() {
    for text in ["subject:u1", "subject:token:a:b", "token:main:t1", "key:k1"] {
        assert_eq!(Revoked::parse(text).expect(text).to_string(), text);
    }
    for bad in ["", "u1", "subject:", "subject:a\nb", "token:x"] {
        assert!(Revoked::parse(bad).is_err(), "{bad}");
    }
}
