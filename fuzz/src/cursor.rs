//! Cursors, event ids, and where a reader asks to start.

use tidings_core::id::EventId;
use tidings_core::position::{Position, is_cursor_shaped};
use tidings_core::start::Start;
use tidings_wire::query::{last_event_id, since};

/// Input: a text as it stands in `since` or in `Last-Event-ID`.
pub fn cursor(data: &[u8]) {
    let header = last_event_id(data);
    assert_eq!(header.is_none(), data.trim_ascii().is_empty());
    let Ok(text) = str::from_utf8(data) else {
        assert!(header.is_none_or(|start| start == Start::Foreign));
        return;
    };
    let position = text.parse::<Position>();
    let id = EventId::parse(text);
    assert!(position.is_err() || id.is_err(), "a cursor is no event id");
    let asked = since(text);
    if let Ok(position) = position {
        assert_eq!(position.to_string(), text, "a cursor has one spelling");
        assert!(is_cursor_shaped(text));
        assert_eq!(asked, Ok(Start::After(position)));
        assert_eq!(header, Some(Start::After(position)));
    } else if let Ok(id) = id {
        assert_eq!(id.as_str(), text);
        assert!(!is_cursor_shaped(text));
        assert_eq!(header, Some(Start::AfterId(id)));
    }
}
