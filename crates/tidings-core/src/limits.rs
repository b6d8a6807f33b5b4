//! Every limit of the hub, with its unit in the name and why it is what it is.
//!
//! A limit that an operator may change is a default here and a setting there; the others are part of
//! the protocol, and clients may rely on them.

/// A topic fits in one line of a terminal and in every proxy's URL limit.
pub const TOPIC_BYTES_MAX: usize = 256;

/// Deep hierarchies cost a step per segment in every match; nobody navigates more than these.
pub const TOPIC_SEGMENTS_MAX: usize = 32;

/// An event type is a word or a few, never a payload.
pub const EVENT_TYPE_BYTES_MAX: usize = 128;

/// Ids travel back in the `Last-Event-ID` header, which must stay small.
pub const EVENT_ID_BYTES_MAX: usize = 127;

/// A source is a name or a URI of the publishing program.
pub const SOURCE_BYTES_MAX: usize = 256;

/// Subjects of identity providers are URNs at most; longer ones are an attack.
pub const SUBJECT_BYTES_MAX: usize = 256;

/// A role is a word of the application.
pub const ROLE_BYTES_MAX: usize = 128;

/// Data and metadata of one event together. Larger things belong behind a URL in the event.
pub const EVENT_BYTES_MAX: usize = 256 * 1024;

/// Topics, users and roles of one event together: each is a posting in the log's index.
pub const AUDIENCE_KEYS_MAX: usize = 64;

/// Events in one atomic group. A group is one record on disk and one unit of recovery.
pub const GROUP_EVENTS_MAX: usize = 1_000;

/// Bytes of one atomic group as the log stores it. One write of this size stays below 10 ms.
pub const GROUP_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Patterns that one connection may ask for.
pub const PATTERNS_PER_CONNECTION_MAX: usize = 100;

/// Patterns that one connection may read after each that it asks for was intersected with each that it
/// is granted: without a limit they come to tens of thousands, and each is a selector with a place in a
/// shard. A few asked patterns that meet all grants of a large credential fit.
pub const PATTERNS_READ_PER_CONNECTION_MAX: usize = 1_024;

/// Patterns in one claim of a token; more would make the token the largest part of a request.
pub const PATTERNS_PER_CLAIM_MAX: usize = 64;

/// Roles that one identity may carry: each is a selector of each of its connections.
pub const ROLES_PER_IDENTITY_MAX: usize = 64;

/// Event-type globs in one `events=` parameter.
pub const TYPE_GLOBS_MAX: usize = 64;

/// `meta_*` parameters kept for one connection: what a person reads at a glance.
pub const CONNECTION_METADATA_ENTRIES_MAX: usize = 16;

/// Bytes of the name and of the value of one `meta_*` parameter.
pub const CONNECTION_METADATA_BYTES_MAX: usize = 256;

/// Open connections of one process by default; each costs a descriptor and a slab entry.
pub const CONNECTIONS_DEFAULT: usize = 50_000;

/// Connections of one identity by default: a person with many tabs, not a botnet.
pub const CONNECTIONS_PER_IDENTITY_DEFAULT: usize = 100;

/// Connections of one address by default: an office behind one router.
pub const CONNECTIONS_PER_ADDRESS_DEFAULT: usize = 1_024;

/// Events of the in-memory window by default.
pub const WINDOW_EVENTS_DEFAULT: usize = 65_536;

/// Bytes of the in-memory window by default, encoded frames included.
pub const WINDOW_BYTES_DEFAULT: usize = 64 * 1024 * 1024;

/// Sends that a shard makes before it takes in new events again: publishers wait for intake, not
/// for a whole fan-out round.
pub const SENDS_PER_TURN_MAX: usize = 256;

/// Of those, sends to readers that replay from the log: at most a quarter of a turn.
pub const REPLAY_SENDS_PER_TURN_MAX: usize = SENDS_PER_TURN_MAX / 4;

/// Bytes that one connection gets in one send before the next one has its turn.
pub const SEND_BYTES_MAX: usize = 64 * 1024;

/// A frame of this size is sent by itself, from where it lies: copying it would cost more than
/// another write does.
pub const LARGE_FRAME_BYTES: usize = 16 * 1024;

/// How long an operator may let events wait for others to share a write with.
pub const LINGER_MS_MAX: u64 = 100;

/// Batches of committed events that wait for one shard. A shard further behind reads the log.
pub const SHARD_FEED_BATCHES_MAX: usize = 1_024;

/// Commands (open, close, ask) that wait for one shard; the caller is refused beyond it.
pub const SHARD_COMMANDS_MAX: usize = 8_192;

/// Store reads that wait for one reader thread's attention, over all shards: one per connection at
/// most, so this only bounds the queue of an absurd herd.
pub const STORE_READS_WAITING_MAX: usize = 65_536;

