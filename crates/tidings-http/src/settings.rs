//! What an operator decides about the HTTP surface.

use std::sync::Arc;

use ipnet::IpNet;
use tidings_core::limits::HEARTBEAT_MS_DEFAULT;

use crate::forwarded::ForwardedHeader;
use crate::host::HostName;
use crate::origin::Origins;
use crate::profile::Profiles;
use crate::rates::RateLimits;
use crate::traces::Tracer;

/// What an operator decides about the HTTP surface.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Which web pages may read answers.
    pub origins: Origins,
    /// By which names the hub may be reached; by any, if none is listed.
    pub hosts: Vec<HostName>,
    /// Networks of the proxies that are believed when they tell for whom they ask.
    pub trusted_proxies: Vec<IpNet>,
    /// In which header they tell it.
    pub forwarded_header: ForwardedHeader,
    /// How much may be asked in which time.
    pub rates: RateLimits,
    /// Whether the `userId` query parameter of this machine's clients is handed to the
    /// authenticators, of which only the development one looks at it.
    pub development: bool,
    /// How often a stream gives a sign of life.
    pub heartbeat_ms: u32,
    /// As which endpoints of server-sent events the hub can be reached.
    pub profiles: Arc<Profiles>,
    /// Whether streams are compressed for those who accept it.
    pub compress: bool,
    /// Who makes spans of publishes and of streams that are opened, if anybody does.
    pub tracer: Option<Arc<dyn Tracer>>,
    /// How many log lines were dropped because nobody took them.
    pub dropped_log_lines: fn() -> u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            origins: Origins::default(),
            hosts: Vec::new(),
            trusted_proxies: Vec::new(),
            forwarded_header: ForwardedHeader::default(),
            rates: RateLimits::default(),
            development: false,
            heartbeat_ms: HEARTBEAT_MS_DEFAULT as u32,
            profiles: Arc::new(Profiles::native()),
            compress: true,
            tracer: None,
            dropped_log_lines: || 0,
        }
    }
}
