//! Records: what is written is read back, and nothing else is.

use bytes::Bytes;
use proptest::prelude::*;
use tidings_core::audience::{Audience, Key};
use tidings_core::event::{Content, DedupeKey, Draft};
use tidings_core::event_type::EventType;
use tidings_core::id::EventId;
use tidings_core::position::{Epoch, Offset, Position};
use tidings_core::priority::Priority;
use tidings_core::time::Timestamp;

use super::*;

const HEADER: RecordHeader = RecordHeader {
    length: 0,
    count: 1,
    tag: 7,
    base: 5,
    synced_end: 4,
    timestamp: 1_000,
    write: 3,
    epoch: 9,
};

prop_compose! {
    fn draft()(
        id in proptest::option::of("[a-z]{1,20}"),
        event_type in "[a-z.]{1,20}x",
        priority in 0_usize..4,
        source in "\\PC{0,12}",
        topics in proptest::collection::vec("[a-z]{1,8}(/[a-z]{1,8})?", 0..4),
        user in proptest::option::of("[a-z|]{1,9}"),
        dedupe in proptest::option::of(any::<([u8; 16], [u8; 16])>()),
        data in "\\PC{0,50}",
        metadata in "\\PC{0,20}",
    ) -> Draft {
        let users = user.into_iter().map(|user| format!("@user/{user}"));
        let keys = topics.into_iter().chain(users);
        Draft {
            content: Content {
                id: id.map(|id| EventId::parse(&id).expect("id")),
                event_type: EventType::parse(&event_type).expect("type"),
                priority: Priority::ALL[priority],
                source: source.into(),
                audience: Audience::new(keys.map(|key| Key::parse(&key).expect("key")).collect()),
                data: Bytes::from(data),
                metadata: Bytes::from(metadata),
            },
            dedupe: dedupe.map(|(publisher_id, content)| DedupeKey { publisher_id, content }),
        }
    }
}

fn encode(drafts: &[Draft]) -> (RecordHeader, Bytes) {
    let mut events = Vec::new();
    for draft in drafts {
        encode_draft(draft, &mut events);
    }
    let mut out = Vec::new();
    let header = RecordHeader {
        count: drafts.len() as u32,
        ..HEADER
    };
    let header = header.encode([events.as_slice()], &mut out);
    (header, Bytes::from(out))
}

proptest! {
    #[test]
    fn a_group_survives_its_bytes(drafts in proptest::collection::vec(draft(), 1..5)) {
        let (header, bytes) = encode(&drafts);
        prop_assert_eq!(RecordHeader::parse(&bytes, 7), Some(header));
        prop_assert_eq!(RecordHeader::parse(&bytes, 8), None, "another segment's");
        let read: Vec<_> = header.events(&bytes).collect();
        prop_assert_eq!(read.len(), drafts.len());
        for ((offset, raw), (index, draft)) in read.iter().zip(drafts.iter().enumerate()) {
            prop_assert_eq!(*offset, 5 + index as u64);
            prop_assert_eq!(raw.dedupe(), draft.dedupe);
            let position = Position { epoch: Epoch::from_bits(9), offset: Offset(*offset) };
            let event = raw.decode(&bytes, position, Timestamp(1_000)).expect("decodes");
            prop_assert_eq!(&event.content, &draft.content);
            let found = header.event(&bytes, *offset).expect("there");
            prop_assert_eq!(found.decode(&bytes, position, Timestamp(1_000)), Some(event));
        }
        for beyond in [4, 5 + drafts.len() as u64] {
            prop_assert!(header.event(&bytes, beyond).is_none());
        }
    }

    #[test]
    fn n14_no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert_eq!(RecordHeader::parse(&bytes, 7), None);
        if let Some((event, _)) = RawEvent::split(&bytes) {
            prop_assert!(event.keys().count() <= bytes.len());
        }
    }

    #[test]
    fn d4_every_flipped_bit_of_a_record_is_detected(one in draft()) {
        let (_, bytes) = encode(&[one]);
        let mut copy = bytes.to_vec();
        for bit in 0..copy.len() * 8 {
            copy[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(RecordHeader::parse(&copy, 7), None);
            copy[bit / 8] ^= 1 << (bit % 8);
        }
    }
}
