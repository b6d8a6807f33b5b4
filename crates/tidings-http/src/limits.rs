//! Limits of the HTTP surface, each with its unit in the name and why it is what it is.
//!
//! Limits that other parts of the hub share are in [`tidings_core::limits`], those of the formats in
//! [`tidings_wire::limits`].

/// Time for a complete request head, also the idle time between two requests of a connection: a
/// client that needs longer holds a descriptor and gives nothing.
pub const HEAD_READ_MS_MAX: u64 = 10_000;

/// One read buffer of an HTTP/1 connection, and with it the whole request head; of HTTP/2, the list
/// of headers (RFC 9113, section 6.5.2). It is what proxies allow.
pub const HEAD_BYTES_MAX: usize = 16 * 1024;

/// Header lines of one request: browsers send about 20, proxies add about 10.
pub const HEADERS_MAX: usize = 100;

/// Path and query together: the common limit of proxies, and far above what clients send.
pub const URL_BYTES_MAX: usize = 8 * 1024;

/// Bytes of a bearer token: a JWT with every claim filled to its limit stays below it.
pub const BEARER_BYTES_MAX: usize = 8 * 1024;

/// One publish body that is read whole: an array of events at the limit of a group, with room for
/// escapes and white space.
pub const BODY_BYTES_MAX: usize = 2 * tidings_core::limits::GROUP_BYTES_MAX;

/// All bodies that are being read, together. Each may be large; all at once must fit in memory, with
/// the events that are made of them. Where the process may have little of it, they get a part of that.
pub const BODIES_BYTES_MAX: usize = 256 * 1024 * 1024;

/// How long a publish body may go without progress before it is answered with 408.
pub const BODY_IDLE_MS_MAX: u64 = 15_000;

/// The slowest publish body that counts as progress: one that keeps under this rate runs into
/// [`BODY_IDLE_MS_MAX`], however steadily it drips.
pub const BODY_BYTES_PER_SECOND_MIN: u64 = 1_024;

/// Lines that are handed to the log together: the log syncs once for all of them.
pub const BATCH_LINES_MAX: usize = 256;

/// Bytes of lines that are handed to the log together.
pub const BATCH_BYTES_MAX: usize = 512 * 1024;

/// How long the rest of a request is taken and dropped after its answer has ended early: time for the
/// client to read the answer.
pub const LINGER_MS_MAX: u64 = 2_000;

/// Bytes that are taken and dropped after a head that could not be read: whoever sends more than
/// this in one go is not waiting for an answer.
pub const UNREAD_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// When a client for which there was no place should try again.
pub const NO_PLACE_RETRY_MS: u64 = 2_000;

/// Time that a client may leave written bytes untaken before its connection is closed.
pub const WRITE_STALL_MS_MAX: u64 = 10_000;

/// Connections that the kernel completes before they are accepted, as far as it lets itself be asked:
/// when a hub starts again, all its readers come at once, and whoever finds no room here waits for
/// whole seconds before its system asks again.
pub const ACCEPTS_WAITING_MAX: u32 = 4_096;

/// Time from the first byte of a TLS connection to the end of its handshake: the same as for a head.
pub const TLS_HANDSHAKE_MS_MAX: u64 = 10_000;

/// Bytes that are read of a client before its handshake is over: those of browsers are below 3 KiB, with
/// keys against quantum computers, and a whole record of its first request may come in one go with them.
/// What is more is kept in memory for nobody.
pub const TLS_HANDSHAKE_BYTES_MAX: u64 = 36 * 1024;

/// Handshakes that go on at a time, each with up to [`TLS_HANDSHAKE_BYTES_MAX`]: more than come back in
/// the seconds that a handshake takes, and a bound on what those cost that never end.
pub const TLS_HANDSHAKES_MAX: usize = 16 * 1024;

/// What one TLS connection may have waiting to be sent, besides what its protocol holds: one record.
pub const TLS_SEND_BUFFER_BYTES_MAX: usize = 16 * 1024;

/// First pause after an accept that failed for want of descriptors; doubles up to the longest one.
pub const ACCEPT_PAUSE_MS_MIN: u64 = 10;

/// Longest pause after failing accepts: a descriptor that becomes free is used within a second.
pub const ACCEPT_PAUSE_MS_MAX: u64 = 1_000;

/// A message that would repeat with each connection is logged once in this time.
pub const REPEATED_LOG_MS_MIN: u64 = 10_000;

/// That a proxy is not trusted is logged once in this time: it is so with every request until somebody
/// changes the settings.
pub const UNTRUSTED_PROXY_LOG_MS_MIN: u64 = 10 * 60 * 1_000;

/// Streams of one HTTP/2 connection: what browsers expect, and a bound on one client's share.
pub const H2_STREAMS_MAX: u32 = 100;

/// List of headers of an HTTP/2 request that is still read, as HTTP/2 counts it: one above
/// [`HEAD_BYTES_MAX`] is read so that it can be refused with a reason, and one above this has no
/// claim to any.
pub const H2_HEADER_LIST_BYTES_MAX: u32 = 4 * HEAD_BYTES_MAX as u32;

/// What one HTTP/2 stream may have waiting to be sent: a stalled tab holds no more than this.
pub const H2_SEND_BUFFER_BYTES_MAX: usize = 64 * 1024;

