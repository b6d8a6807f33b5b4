//! Somebody who asks for a ticket or a stream token.

use tidings_core::audience::{Role, Subject};
use tidings_core::credential::{Credential, CredentialId, Serves};
use tidings_core::grant::{Grants, PublishGrant};
use tidings_core::identity::Identity;
use tidings_core::pattern::Pattern;
use tidings_core::time::Timestamp;

/// The time of these tests.
pub(crate) const NOW: Timestamp = Timestamp(1_750_000_000_123);

/// This much after [`NOW`].
pub(crate) fn after(ms: u64) -> Timestamp {
    Timestamp(NOW.0 + ms)
}

/// Patterns of these texts.
pub(crate) fn patterns(texts: &[&str]) -> Vec<Pattern> {
    let parse = |text: &&str| Pattern::parse(text).expect(text);
    texts.iter().map(parse).collect()
}

/// Somebody who may read `a/*` and `b/**`, and much more.
pub(crate) fn person() -> Identity {
    Identity {
        subject: Subject::parse("u1").ok(),
        roles: vec![Role::parse("EDITOR").expect("a role")],
        grants: Grants {
            publish: vec![PublishGrant::Everyone],
            subscribe: patterns(&["a/*", "b/**"]),
            hear_everyone: true,
            administer: true,
        },
        home: Vec::new(),
        expires_at: Some(after(10 * 3_600_000)),
        method: "jwt",
        credential: Credential {
            id: CredentialId::parse("token:main:t1").ok(),
            issued_at: Some(Timestamp(NOW.0 - 777)),
            is_ambient: true,
            serves: Serves::Anything,
        },
    }
}
