//! The hub's own events in a stream, byte for byte.

use tidings_core::gap::{Gap, GapReason};
use tidings_core::pattern::Pattern;
use tidings_core::port::{Control, Encoder as _, Farewell, Hello};
use tidings_core::start::Replay;
use tidings_core::time::Timestamp;
use tidings_wire::sse::{NATIVE, WireEncoder};

use crate::samples::{position, text};

fn encoded(control: &Control) -> String {
    text(|out| WireEncoder::default().control(NATIVE, control, out))
}

fn hello() -> Hello {
    Hello {
        connection_id: "n1.0.7.1.abc".to_owned(),
        cursor: position(5),
        cursor_is_told: true,
        head: position(9),
        replay: Replay::Complete,
        narrowed: None,
        heartbeat_ms: 15_000,
        expires_at: None,
        server_time: Timestamp(1_795_262_400_000),
    }
}

/// The blocks, with the epoch's text left out.
fn blocks() -> Vec<String> {
    let narrowed = Hello {
        cursor_is_told: false,
        replay: Replay::Gap,
        narrowed: Some(vec![Pattern::parse("a/*").expect("a pattern")]),
        expires_at: Some(Timestamp(1_795_266_000_000)),
        ..hello()
    };
    let gap = |from| Gap {
        from,
        to: position(7),
        reason: GapReason::Retention,
    };
    let gaps = [gap(Some(position(5))), gap(None)];
    let bye = |retry_ms, retry_after_ms| Control::Bye {
        cursor: Some(position(9)),
        farewell: Farewell {
            code: "drain",
            reason: "the hub is \"shutting\" down".to_owned(),
            retry_after_ms,
            spread_ms: 30_000,
            retry_ms,
        },
    };
    let controls = [
        Control::Hello(hello()),
        Control::Hello(narrowed),
        Control::Ping {
            cursor: position(9),
            time: Timestamp(1_795_262_400_000),
        },
        Control::Reauth {
            expires_at: Timestamp(1_795_266_000_000),
        },
        bye(Some(1_234), Some(1_000)),
        bye(None, None),
    ];
    let gaps = gaps.map(|gap| text(|out| WireEncoder::default().gap(&gap, out)));
    let blocks = controls.iter().map(encoded).chain(gaps);
    let epoch = position(0).epoch.to_string();
    blocks.map(|block| block.replace(&epoch, "EPOCH")).collect()
}

#[test]
fn control_events_are_written_as_the_protocol_says() {
    insta::assert_snapshot!(blocks().concat());
}

#[test]
fn the_id_is_the_last_line_of_every_block_that_has_one() {
    for block in blocks() {
        let lines: Vec<&str> = block.lines().collect();
        assert_eq!(lines.last(), Some(&""), "{block}");
        let at = lines.iter().position(|line| line.starts_with("id: "));
        assert!(at.is_none_or(|at| at == lines.len() - 2), "{block}");
    }
}
