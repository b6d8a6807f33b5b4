//! The closed list of problem codes, in alphabetical order. A code never changes its meaning.

use std::fmt;

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal, $status:literal, $title:literal,
        $hint:expr;)+) => {
        /// What kind of problem it is. Programs decide by this word alone.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Code {
            /// All codes, in alphabetical order.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The word on the wire.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// The HTTP status that goes with it.
            pub fn status(self) -> u16 {
                match self { $(Self::$name => $status,)+ }
            }

            /// A few words for people, the same in every case.
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)+ }
            }

            /// What to do about it, where that is the same in every case.
            pub fn hint(self) -> Option<&'static str> {
                match self { $(Self::$name => $hint,)+ }
            }

            /// What it means, at length, for its page in the documentation.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc, "\n"),+),)+ }
            }
        }
    };
}

codes! {
    /// The hub has as many connections as it may have in all, or as many wait for readers as may.
    AtCapacity = "at_capacity", 503, "The hub has no room for another connection",
        Some("try again after the time in `Retry-After`, or on another node");
    /// Whoever must be asked about the credential does not answer.
    AuthUnavailable = "auth_unavailable", 503, "The credential cannot be checked at the moment",
        Some("try again after the time in `Retry-After`");
    /// The route needs a credential and the request has none.
    AuthenticationRequired = "authentication_required", 401, "A credential is required",
        Some("send a token in the header `Authorization: Bearer`, or the cookie of a session that the hub knows");
    /// The body, a line of it, or one event has more bytes than allowed.
    BodyTooLarge = "body_too_large", 413, "The body is too large",
        Some("put large things behind a URL in the event");
    /// A page of another site had a browser send the request with its user's cookie.
    CrossSite = "cross_site", 403, "The request comes from another site",
        Some("list the page's origin in the hub's settings, or send `Authorization: Bearer`");
    /// The hub is shutting down and takes no new work.
    Draining = "draining", 503, "The hub is shutting down",
        Some("try again, on another node if there is one");
    /// A group has more events or more bytes than the log takes in one piece.
    GroupTooLarge = "group_too_large", 413, "The group of events is too large",
        Some("send several groups, or lines of `application/x-ndjson`, which are not atomic");
    /// The head of the request has more bytes or more headers than allowed.
    HeadersTooLarge = "headers_too_large", 431, "The headers are too large",
        Some("send fewer and shorter headers; cookies are the most likely to be too many");
    /// The publisher's id was used for another event within the dedupe window.
    IdReused = "id_reused", 409, "The id belongs to another event",
        Some("give every event its own id, and repeat an event with exactly the same content");
    /// Something failed inside the hub. Its log says more under the request's id.
    Internal = "internal", 500, "The hub failed", None;
    /// The JSON is valid, but not what the route takes.
    InvalidBody = "invalid_body", 400, "The body is not what the route takes", None;
    /// The JSON is valid, but it is no event.
    InvalidEvent = "invalid_event", 400, "The body is not an event", None;
    /// A header does not have the form that it must have.
    InvalidHeader = "invalid_header", 400, "A header is not valid", None;
    /// The event's id breaks the rules of ids.
    InvalidId = "invalid_id", 400, "The id is not valid",
        Some("an id is 1 to 127 of `A-Za-z0-9._:-` and not shaped like a cursor");
    /// The body, or a line of it, is not JSON.
    InvalidJson = "invalid_json", 400, "The body is not valid JSON",
        Some("send one JSON object or array, or with `application/x-ndjson` one object per line");
    /// A pattern of topics breaks the rules of patterns.
    InvalidPattern = "invalid_pattern", 400, "The pattern is not valid",
        Some("a pattern is a topic in which `*` is one segment and a final `**` any further ones");
    /// A query parameter does not have the form that it must have, or is not known.
    InvalidQuery = "invalid_query", 400, "A query parameter is not valid", None;
    /// The bytes are no HTTP request: its first line has no method, target or version that is valid.
    InvalidRequest = "invalid_request", 400, "The request is not valid HTTP",
        Some("a request begins like `GET /v1/stream HTTP/1.1`");
    /// The credential is malformed, not trusted, or has expired.
    InvalidToken = "invalid_token", 401, "The credential is not accepted", None;
    /// A topic breaks the rules of topics.
    InvalidTopic = "invalid_topic", 400, "The topic is not valid",
        Some("a topic is `/`-separated segments such as `project/42`, in one canonical spelling");
    /// An event type breaks the rules of types.
    InvalidType = "invalid_type", 400, "The event type is not valid",
        Some("a type is 1 to 128 of `A-Za-z0-9._:/-`, such as `chapter.created`");
    /// Too much is waiting for the log, or its disk has stalled. Nothing was published.
    LogBusy = "log_busy", 503, "The log is busy",
        Some("try again after the time in `Retry-After`");
    /// The log has no space left. Nothing was published; it goes on by itself when there is space.
    LogFull = "log_full", 507, "The log has no space left", None;
    /// The log takes no writes until the hub is started again. Nothing was published.
    LogNotWritable = "log_not_writable", 503, "The log is not writable", None;
    /// The log could not be read.
    LogUnreadable = "log_unreadable", 503, "The log could not be read", None;
    /// The route exists, but not with this method.
    MethodNotAllowed = "method_not_allowed", 405, "The method is not allowed here",
        Some("the header `Allow` names the methods");
    /// The request names a host that is not this hub.
    Misdirected = "misdirected", 421, "The host is not this hub",
        Some("use a name of the hub, or list this one in the hub's settings");
    /// There is nothing here, or nothing that this identity may know of.
    NotFound = "not_found", 404, "There is nothing here", None;
    /// The identity has no grant for what it asks.
    NotGranted = "not_granted", 403, "The credential does not allow this", None;
    /// A documented field that this version does not have yet.
    NotSupported = "not_supported", 400, "This version does not support the field",
        Some("leave the field out");
    /// The page's origin is not among those that may call the hub with a credential.
    OriginRefused = "origin_refused", 403, "The origin is not allowed",
        Some("list the origin, exactly as the browser sends it, in the hub's settings");
    /// The log failed before it could tell whether it kept the event.
    OutcomeUnknown = "outcome_unknown", 503, "The outcome is not known",
        Some("repeat the event with the same `id`; without an id it may come twice");
    /// The identity or the address has used up what it may do in this time.
    RateLimited = "rate_limited", 429, "Too much in too short a time",
        Some("try again after the time in `Retry-After`");
    /// The request did not arrive in time.
    RequestTimeout = "request_timeout", 408, "The request took too long", None;
    /// The store that all credentials need did not do what it was asked for.
    StoreUnavailable = "store_unavailable", 503, "The store of credentials is not available",
        Some("try again after the time in `Retry-After`");
    /// The identity or the address has as many connections as it may have.
    TooManyConnections = "too_many_connections", 429, "Too many connections",
        Some("close connections that are no longer needed, or share one between tabs");
    /// One connection asks for more patterns than allowed, or would read more of those granted.
    TooManyPatterns = "too_many_patterns", 400, "Too many patterns",
        Some("ask for wider patterns; a connection still gets only what it is granted");
    /// Too many credentials from the address were refused; none is looked at for a while.
    TooManyRefusals = "too_many_refusals", 429, "Too many refused credentials",
        Some("try again after the time in `Retry-After`, with a credential that is valid");
    /// A field that no event has.
    UnknownField = "unknown_field", 400, "The event has an unknown field",
        Some("put fields of your own into `data` or `metadata`");
    /// The body's media type is none that the route takes.
    UnsupportedMediaType = "unsupported_media_type", 415, "The media type is not supported",
        Some("send `application/json`, `application/x-ndjson` or a CloudEvent");
    /// The request's target has more bytes than allowed.
    UriTooLong = "uri_too_long", 414, "The URL is too long",
        Some("ask for fewer or wider patterns, and put credentials into headers");
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_in_alphabetical_order_and_unique() {
        assert!(Code::ALL.is_sorted_by(|left, right| left.as_str() < right.as_str()));
        for code in Code::ALL {
            assert!((400..600).contains(&code.status()), "{code}");
            assert!(!code.meaning().trim().is_empty(), "{code}");
        }
    }
}
