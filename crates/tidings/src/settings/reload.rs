//! Which settings a running hub takes over when it reads them again, and which need a restart.

use std::collections::BTreeMap;

use super::gather::Gathered;
use super::keys::KEYS;

/// Keys and tables that are taken over. All others decide what a hub is made of.
const TAKEN_OVER: [&str; 27] = [
    "tls.certificate",
    "tls.key",
    "auth.secret",
    "auth.secret_file",
    "auth.previous_secret",
    "auth.session_secret",
    "auth.order",
    "auth.leeway_seconds",
    "auth.issuer",
    "auth.session",
    "auth.application",
    "auth.anonymous",
    "rule",
    "limits.connections",
    "limits.connections_per_identity",
    "limits.connections_per_address",
    "limits.requests_per_address_per_second",
    "limits.refused_logins_per_address_per_minute",
    "limits.tickets_per_identity_per_minute",
    "limits.events_per_identity_per_second",
    "limits.event_bytes_per_identity_per_second",
    "heartbeat",
    "streams.compression",
    "cors.origins",
    "http.hosts",
    "http.trusted_proxies",
    "http.forwarded",
];

/// Whether a hub takes a key or a table over when it reads its settings again.
pub(super) fn is_taken_over(name: &str) -> bool {
    TAKEN_OVER.contains(&name)
}

/// What needs a restart to change, as people read it, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fixed(BTreeMap<&'static str, String>);

impl Fixed {
    /// That of these settings.
    pub(super) fn of(gathered: &Gathered) -> Self {
        let keys = KEYS.iter().filter(|key| !is_taken_over(key.name));
        let mut fixed: BTreeMap<_, _> = keys
            .filter_map(|key| Some((key.name, (key.show)(&gathered.layer)?.0)))
            .collect();
        for (section, shown, _) in gathered.sections.shown() {
            if !is_taken_over(section.name) {
                let all: &mut String = fixed.entry(section.name).or_default();
                all.push_str(shown);
                all.push_str("\n\n");
            }
        }
        // Another certificate is taken over, but not whether there is one at all.
        let layer = &gathered.layer;
        if layer.tls_certificate.is_some() || layer.tls_key.is_some() {
            fixed.insert("tls", "on".to_owned());
        }
        Self(fixed)
    }

    /// The names of what is otherwise in these others.
    pub fn differing(&self, others: &Self) -> Vec<&'static str> {
        let names = self.0.keys().chain(others.0.keys());
        let mut differing: Vec<_> = names
            .copied()
            .filter(|name| self.0.get(name) != others.0.get(name))
            .collect();
        differing.sort_unstable();
        differing.dedup();
        differing
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::sections::SECTIONS;

    #[test]
    fn whatever_is_taken_over_is_a_setting() {
        for name in TAKEN_OVER {
            let is_key = KEYS.iter().any(|key| key.name == name);
            let is_section = SECTIONS.iter().any(|section| section.name == name);
            assert!(is_key || is_section, "{name}");
        }
    }

    #[test]
    fn no_secret_is_compared_by_its_text() {
        for key in KEYS.iter().filter(|key| key.secret) {
            assert!(is_taken_over(key.name), "{}", key.name);
        }
    }
}