/// Answers that one HTTP/2 peer has asked for and not taken, together: twenty of the largest pages. What is beyond is
/// refused, and asked for again.
pub const H2_UNTAKEN_BYTES_MAX: usize = 16 * 1024 * 1024;

/// What HTTP/2 is handed of an answer at a time: one of its frames.
pub const H2_PIECE_BYTES_MAX: usize = 16 * 1024;

/// When a peer that takes nothing should ask again.
pub const H2_UNTAKEN_RETRY_MS: u64 = 2_000;

/// Receive window of an HTTP/2 stream, and of a connection: publish bodies are small.
pub const H2_WINDOW_BYTES: u32 = 64 * 1024;

/// Streams that an HTTP/2 peer may have reset before they were accepted: the rapid-reset attack
/// ends here.
pub const H2_PENDING_RESETS_MAX: usize = 20;

/// Frames that an HTTP/2 peer may send at once that ask for nothing: pings, settings, windows, resets, orders,
/// and what nobody knows. A library that measures its connection all the time sends a few hundred of them.
pub const H2_IDLE_FRAMES_MAX: u32 = 1_000;

/// How many more of these a peer may send in a second; also one for each request.
pub const H2_IDLE_FRAMES_PER_SECOND: u32 = 100;

/// For so many bytes that were sent to a peer it may send one of these more: it says how far it has taken them. The
/// smallest event is larger.
pub const H2_BYTES_PER_IDLE_FRAME: usize = 32;

/// Interval of HTTP/2 pings, and how long an answer may take.
pub const H2_PING_MS: u64 = 20_000;

/// How long a browser may remember the answer to a preflight request: the longest that Chromium
/// keeps it.
pub const PREFLIGHT_AGE_SECONDS: u64 = 7_200;

/// Time for open connections to end after the hub has drained: the rest of answers in flight.
pub const CLOSE_MS_MAX: u64 = 5_000;

/// When to ask again for a page that the log could not give: it is being restarted, or it is lost.
pub const UNREADABLE_RETRY_MS: u64 = 5_000;

/// How long figures wait for what the shards are asked to count: fifty thousand connections are counted in
/// a few milliseconds, and a shard that hangs must not hide the others.
pub const CENSUS_WAIT_MS_MAX: u64 = 500;

/// Cookies of one request: browsers keep at most about 180 for a site.
pub const COOKIES_MAX: usize = 256;

/// Proxies that a request has come through, as far as they are looked at: nobody chains more.
pub const FORWARDED_HOPS_MAX: usize = 32;

/// Addresses that are made to wait for having guessed credentials, at a time: more than that are one
/// attacker with many, whom this does not stop anyway.
pub const BLOCKED_ADDRESSES_MAX: usize = 16 * 1024;

/// Bytes of a host with its port: what the name system takes, a colon and five digits.
pub const HOST_BYTES_MAX: usize = 255 + 6;

/// Bodies of the routes around credentials: a token or a cookie, and a few words.
pub const ACCESS_BODY_BYTES_MAX: usize = 64 * 1024;

/// When to ask again for a credential that the store could not keep.
pub const STORE_RETRY_MS: u64 = 2_000;

/// Changes of the store that wait for its disk at a time, each on a thread: administrators make few,
/// and a disk that stalls must not gather threads.
pub const STORE_CHANGES_MAX: usize = 16;

/// Profiles, built-in ones included: a request's path is compared with all of them.
pub const PROFILES_MAX: usize = 64;

/// Paths of one profile.
pub const PROFILE_PATHS_MAX: usize = 8;

/// Bytes of a profile's name, and of that of a parameter for credentials.
pub const PROFILE_NAME_BYTES_MAX: usize = 64;

/// Parameters of one profile that hold credentials.
pub const PROFILE_CREDENTIALS_MAX: usize = 8;

/// When a client comes back whose refusal was told as an event, unless the refusal says when: browsers
/// come back by themselves, for ever.
pub const REFUSED_STREAM_RETRY_MS: u64 = 60_000;

/// How long a revocation is remembered unless it says otherwise: longer than any session cookie in
/// its usual settings.
pub const REVOCATION_MS_DEFAULT: u64 = 90 * 24 * 60 * 60 * 1_000;

/// How long one may be remembered: ten years.
pub const REVOCATION_MS_MAX: u64 = 10 * 365 * 24 * 60 * 60 * 1_000;

/// Connections of one page of their list, unless it says otherwise: what a terminal shows.
pub const CONNECTIONS_LISTED_DEFAULT: usize = 100;

/// The time over which rates are told.
pub const MINUTE_MS: u64 = 60_000;

/// How often totals are noted for that.
pub const MINUTE_SAMPLE_MS: u64 = 5_000;

/// How old a report of the hub's health may be for those who are told a little of it.
pub const HEALTH_FRESH_MS: u64 = 1_000;

/// How long a report waits for the connections to be counted, and for the shared store: as long as for
/// any other part of the hub.
pub const HEALTH_WAIT_MS_MAX: u64 = 1_000;

/// The share of failed answers from which on a hub is not as it should be.
pub const ERROR_RATE_DEGRADED: f64 = 0.05;

/// Of fewer answers a share says nothing.
pub const ERROR_RATE_ANSWERS_MIN: u64 = 20;

/// Users that a monitor names, those with most connections first.
pub const MONITOR_USERS_MAX: usize = 100;
