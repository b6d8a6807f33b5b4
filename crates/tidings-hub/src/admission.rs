//! Admission: how many connections there may be, in all, of one identity and of one address.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tidings_core::audience::Subject;

/// Whose connections are too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitScope {
    /// All of the hub.
    Hub,
    /// One identity's.
    Identity,
    /// One address's.
    Address,
}

impl fmt::Display for LimitScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hub => "of this hub",
            Self::Identity => "of one identity",
            Self::Address => "of one address",
        })
    }
}

/// How many connections there may be.
#[derive(Debug, Clone, Copy)]
pub struct Allowed {
    /// In all.
    pub hub: usize,
    /// Of one identity.
    pub per_identity: usize,
    /// Of one address.
    pub per_address: usize,
}

#[derive(Debug)]
struct Counts {
    allowed: Allowed,
    hub: usize,
    identities: HashMap<Subject, Arc<Share<Subject>>>,
    addresses: HashMap<IpAddr, Arc<Share<IpAddr>>>,
}

/// The connections of one identity or address, while there are any.
#[derive(Debug)]
struct Share<K> {
    key: K,
    gate: Arc<Gate>,
    /// Written under the gate's lock.
    count: AtomicUsize,
}

/// Counts connections.
#[derive(Debug)]
pub(crate) struct Gate {
    counts: Mutex<Counts>,
    /// Sockets that shards write to.
    sockets: AtomicUsize,
    refused: AtomicU64,
}

/// A socket on its way to a shard, counted from now on. Once it is there, its connection's admission
/// stands for it: there are as many as sockets.
#[derive(Debug)]
pub(crate) struct SocketPlace(Option<Arc<Gate>>);

/// One admitted connection; dropping it makes room for another. There are as many as connections, so
/// what those of one identity have in common is shared.
#[derive(Debug)]
pub(crate) struct Admission {
    /// None of nobody, of whom there may be many behind one address.
    identity: Option<Arc<Share<Subject>>>,
    address: Arc<Share<IpAddr>>,
}

/// A limit has been reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) scope: LimitScope,
    pub(crate) max: usize,
}

impl Gate {
    pub(crate) fn new(allowed: Allowed) -> Self {
        Self {
            counts: Mutex::new(Counts {
                allowed,
                hub: 0,
                identities: HashMap::new(),
                addresses: HashMap::new(),
            }),
            sockets: AtomicUsize::new(0),
            refused: AtomicU64::new(0),
        }
    }

    /// Lets so many in from now on. Those that are there stay, also where they are more.
    pub(crate) fn allow(&self, allowed: Allowed) {
        self.lock().allowed = allowed;
    }

    /// Counts a socket that a shard is about to have.
    pub(crate) fn place_socket(self: &Arc<Self>) -> SocketPlace {
        self.sockets.fetch_add(1, Ordering::Relaxed);
        SocketPlace(Some(self.clone()))
    }

    /// How many sockets shards have.
    pub(crate) fn sockets(&self) -> usize {
        self.sockets.load(Ordering::Relaxed)
    }

    /// How many connections there are.
    pub(crate) fn count(&self) -> usize {
        self.lock().hub
    }

    /// How many connections were not let in.
    pub(crate) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Lets a connection in, or says which limit is reached.
    pub(crate) fn admit(
        self: &Arc<Self>,
        subject: Option<&Subject>,
        address: IpAddr,
    ) -> Result<Admission, Refused> {
        let address = address.to_canonical();
        let mut counts = self.lock();
        let identity = subject
            .and_then(|subject| counts.identities.get(subject))
            .map_or(0, |share| share.count());
        let from_address = counts
            .addresses
            .get(&address)
            .map_or(0, |share| share.count());
        let allowed = counts.allowed;
        for (scope, count, max) in [
            (LimitScope::Hub, counts.hub, allowed.hub),
            (LimitScope::Identity, identity, allowed.per_identity),
            (LimitScope::Address, from_address, allowed.per_address),
        ] {
            if count >= max {
                self.refused.fetch_add(1, Ordering::Relaxed);
                return Err(Refused { scope, max });
            }
        }
        counts.hub += 1;
        let admission = Admission {
            identity: subject.map(|subject| join(&mut counts.identities, subject.clone(), self)),
            address: join(&mut counts.addresses, address, self),
        };
        drop(counts);
        Ok(admission)
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for SocketPlace {
    fn drop(&mut self) {
        if let Some(gate) = &self.0 {
            gate.sockets.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl<K> Share<K> {
    fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }
}

impl Admission {
    /// Whose connection it is, in the text that all of them share.
    pub(crate) fn subject(&self) -> Option<&Subject> {
        self.identity.as_ref().map(|share| &share.key)
    }

    /// From where it comes.
    pub(crate) fn address(&self) -> IpAddr {
        self.address.key
    }

    /// The place of the connection's socket is this admission's to give back.
    pub(crate) fn take_socket(&self, mut place: SocketPlace) {
        debug_assert!(
            place
                .0
                .as_ref()
                .is_some_and(|gate| Arc::ptr_eq(gate, &self.address.gate)),
            "a place of another gate"
        );
        place.0 = None;
    }

    /// Gives the place of the connection's socket back.
    pub(crate) fn leave_socket(&self) {
        self.address.gate.sockets.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        let mut counts = self.address.gate.lock();
        counts.hub -= 1;
        if let Some(identity) = &self.identity {
            leave(&mut counts.identities, identity);
        }
        leave(&mut counts.addresses, &self.address);
    }
}

fn join<K: Hash + Eq + Clone>(
    shares: &mut HashMap<K, Arc<Share<K>>>,
    key: K,
    gate: &Arc<Gate>,
) -> Arc<Share<K>> {
    let share = shares.entry(key).or_insert_with_key(|key| {
        Arc::new(Share {
            key: key.clone(),
            gate: gate.clone(),
            count: AtomicUsize::new(0),
        })
    });
    share.count.fetch_add(1, Ordering::Relaxed);
    share.clone()
}

fn leave<K: Hash + Eq>(shares: &mut HashMap<K, Arc<Share<K>>>, share: &Share<K>) {
    if share.count.fetch_sub(1, Ordering::Relaxed) == 1 {
        shares.remove(&share.key);
    }
}
