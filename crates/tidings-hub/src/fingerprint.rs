//! Fingerprints of publishes, by which the log recognises a repeat.

use sha2::{Digest, Sha256};
use tidings_core::audience::Subject;
use tidings_core::event::{Content, DedupeKey};

/// The fingerprints of an event, if its publisher gave it an id. Stored in the log, so their input
/// never changes within a format version.
pub(crate) fn fingerprint(publisher: Option<&Subject>, content: &Content) -> Option<DedupeKey> {
    let id = content.id.as_ref()?;
    let mut name = Sha256::new();
    // No subject is empty, so nobody has a name of its own.
    let publisher = publisher.map_or("", Subject::as_str);
    for part in [publisher, &content.source, id.as_str()] {
        update(&mut name, part.as_bytes());
    }
    let mut all = Sha256::new();
    update(&mut all, content.event_type.as_str().as_bytes());
    update(&mut all, content.priority.as_str().as_bytes());
    for key in content.audience.keys() {
        update(&mut all, key.to_string().as_bytes());
    }
    update(&mut all, b"");
    update(&mut all, &content.data);
    update(&mut all, &content.metadata);
    Some(DedupeKey {
        publisher_id: half(name),
        content: half(all),
    })
}

/// Each part with its length before it, so that no two lists of parts hash alike.
fn update(hash: &mut Sha256, part: &[u8]) {
    hash.update((part.len() as u64).to_le_bytes());
    hash.update(part);
}

fn half(hash: Sha256) -> [u8; 16] {
    let digest = hash.finalize();
    let mut half = [0; 16];
    half.iter_mut()
        .zip(digest.iter())
        .for_each(|(to, from)| *to = *from);
    half
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use tidings_core::audience::{Audience, Key};
    use tidings_core::event_type::EventType;
    use tidings_core::id::EventId;
    use tidings_core::priority::Priority;

    use super::*;

    fn content() -> Content {
        let keys = ["project/42", "@user/u1", "@role/ADMIN", "@all"];
        Content {
            id: Some(EventId::parse("order-1").expect("an id")),
            event_type: EventType::parse("order.paid").expect("a type"),
            priority: Priority::High,
            source: "shop".into(),
            audience: Audience::new(keys.map(|key| Key::parse(key).expect(key)).to_vec()),
            data: Bytes::from_static(b"{\"total\":3}"),
            metadata: Bytes::from_static(b"{\"userId\":\"u1\"}"),
        }
    }

    fn of(publisher: &str, content: &Content) -> DedupeKey {
        let publisher = Subject::parse(publisher).expect("a subject");
        fingerprint(Some(&publisher), content).expect("an id was given")
    }

    fn hex(bytes: [u8; 16]) -> String {
        format!("{:032x}", u128::from_be_bytes(bytes))
    }

    /// Logs hold these bytes: a repeat after an update must still be recognised.
    #[test]
    fn d14_fingerprints_are_what_they_have_always_been() {
        let key = of("publisher", &content());
        assert_eq!(hex(key.publisher_id), "9a24aad4bae586ebefa000d407532060");
        assert_eq!(hex(key.content), "b12a43541e128e1e8248c5c0fb513df8");
    }

    #[test]
    fn whatever_the_publisher_said_counts_on_its_own_side() {
        let first = of("publisher", &content());
        let change = |change: fn(&mut Content)| {
            let mut changed = content();
            change(&mut changed);
            of("publisher", &changed)
        };
        for renamed in [
            of("other", &content()),
            change(|content| content.source = "other".into()),
            change(|content| content.id = EventId::parse("order-2").ok()),
        ] {
            assert_ne!(renamed.publisher_id, first.publisher_id);
            assert_eq!(renamed.content, first.content);
        }
        for changed in [
            change(|content| content.priority = Priority::Normal),
            change(|content| content.audience = Audience::new(Vec::new())),
            change(|content| content.data = Bytes::from_static(b"4")),
            change(|content| content.metadata = Bytes::new()),
            change(|content| std::mem::swap(&mut content.data, &mut content.metadata)),
            change(|content| {
                content.event_type = EventType::parse("order.sent").expect("a type");
            }),
        ] {
            assert_eq!(changed.publisher_id, first.publisher_id);
            assert_ne!(changed.content, first.content);
        }
        let without_id = Content {
            id: None,
            ..content()
        };
        let publisher = Subject::parse("publisher").expect("a subject");
        assert_eq!(fingerprint(Some(&publisher), &without_id), None);
    }
}
