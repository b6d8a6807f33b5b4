//! Claims of issuers that write them in places of their own.

use serde_json::{Map, Value};
use tidings_auth::claims::path::ClaimPath;
use tidings_auth::claims::{Claims, Layout, RoleSource};
use tidings_auth::limits::CLAIM_SECONDS_MAX;
use tidings_core::limits::{PATTERNS_PER_CLAIM_MAX, ROLES_PER_IDENTITY_MAX};
use tidings_core::pattern::Pattern;

use crate::input::lines;

/// Input: the path of the subject, that of the roles, a prefix of roles, the path of the grants or nothing,
/// each on a line; then claims as JSON.
pub fn claim_layout(data: &[u8]) {
    let Some([subject, roles, prefix, grants, claims]) = lines(data) else {
        return;
    };
    let paths = [subject, roles, grants].map(str::parse::<ClaimPath>);
    for path in paths.iter().flatten() {
        let again = path.to_string().parse::<ClaimPath>();
        assert_eq!(again.as_ref(), Ok(path), "a path survives its text");
    }
    let ([Ok(subject_path), Ok(roles_path), grants_path], Ok(claims)) =
        (paths, serde_json::from_str::<Map<String, Value>>(claims))
    else {
        return;
    };
    let layout = Layout {
        subject: subject_path,
        roles: vec![RoleSource {
            path: roles_path,
            prefix: prefix.to_owned(),
        }],
        grants: grants_path.ok(),
    };
    let Ok(read) = Claims::read_as(&claims, &layout) else {
        return;
    };
    let expires_at = claims.get("exp").and_then(Value::as_f64);
    #[expect(clippy::cast_sign_loss, reason = "a negative time was refused")]
    let expires_at = expires_at.map(|seconds| seconds as u64 * 1_000);
    assert_eq!(Some(read.expires_at.0), expires_at);
    assert!(read.expires_at.0 <= CLAIM_SECONDS_MAX * 1_000);

    // Who is what stands at the path, or nobody.
    let named = at(&claims, subject).and_then(Value::as_str);
    assert_eq!(named, Some(read.subject.as_str()));
    let words: Vec<String> = match at(&claims, roles) {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::String(words)) => words.split_ascii_whitespace().map(str::to_owned).collect(),
        Some(Value::Array(words)) => words
            .iter()
            .map(|word| word.as_str().expect("a role is a text").to_owned())
            .collect(),
        Some(other) => panic!("roles were made of {other}"),
    };
    for role in &read.roles {
        let bare = role
            .as_str()
            .strip_prefix(prefix)
            .expect("the prefix is there");
        assert!(words.iter().any(|word| word == bare));
    }
    assert!(read.roles.len() <= ROLES_PER_IDENTITY_MAX);

    let granted = layout.grants.as_ref().and_then(|_| at(&claims, grants));
    let may = |what: &str| granted.and_then(|granted| granted.get(what));
    assert!(!read.grants.administer || may("admin") == Some(&Value::Bool(true)));
    assert!(
        !read.grants.hear_everyone,
        "no claim grants that to somebody"
    );
    let subscribe: Vec<&str> = read.grants.subscribe.iter().map(Pattern::as_str).collect();
    let publish: Vec<String> = read
        .grants
        .publish
        .iter()
        .map(ToString::to_string)
        .collect();
    assert!(subscribe.len() <= PATTERNS_PER_CLAIM_MAX && publish.len() <= PATTERNS_PER_CLAIM_MAX);
    let is_in = |what: &str, text: &str| {
        let list = may(what).and_then(Value::as_array);
        list.is_some_and(|list| list.iter().any(|entry| entry == text))
    };
    assert!(subscribe.iter().all(|text| is_in("subscribe", text)));
    assert!(publish.iter().all(|text| is_in("publish", text)));
}

/// What stands at a path, read naively.
fn at<'a>(claims: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    // A dot or a backslash after a backslash belongs to the name.
    let mut names = vec![String::new()];
    let mut is_escaped = false;
    for character in path.chars() {
        match character {
            '\\' if !is_escaped => {
                is_escaped = true;
                continue;
            }
            '.' if !is_escaped => names.push(String::new()),
            other => names.last_mut().expect("there is a name").push(other),
        }
        is_escaped = false;
    }
    let mut names = names.iter();
    let mut value = claims.get(names.next()?)?;
    for name in names {
        value = value.get(name)?;
    }
    Some(value)
}
