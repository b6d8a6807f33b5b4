//! `tidings token`: a token on stdout, and nothing else.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tempfile::tempdir;
use tidings_auth::jwt::JwtAuthenticator;
use tidings_auth::secret::Secret;
use tidings_core::limits::{PATTERNS_PER_CLAIM_MAX, ROLES_PER_IDENTITY_MAX};
use tidings_core::time::Timestamp;

use crate::program::run;

const SECRET: &str = "0123456789abcdef0123456789abcdef";

#[test]
fn a_token_says_what_the_flags_say() {
    let directory = tempdir().expect("a directory");
    let arguments = [
        "token",
        "--sub",
        "u1",
        "--role",
        "ADMIN",
        "--role",
        "EDITOR",
        "--subscribe",
        "a/**",
        "--publish",
        "@all",
        "--publish",
        "a/*",
        "--admin",
        "--ttl",
        "10m",
    ];
    let ran = run(
        directory.path(),
        &[("TIDINGS_AUTH_SECRET", SECRET)],
        &arguments,
    );
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    let token = ran.out.strip_suffix('\n').expect("one line");
    assert!(!token.contains(char::is_whitespace));

    let provider = JwtAuthenticator::new(&Secret::from(SECRET), Duration::ZERO).expect("set up");
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970");
    let now = Timestamp(now.as_millis() as u64);
    let identity = provider.verify(token, now).expect("valid");
    assert_eq!(identity.subject.expect("somebody").as_str(), "u1");
    assert_eq!(identity.roles.len(), 2);
    assert_eq!(identity.grants.publish.len(), 2);
    assert_eq!(identity.grants.subscribe.len(), 1);
    assert!(identity.grants.administer);
    let left = identity.expires_at.expect("an end").since(now);
    assert!(left <= Duration::from_secs(600), "{left:?}");
}

#[test]
fn without_a_secret_the_development_hub_of_the_directory_is_asked() {
    let directory = tempdir().expect("a directory");
    let none = run(directory.path(), &[], &["token", "--sub", "u1"]);
    assert_eq!((none.code, none.out.as_str()), (Some(1), ""));
    assert!(none.err.contains("tidings serve --dev"), "{}", none.err);

    for data in ["tidings-data", "elsewhere"] {
        let path = directory.path().join(data);
        std::fs::create_dir(&path).expect("made");
        let secret = path.join("dev-secret");
        std::fs::write(&secret, SECRET).expect("written");
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(&secret, private).expect("set");
    }
    for arguments in [
        vec!["token", "--sub", "u1"],
        vec!["token", "--sub", "u1", "--data-dir", "elsewhere"],
    ] {
        let ran = run(directory.path(), &[], &arguments);
        assert_eq!(ran.code, Some(0), "{}", ran.err);
    }
}

#[test]
fn a15_a_token_that_no_hub_would_accept_is_not_made() {
    let directory = tempdir().expect("a directory");
    let variables = [("TIDINGS_AUTH_SECRET", SECRET)];
    let mut arguments = vec!["token", "--sub", "u1"];
    for _ in 0..PATTERNS_PER_CLAIM_MAX {
        arguments.extend(["--subscribe", "a/*"]);
    }
    assert_eq!(run(directory.path(), &variables, &arguments).code, Some(0));
    arguments.extend(["--subscribe", "a/*"]);
    assert_eq!(run(directory.path(), &variables, &arguments).code, Some(1));
    for (flag, max) in [
        ("--publish", PATTERNS_PER_CLAIM_MAX),
        ("--role", ROLES_PER_IDENTITY_MAX),
    ] {
        let given = |count: usize| {
            let mut arguments = vec!["token", "--sub", "u1"];
            arguments.extend([flag, "a"].repeat(count));
            run(directory.path(), &variables, &arguments)
        };
        assert_eq!(given(max).code, Some(0), "{flag}");
        let shown = given(max + 1).err;
        assert!(shown.contains(&format!("more than {max} times")), "{shown}");
    }

    let long = "a".repeat(250);
    let mut arguments = vec!["token", "--sub", "u1"];
    for _ in 0..PATTERNS_PER_CLAIM_MAX {
        arguments.extend(["--subscribe", &long]);
    }
    let ran = run(directory.path(), &variables, &arguments);
    assert!(ran.err.contains("bytes"), "{}", ran.err);
}
