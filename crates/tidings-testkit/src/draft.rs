//! Drafts of events in one line each.

use std::hash::{DefaultHasher, Hash, Hasher};

use bytes::Bytes;
use tidings_core::audience::{Audience, Key};
use tidings_core::event::{Content, DedupeKey, Draft};
use tidings_core::event_type::EventType;
use tidings_core::id::EventId;
use tidings_core::priority::Priority;

/// A draft in the making. Says `null` of type `test.event` unless told otherwise.
#[derive(Debug, Clone)]
pub struct DraftBuilder {
    publisher: String,
    keys: Vec<Key>,
    content: Content,
}

/// Begins a draft for one addressee: a topic, or `@user/u1`, `@role/ADMIN`, `@all`.
pub fn draft(key: &str) -> DraftBuilder {
    DraftBuilder {
        publisher: "publisher".to_owned(),
        keys: vec![parse_key(key)],
        content: Content {
            id: None,
            event_type: EventType::parse("test.event").expect("an event type"),
            priority: Priority::Normal,
            source: "".into(),
            audience: Audience::new(Vec::new()),
            data: Bytes::from_static(b"null"),
            metadata: Bytes::new(),
        },
    }
}

/// Makes a group of drafts.
pub fn group<D: Into<Draft>>(drafts: impl IntoIterator<Item = D>) -> Vec<Draft> {
    drafts.into_iter().map(Into::into).collect()
}

impl DraftBuilder {
    /// Adds an addressee.
    #[must_use]
    pub fn also(mut self, key: &str) -> Self {
        self.keys.push(parse_key(key));
        self
    }

    /// Gives the publisher's own id, and with it a dedupe key.
    #[must_use]
    pub fn id(mut self, id: &str) -> Self {
        self.content.id = Some(EventId::parse(id).expect("an event id"));
        self
    }

    /// Sets who publishes; part of the dedupe key.
    #[must_use]
    pub fn publisher(mut self, publisher: &str) -> Self {
        publisher.clone_into(&mut self.publisher);
        self
    }

    /// Sets the type.
    #[must_use]
    pub fn event_type(mut self, event_type: &str) -> Self {
        self.content.event_type = EventType::parse(event_type).expect("an event type");
        self
    }

    /// Sets the priority.
    #[must_use]
    pub fn priority(mut self, priority: Priority) -> Self {
        self.content.priority = priority;
        self
    }

    /// Sets the publishing program; part of the dedupe key.
    #[must_use]
    pub fn source(mut self, source: &str) -> Self {
        self.content.source = source.into();
        self
    }

    /// Sets the data, one JSON value.
    #[must_use]
    pub fn data(mut self, data: impl Into<Bytes>) -> Self {
        self.content.data = data.into();
        self
    }

    /// Sets the metadata, one JSON object.
    #[must_use]
    pub fn metadata(mut self, metadata: impl Into<Bytes>) -> Self {
        self.content.metadata = metadata.into();
        self
    }

    /// The draft.
    pub fn build(self) -> Draft {
        let mut content = self.content;
        content.audience = Audience::new(self.keys);
        let dedupe = content.id.as_ref().map(|id| DedupeKey {
            publisher_id: fingerprint(&(&self.publisher, &content.source, id)),
            content: fingerprint(&(
                &content.event_type,
                content.priority,
                &content.audience,
                &content.data,
                &content.metadata,
            )),
        });
        Draft { content, dedupe }
    }
}

impl From<DraftBuilder> for Draft {
    fn from(builder: DraftBuilder) -> Self {
        builder.build()
    }
}

/// Reads an addressee that a test wrote.
pub fn parse_key(key: &str) -> Key {
    Key::parse(key).expect("an audience key")
}

/// Sixteen bytes that differ whenever the value does, for all that a test can find.
fn fingerprint(value: &impl Hash) -> [u8; 16] {
    let half = |salt: u8| {
        let mut hasher = DefaultHasher::new();
        salt.hash(&mut hasher);
        value.hash(&mut hasher);
        u128::from(hasher.finish())
    };
    ((half(1) << 64) | half(2)).to_be_bytes()
}

/// Data of a size: a JSON string of so many bytes, quotes included.
pub fn data_of_bytes(size_bytes: usize) -> Bytes {
    let text = "x".repeat(size_bytes.saturating_sub(2));
    Bytes::from(format!("\"{text}\""))
}
