//! Seven kinds of trouble, each with one way out. A client that knows no code knows these.

use super::Code;

/// What kind of trouble a problem is, as clients sort their errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Category {
    /// This hub cannot be talked to at the moment; another node, or this one a little later, can.
    Connection,
    /// Who asks is not known, or may not do this.
    Authentication,
    /// Too much, too often.
    RateLimit,
    /// The hub failed, or something that it needs.
    Server,
    /// The request is not one that this hub takes, whatever is in it.
    Client,
    /// What the request holds breaks a rule.
    Validation,
    /// It took too long.
    Timeout,
}

impl Category {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connection => "CONNECTION",
            Self::Authentication => "AUTHENTICATION",
            Self::RateLimit => "RATE_LIMIT",
            Self::Server => "SERVER",
            Self::Client => "CLIENT",
            Self::Validation => "VALIDATION",
            Self::Timeout => "TIMEOUT",
        }
    }

    /// What a client does about it: `retry` with growing pauses, or after `Retry-After`; `slow_down`,
    /// as that but by polling meanwhile; `reauthenticate` once, then stop; `correct` the request,
    /// because repeating it changes nothing.
    pub fn recovery(self) -> &'static str {
        match self {
            Self::Connection | Self::Server | Self::Timeout => "retry",
            Self::Authentication => "reauthenticate",
            Self::RateLimit => "slow_down",
            Self::Client | Self::Validation => "correct",
        }
    }

    /// The category of a farewell by its code; none if nothing is wrong.
    pub(crate) fn of_farewell(code: &str) -> Option<Self> {
        match code {
            "slow_reader" => Some(Self::Timeout),
            "log_failed" => Some(Self::Server),
            "credential_expired" | "credential_revoked" | "not_granted" => {
                Some(Self::Authentication)
            }
            _ => None,
        }
    }
}

impl Code {
    /// What kind of trouble it is.
    pub fn category(self) -> Category {
        match self {
            Self::AtCapacity | Self::Draining => Category::Connection,
            Self::AuthenticationRequired | Self::InvalidToken | Self::NotGranted => {
                Category::Authentication
            }
            Self::RateLimited | Self::TooManyConnections | Self::TooManyRefusals => {
                Category::RateLimit
            }
            Self::AuthUnavailable
            | Self::Internal
            | Self::LogBusy
            | Self::LogFull
            | Self::LogNotWritable
            | Self::LogUnreadable
            | Self::OutcomeUnknown
            | Self::StoreUnavailable => Category::Server,
            Self::CrossSite
            | Self::HeadersTooLarge
            | Self::InvalidHeader
            | Self::InvalidRequest
            | Self::MethodNotAllowed
            | Self::Misdirected
            | Self::NotFound
            | Self::OriginRefused
            | Self::UnsupportedMediaType
            | Self::UriTooLong => Category::Client,
            Self::BodyTooLarge
            | Self::GroupTooLarge
            | Self::IdReused
            | Self::InvalidBody
            | Self::InvalidEvent
            | Self::InvalidId
            | Self::InvalidJson
            | Self::InvalidPattern
            | Self::InvalidQuery
            | Self::InvalidTopic
            | Self::InvalidType
            | Self::NotSupported
            | Self::TooManyPatterns
            | Self::UnknownField => Category::Validation,
            Self::RequestTimeout => Category::Timeout,
        }
    }
}
