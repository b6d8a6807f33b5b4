//! Places for connections, of which there are so many, and of which there may be more or fewer later.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many connections may be open. A cheap handle.
#[derive(Debug, Clone)]
pub struct Places(Arc<Counts>);

#[derive(Debug)]
struct Counts {
    max: AtomicUsize,
    taken: AtomicUsize,
}

/// The place of one connection, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Place(Arc<Counts>);

impl Places {
    /// So many places, all of them free.
    pub fn new(max: usize) -> Self {
        Self(Arc::new(Counts {
            max: AtomicUsize::new(max),
            taken: AtomicUsize::new(0),
        }))
    }

    /// Has so many places from now on. Connections that have one keep it, also where they are more.
    pub fn set_max(&self, max: usize) {
        self.0.max.store(max, Ordering::Relaxed);
    }

    /// Takes one, if there is one beside those that `others` have.
    pub(super) fn take(&self, others: usize) -> Option<Place> {
        let counts = &self.0;
        let taken = counts.taken.fetch_add(1, Ordering::Relaxed) + 1;
        let place = Place(Arc::clone(counts));
        (taken + others <= counts.max.load(Ordering::Relaxed)).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.taken.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_given_back_and_their_number_changes() {
        let places = Places::new(2);
        let [first, second] = [0, 0].map(|others| places.take(others).expect("a place"));
        assert!(places.take(0).is_none());
        drop(first);
        assert!(places.take(1).is_none(), "others have the other one");
        let third = places.take(0).expect("a place");
        places.set_max(1);
        drop(third);
        assert!(places.take(0).is_none(), "one is there, and one may be");
        places.set_max(3);
        let more = [places.take(0), places.take(0), places.take(0)];
        assert_eq!(more.iter().flatten().count(), 2);
        drop((second, more));
        assert_eq!(places.0.taken.load(Ordering::Relaxed), 0);
    }
}
