//! The slots of connections: pages of a fixed size, so that growing moves no connection and leaves no
//! large block behind.

/// Bytes of one page: a size that allocators hand out as it is. As many slots as fit make it up, so that
/// next to nothing of it is wasted.
const PAGE_BYTES: usize = 16 * 1_024;

#[derive(Debug)]
enum Slot<T> {
    Taken(T),
    /// The next vacant slot in the list of them.
    Vacant(Option<u32>),
}

/// Values by small numbers, which are used again.
#[derive(Debug)]
pub(super) struct Slots<T> {
    pages: Vec<Box<[Slot<T>]>>,
    vacant: Option<u32>,
    taken: usize,
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self {
            pages: Vec::new(),
            vacant: None,
            taken: 0,
        }
    }
}

impl<T> Slots<T> {
    /// Slots of one page.
    const PAGE_SLOTS: usize = match PAGE_BYTES / size_of::<Slot<T>>() {
        0 => 1,
        slots => slots,
    };

    /// How many are taken.
    pub(super) fn len(&self) -> usize {
        self.taken
    }

    /// How many slots there are, vacant ones among them.
    pub(super) fn places(&self) -> usize {
        self.pages.len() * Self::PAGE_SLOTS
    }

    /// The slot that the next value will take.
    pub(super) fn next(&mut self) -> usize {
        if let Some(slot) = self.vacant {
            return slot as usize;
        }
        let first = self.places();
        let last = first + Self::PAGE_SLOTS - 1;
        let page =
            (first..=last).map(|slot| Slot::Vacant((slot < last).then_some(slot as u32 + 1)));
        self.pages.push(page.collect());
        self.vacant = Some(first as u32);
        first
    }

    /// Puts a value into the next slot.
    pub(super) fn insert(&mut self, value: T) -> usize {
        let slot = self.next();
        if let Some(place) = self.place(slot)
            && let Slot::Vacant(vacant) = std::mem::replace(place, Slot::Taken(value))
        {
            self.vacant = vacant;
            self.taken += 1;
        }
        slot
    }

    /// Takes a value out.
    pub(super) fn remove(&mut self, slot: usize) -> Option<T> {
        let vacant = self.vacant;
        let place = self.place(slot)?;
        if matches!(place, Slot::Vacant(_)) {
            return None;
        }
        let Slot::Taken(value) = std::mem::replace(place, Slot::Vacant(vacant)) else {
            return None;
        };
        self.vacant = Some(slot as u32);
        self.taken -= 1;
        Some(value)
    }

    pub(super) fn get(&self, slot: usize) -> Option<&T> {
        match self
            .pages
            .get(slot / Self::PAGE_SLOTS)?
            .get(slot % Self::PAGE_SLOTS)?
        {
            Slot::Taken(value) => Some(value),
            Slot::Vacant(_) => None,
        }
    }

    pub(super) fn get_mut(&mut self, slot: usize) -> Option<&mut T> {
        match self.place(slot)? {
            Slot::Taken(value) => Some(value),
            Slot::Vacant(_) => None,
        }
    }

    /// All values, by slot.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.pages.iter().flatten().filter_map(|slot| match slot {
            Slot::Taken(value) => Some(value),
            Slot::Vacant(_) => None,
        })
    }

    fn place(&mut self, slot: usize) -> Option<&mut Slot<T>> {
        self.pages
            .get_mut(slot / Self::PAGE_SLOTS)?
            .get_mut(slot % Self::PAGE_SLOTS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_used_again_and_its_neighbours_stay() {
        // As large as a connection.
        let mut slots = Slots::default();
        let value = |number: usize| [number; 26];
        let all: Vec<usize> = (0..200).map(|number| slots.insert(value(number))).collect();
        assert_eq!(all, (0..200).collect::<Vec<_>>());
        assert!(slots.pages.len() > 1, "more than one page");
        assert_eq!(slots.remove(70), Some(value(70)));
        assert_eq!(slots.remove(70), None);
        assert_eq!(slots.remove(1), Some(value(1)));
        assert_eq!((slots.len(), slots.next()), (198, 1));
        assert_eq!(slots.insert(value(1_000)), 1);
        assert_eq!(slots.insert(value(7_000)), 70);
        assert_eq!(slots.insert(value(200)), 200);
        assert_eq!(slots.get_mut(70), Some(&mut value(7_000)));
        assert_eq!(
            (slots.get(70), slots.get(100_000)),
            (Some(&value(7_000)), None)
        );
        assert_eq!(slots.iter().count(), 201);
        assert!(slots.iter().take(3).eq(&[0, 1_000, 2].map(value)));
    }
}