/// Events of one store read.
pub const STORE_READ_EVENTS_MAX: usize = 1_024;

/// Bytes of one store read.
pub const STORE_READ_BYTES_MAX: usize = 512 * 1024;

/// How long a publish waits for the shards' counts before it answers `subscribers: null`.
pub const SUBSCRIBER_COUNT_WAIT_MS: u64 = 50;

/// Readers that one publish may wait for: a room full of them, not a census.
pub const READERS_AWAITED_MAX: u64 = 1_000;

/// How long a publish waits for readers unless it says otherwise: a page has opened its stream by then.
pub const READER_WAIT_MS_DEFAULT: u64 = 3_000;

/// Longest wait for readers: what clients and proxies still take for an answer on its way.
pub const READER_WAIT_MS_MAX: u64 = 30_000;

/// Events and topics for whose readers somebody waits, over all publishers: each connection that opens
/// or closes meanwhile is compared with all of them, 0.1 ms of its shard at most.
pub const AWAITED_MAX: usize = 1_024;

/// Events of one poll page unless `limit=` says otherwise.
pub const PAGE_EVENTS_DEFAULT: usize = 100;

/// Events of one poll page at most.
pub const PAGE_EVENTS_MAX: usize = 1_000;

/// Longest `wait=` of a long poll: below the idle limits of common proxies (60 s).
pub const PAGE_WAIT_MS_MAX: u64 = 55_000;

/// Heartbeat of the native profile.
pub const HEARTBEAT_MS_DEFAULT: u64 = 15_000;

/// Heartbeats shorter than this are load, not signs of life.
pub const HEARTBEAT_MS_MIN: u64 = 1_000;

/// Heartbeats longer than this let common proxies cut the connection.
pub const HEARTBEAT_MS_MAX: u64 = 60_000;

/// A reader that takes nothing of what it was given for this long is told to go, by default: longer
/// than a phone changes its network, shorter than anybody waits for a dashboard.
pub const SLOW_READER_MS_DEFAULT: u64 = 10_000;

/// Connections that are held against changed revocations in one turn: a tenth of a millisecond, so
/// that 50,000 of them hold up no delivery and are through in 49 turns.
pub const HOLDERS_PER_TURN_MAX: usize = 1_024;

/// Of a turn's sends, last words to those that are told to go because of a revocation.
pub const DISMISSALS_PER_TURN_MAX: usize = SENDS_PER_TURN_MAX / 4;

/// A reader that may read no longer has this long to take what was sent to it before; then its
/// connection is cut. Well within the 5 s in which a stream ends after its credential.
pub const DISMISSAL_WAIT_MS_MAX: u64 = 1_000;

/// Slots of connections that one slice of a survey looks at: a tenth of a millisecond, so that asking
/// about 50,000 of them holds up no delivery.
pub const SURVEYED_PER_SLICE_MAX: usize = 1_024;

/// Connections that one slice of a survey describes, each with all its patterns.
pub const DESCRIBED_PER_SLICE_MAX: usize = 32;

/// Patterns that one slice of a survey looks through to find out how far connections are behind, or
/// to describe them; it ends after the connection that reaches it.
pub const PATTERNS_PER_SLICE_MAX: usize = 4_096;

/// Of what an operator has done to many connections, what one slice does: a word to each is a send.
pub const WORDS_PER_SLICE_MAX: usize = SENDS_PER_TURN_MAX / 4;

/// A reader that has taken nothing of what it was given for this part of the time after which it is
/// given up is stale: early enough to be seen, late enough that a phone which changes its network is
/// not shown as a fault.
pub const STALE_PART_OF_SLOW: u64 = 2;

/// A connection for which there was no event for this long is idle.
pub const IDLE_AFTER_MS: u64 = 60_000;

/// What an operator says to those who are told to go is a sentence.
pub const DISCONNECT_REASON_BYTES_MAX: usize = 256;

/// A credential that ends is announced this long before, so that the client can renew it.
pub const REAUTH_NOTICE_MS: u64 = 60_000;

/// How long a publisher's own id is remembered by default.
pub const DEDUPE_WINDOW_MS_DEFAULT: u64 = 10 * 60 * 1_000;

/// How many publishers' ids are remembered by default, about 64 bytes each.
pub const DEDUPE_IDS_DEFAULT: usize = 1_000_000;

/// Bytes waiting for the committer before publishers are refused with `Retry-After`.
pub const COMMIT_QUEUE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A publish that has waited this long for a stalled disk refuses those behind it.
pub const COMMIT_QUEUE_WAIT_MS_MAX: u64 = 1_000;

/// Bytes of one write of the committer: past this the next group waits for the next sync.
pub const COMMIT_BATCH_BYTES_MAX: usize = 1024 * 1024;
