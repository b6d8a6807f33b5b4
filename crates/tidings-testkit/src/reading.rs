//! Reading from a store in a test: scopes and queries in one line, and whole reads page by page.

use std::sync::Arc;

use tidings_core::event::Event;
use tidings_core::event_type::{TypeFilter, TypeGlob};
use tidings_core::gap::Hole;
use tidings_core::pattern::Pattern;
use tidings_core::port::{EventStore, Page, PageItem, Query};
use tidings_core::position::Offset;
use tidings_core::scope::{Scope, Selector};

use crate::draft::parse_key;

/// The scope of these patterns and audience keys: `a/*`, `a/b`, `@user/u1`, `@all`.
pub fn scope(selectors: &[&str]) -> Scope {
    let selector = |text: &&str| {
        if text.starts_with('@') {
            Selector::Key(parse_key(text))
        } else {
            Selector::of(Pattern::parse(text).expect("a pattern"))
        }
    };
    Scope::new(selectors.iter().map(selector).collect())
}

/// The filter of these type globs; all types for none.
pub fn types(globs: &[&str]) -> TypeFilter {
    let glob = |text: &&str| TypeGlob::parse(text).expect("a type glob");
    TypeFilter::new(globs.iter().map(glob).collect()).expect("few globs")
}

/// A query for all types without any limit to speak of.
pub fn query(scope: Scope, after: Offset) -> Query {
    Query {
        scope,
        types: TypeFilter::default(),
        after,
        events_max: usize::MAX,
        bytes_max: usize::MAX,
    }
}

/// The events of a page.
pub fn events_of(page: &Page) -> Vec<Arc<Event>> {
    let event = |item: &PageItem| match item {
        PageItem::Event(event) => Some(Arc::clone(event)),
        PageItem::Hole(_) => None,
    };
    page.items.iter().filter_map(event).collect()
}

/// The holes of a page.
pub fn holes_of(page: &Page) -> Vec<Hole> {
    let hole = |item: &PageItem| match item {
        PageItem::Hole(hole) => Some(*hole),
        PageItem::Event(_) => None,
    };
    page.items.iter().filter_map(hole).collect()
}

/// Offsets as plain numbers, which read better in assertions.
pub fn offsets_of(events: &[Arc<Event>]) -> Vec<u64> {
    events.iter().map(|event| event.position.offset.0).collect()
}

/// Reads everything there is for a query, page by page, and checks what holds for every page: items
/// rise, limits are kept, nothing lies outside of what was considered, and each page moves on.
///
/// Two holes of one reason that meet at the seam of two pages count as one.
pub fn read_to_the_end(store: &dyn EventStore, query: &Query) -> Page {
    let mut whole = Page {
        considered: query.after,
        ..Page::default()
    };
    loop {
        let mut next = query.clone();
        next.after = whole.considered;
        let page = store.read(&next).expect("the store can be read");
        check_page(&next, &page);
        for item in page.items {
            join(&mut whole.items, item);
        }
        let moved = page.considered > whole.considered;
        whole.considered = page.considered;
        if !page.more {
            return whole;
        }
        assert!(moved, "a page with more to come moves on");
    }
}

/// Reads a whole snapshot, slice by slice, and checks what holds for every slice: events rise, limits
/// are kept, and each slice moves on.
pub fn newest_to_the_end(
    store: &dyn EventStore,
    query: &Query,
    through: Offset,
) -> Vec<Arc<Event>> {
    let mut whole = Vec::new();
    let mut next = query.clone();
    loop {
        let slice = store
            .newest_per_key(&next, through)
            .expect("the store can be read");
        let page = Page {
            items: slice.events.iter().cloned().map(PageItem::Event).collect(),
            considered: slice.considered,
            more: slice.more,
        };
        check_page(&next, &page);
        whole.extend(slice.events);
        if !slice.more {
            return whole;
        }
        assert!(slice.considered > next.after, "a slice moves on");
        next.after = slice.considered;
    }
}

/// Panics unless a page keeps the promises that hold for every page.
pub fn check_page(query: &Query, page: &Page) {
    assert!(page.considered >= query.after, "considered runs backwards");
    assert!(page.items.len() <= query.events_max, "too many items");
    let mut last = query.after;
    let mut bytes = 0;
    let mut previous_hole: Option<Hole> = None;
    for item in &page.items {
        let offset = match item {
            PageItem::Event(event) => {
                assert!(
                    query.scope.matches(&event.content.audience),
                    "out of scope: {event:?}"
                );
                assert!(
                    tidings_core::scope::passes(&query.types, event),
                    "filtered: {event:?}"
                );
                assert!(
                    bytes == 0 || bytes < query.bytes_max,
                    "a page of {bytes} bytes takes no further event"
                );
                bytes += event.content.size_bytes();
                previous_hole = None;
                event.position.offset
            }
            PageItem::Hole(hole) => {
                assert!(
                    previous_hole.is_none_or(|other| other.reason != hole.reason),
                    "adjacent holes of one reason are one hole: {page:?}"
                );
                previous_hole = Some(*hole);
                hole.through
            }
        };
        assert!(offset > last, "items rise strictly: {page:?}");
        last = offset;
    }
    assert!(last <= page.considered, "an item was not considered");
}

fn join(items: &mut Vec<PageItem>, item: PageItem) {
    if let (Some(PageItem::Hole(last)), PageItem::Hole(next)) = (items.last_mut(), &item)
        && last.reason == next.reason
    {
        *last = *next;
    } else {
        items.push(item);
    }
}
