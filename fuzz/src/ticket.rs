//! Tickets: their text, and what the shared store says that they stand for.

use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use futures_util::FutureExt as _;
use tidings_auth::store::LocalStore;
use tidings_auth::ticket::{TicketRequest, Tickets};
use tidings_core::audience::{Role, Subject};
use tidings_core::credential::{Credential, Serves};
use tidings_core::grant::Grants;
use tidings_core::identity::Identity;
use tidings_core::pattern::Pattern;
use tidings_core::port::{
    AuthFailure, Bucket, Presented, Quota, SharedStore, Spent, StoreError, StoreFuture,
};
use tidings_core::revocation::{Revocation, Revocations, Revoked};
use tidings_core::time::Timestamp;

use crate::input::{edited, lines};
use crate::world::{NOW, nothing, prove};

/// An office whose store is in memory.
static OFFICE: LazyLock<Tickets> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder");
    let store = LocalStore::open(folder.path()).expect("an empty store");
    Tickets::new(Arc::new(store))
});

/// Input: edits of a new ticket's text, or the text that follows `=`.
pub fn ticket_text(data: &[u8]) {
    let identity = somebody("u1", &["a/*"], &[]).expect("somebody");
    let genuine = issue(&OFFICE, &identity, None).expect("a ticket");
    let text = match data.strip_prefix(b"=") {
        Some(raw) => String::from_utf8_lossy(raw).into_owned(),
        None => edited(&genuine, data),
    };
    let redeem = |text: &str| {
        let presented = Presented {
            ticket: Some(text),
            ..nothing()
        };
        prove(&*OFFICE, presented)
    };
    let proven = redeem(&text);
    if text == genuine {
        assert!(proven.is_ok_and(|proven| proven.is_some()));
        assert_eq!(
            redeem(&text),
            Err(AuthFailure::Unknown),
            "it was used twice"
        );
    } else {
        assert_eq!(proven, Err(AuthFailure::Unknown), "a forgery was accepted");
        // And it has not used up the real one.
        assert!(redeem(&genuine).is_ok_and(|proven| proven.is_some()));
    }
}

/// Input: a subject, a pattern that is granted, one that is asked for, roles with spaces between them, each
/// on a line; then what the store says instead of what it was given, if anything.
pub fn ticket_content(data: &[u8]) {
    let Some([subject, granted, asked, roles, content]) = lines(data) else {
        return;
    };
    let store = Arc::new(Forgetful::default());
    let office = Tickets::new(Arc::<Forgetful>::clone(&store));
    let roles: Vec<&str> = roles.split(' ').filter(|role| !role.is_empty()).collect();
    if let Some(identity) = somebody(subject, &[granted], &roles)
        && let Ok(asked) = Pattern::parse(asked)
        && let Some(text) = issue(&office, &identity, Some(vec![asked.clone()]))
    {
        let proven = redeem(&office, &text).expect("a ticket that was issued");
        assert_eq!(
            (&proven.subject, &proven.roles),
            (&identity.subject, &identity.roles)
        );
        let granted = identity.grants.subscribe.iter();
        let both: Vec<Pattern> = granted.filter_map(|one| one.intersect(&asked)).collect();
        assert_eq!(proven.grants.subscribe, both);
        assert_eq!(proven.expires_at, identity.expires_at);
        assert!(proven.is_final && proven.credential.serves == Serves::Reading);
    }
    if content.is_empty() {
        return;
    }
    store.keep(content.as_bytes().into());
    if let Some(proven) = redeem(&office, &"A".repeat(43)) {
        // Whatever anybody writes into the store, a ticket opens streams and nothing else.
        assert!(proven.is_final && proven.credential.serves == Serves::Reading);
        assert!(proven.grants.publish.is_empty() && !proven.grants.administer);
        assert!(proven.issuer.is_none() && proven.claims.is_empty());
        for pattern in &proven.grants.subscribe {
            assert_eq!(Pattern::parse(pattern.as_str()).as_ref(), Ok(pattern));
        }
    }
}

/// Somebody with these names, if they are names.
pub(crate) fn somebody(subject: &str, granted: &[&str], roles: &[&str]) -> Option<Identity> {
    let granted = granted.iter().map(|text| Pattern::parse(text).ok());
    let roles = roles.iter().map(|text| Role::parse(text).ok());
    Some(Identity {
        subject: Some(Subject::parse(subject).ok()?),
        roles: roles.collect::<Option<_>>()?,
        grants: Grants {
            subscribe: granted.collect::<Option<_>>()?,
            administer: true,
            ..Grants::default()
        },
        home: Vec::new(),
        expires_at: Some(Timestamp(NOW.0 + 3_600_000)),
        method: "jwt",
        credential: Credential::default(),
    })
}

fn issue(office: &Tickets, identity: &Identity, patterns: Option<Vec<Pattern>>) -> Option<String> {
    let request = TicketRequest {
        origin: None,
        patterns,
    };
    let issued = office.issue(identity, request, NOW).now_or_never();
    let ticket = issued.expect("the store is in memory").ok()?;
    Some(ticket.expose().to_owned())
}

fn redeem(office: &Tickets, text: &str) -> Option<tidings_auth::provider::Proven> {
    let presented = Presented {
        ticket: Some(text),
        ..nothing()
    };
    prove(office, presented).ok().flatten()
}

/// A store that gives for any ticket what it was given last.
#[derive(Debug, Default)]
struct Forgetful(Mutex<Option<Arc<[u8]>>>);

impl Forgetful {
    fn keep(&self, content: Arc<[u8]>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(content);
    }
}

/// What no ticket asks for.
fn not_here<T: Send + 'static>() -> StoreFuture<'static, T> {
    let why = StoreError::Unavailable("it keeps one ticket".to_owned());
    Box::pin(async { Err(why) })
}

impl SharedStore for Forgetful {
    fn put_ticket(
        &self,
        _: [u8; 32],
        content: Arc<[u8]>,
        _: Timestamp,
        _: Timestamp,
    ) -> StoreFuture<'_, ()> {
        self.keep(content);
        Box::pin(async { Ok(()) })
    }

    fn take_ticket(&self, _: [u8; 32], _: Timestamp) -> StoreFuture<'_, Option<Arc<[u8]>>> {
        let taken = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        Box::pin(async { Ok(taken) })
    }

    fn spend(&self, _: Bucket, _: Quota, _: u32, _: Timestamp) -> StoreFuture<'_, Spent> {
        not_here()
    }

    fn revoke(&self, _: Revocation) -> StoreFuture<'_, ()> {
        not_here()
    }

    fn lift(&self, _: Revoked) -> StoreFuture<'_, bool> {
        not_here()
    }

    fn revocations(&self) -> Arc<Revocations> {
        Arc::default()
    }

    fn on_revocations(&self, _: Box<dyn Fn(Arc<Revocations>) + Send + Sync>) {}
}
