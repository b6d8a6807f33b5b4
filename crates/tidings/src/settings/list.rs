//! Values that are lists: in a file as lists, in a variable separated by commas.

use tidings_core::audience::Role;
use tidings_http::{ForwardedHeader, HostName, IpNet, network};

use super::limits::LIST_ENTRIES_MAX;
use super::value::{Raw, Value, quoted};

/// Reads each entry of a list, or none if one of them cannot be read.
fn read<T>(raw: &Raw, parse: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    let entries: Vec<T> = match raw {
        Raw::Text(text) => text
            .split(',')
            .map(|entry| parse(entry.trim()))
            .collect::<Option<_>>()?,
        Raw::List(entries) => entries
            .iter()
            .map(|entry| match entry {
                Raw::Text(text) => parse(text),
                _ => None,
            })
            .collect::<Option<_>>()?,
        _ => return None,
    };
    (entries.len() <= LIST_ENTRIES_MAX).then_some(entries)
}

fn show(entries: impl Iterator<Item = String>) -> String {
    let entries: Vec<String> = entries.map(|entry| quoted(&entry)).collect();
    format!("[{}]", entries.join(", "))
}

impl Value for Vec<HostName> {
    const EXPECTED: &'static str =
        "a list of hosts such as `events.example.org` or `127.0.0.1:7878`";

    fn read(raw: &Raw) -> Option<Self> {
        read(raw, |text| HostName::parse(text).ok())
    }

    fn show(&self) -> String {
        show(self.iter().map(ToString::to_string))
    }
}

impl Value for Vec<IpNet> {
    const EXPECTED: &'static str = "a list of networks such as `10.0.0.0/8` or `192.0.2.7`";

    fn read(raw: &Raw) -> Option<Self> {
        read(raw, |text| network(text).ok())
    }

    fn show(&self) -> String {
        show(self.iter().map(ToString::to_string))
    }
}

/// A kind of credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProviderName {
    /// One-time tickets.
    Ticket,
    /// Stream tokens of the hub.
    StreamToken,
    /// API keys.
    Key,
    /// Bearer tokens of the hub and of issuers.
    Jwt,
    /// The same in cookies.
    SessionToken,
    /// Session cookies of Auth.js and `NextAuth`.
    Session,
    /// Whatever the application understands.
    Application,
}

impl ProviderName {
    /// All, in the order in which they are looked for unless a setting says otherwise: what names
    /// its own kind before what may be anything.
    pub const ALL: [(Self, &'static str); 7] = [
        (Self::Ticket, "ticket"),
        (Self::StreamToken, "stream_token"),
        (Self::Key, "key"),
        (Self::Jwt, "jwt"),
        (Self::SessionToken, "session_token"),
        (Self::Session, "session"),
        (Self::Application, "application"),
    ];

    fn parse(text: &str) -> Option<Self> {
        let found = Self::ALL.into_iter().find(|(_, name)| *name == text);
        found.map(|(provider, _)| provider)
    }
}

/// The order of kinds of credentials, each at most once.
impl Value for Vec<ProviderName> {
    const EXPECTED: &'static str = "a list of `ticket`, `stream_token`, `key`, `jwt`, \
        `session_token`, `session` and `application`, each at most once";

    fn read(raw: &Raw) -> Option<Self> {
        let order = read(raw, ProviderName::parse)?;
        let is_once = |(index, name): (usize, &ProviderName)| !order[..index].contains(name);
        order.iter().enumerate().all(is_once).then_some(order)
    }

    fn show(&self) -> String {
        let name = |provider: &ProviderName| {
            let mut all = ProviderName::ALL.iter();
            let found = all.find(|(known, _)| known == provider);
            found.map_or_else(String::new, |(_, name)| (*name).to_owned())
        };
        show(self.iter().map(name))
    }
}

impl Value for Vec<Role> {
    const EXPECTED: &'static str = "a list of roles such as `ADMIN`; an empty one for none";

    fn read(raw: &Raw) -> Option<Self> {
        match raw {
            Raw::Text(text) if text.is_empty() => Some(Self::new()),
            raw => read(raw, |text| Role::parse(text).ok()),
        }
    }

    fn show(&self) -> String {
        show(self.iter().map(ToString::to_string))
    }
}

impl Value for ForwardedHeader {
    const EXPECTED: &'static str = "`x-forwarded-for` or `forwarded`";

    fn read(raw: &Raw) -> Option<Self> {
        match raw {
            Raw::Text(text) if text == "x-forwarded-for" => Some(Self::XForwardedFor),
            Raw::Text(text) if text == "forwarded" => Some(Self::Forwarded),
            _ => None,
        }
    }

    fn show(&self) -> String {
        quoted(match self {
            Self::XForwardedFor => "x-forwarded-for",
            Self::Forwarded => "forwarded",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Raw {
        Raw::Text(text.to_owned())
    }

    #[test]
    fn lists_are_read_from_files_and_from_variables() {
        let hosts = Vec::<HostName>::read(&text("a.example, 127.0.0.1:7878")).expect("hosts");
        assert_eq!(hosts.show(), "[\"a.example\", \"127.0.0.1:7878\"]");
        let networks = Raw::List(vec![text("10.0.0.0/8"), text("192.0.2.7")]);
        let networks = Vec::<IpNet>::read(&networks).expect("networks");
        assert_eq!(networks.show(), "[\"10.0.0.0/8\", \"192.0.2.7/32\"]");
        assert!(Vec::<IpNet>::read(&text("10.0.0.0/8, nothing")).is_none());
        assert!(Vec::<HostName>::read(&Raw::Bool(true)).is_none());
        let many = |n: usize| Raw::List(vec![text("a.example"); n]);
        assert!(Vec::<HostName>::read(&many(LIST_ENTRIES_MAX)).is_some());
        assert!(Vec::<HostName>::read(&many(LIST_ENTRIES_MAX + 1)).is_none());
    }

    #[test]
    fn an_order_names_each_kind_once() {
        let order = Vec::<ProviderName>::read(&text("jwt,ticket")).expect("an order");
        assert_eq!(order, [ProviderName::Jwt, ProviderName::Ticket]);
        assert_eq!(order.show(), "[\"jwt\", \"ticket\"]");
        for bad in ["jwt,jwt", "password", ""] {
            assert!(Vec::<ProviderName>::read(&text(bad)).is_none(), "{bad}");
        }
        for (_, name) in ProviderName::ALL {
            assert!(Vec::<ProviderName>::EXPECTED.contains(&format!("`{name}`")));
        }
    }

    #[test]
    fn roles_are_a_list_that_may_be_empty() {
        let roles = Vec::<Role>::read(&text("ADMIN, OWNER")).expect("roles");
        assert_eq!(roles.show(), "[\"ADMIN\", \"OWNER\"]");
        let none = [text(""), Raw::List(Vec::new())];
        assert!(
            none.iter()
                .all(|raw| Vec::<Role>::read(raw) == Some(Vec::new()))
        );
        assert!(Vec::<Role>::read(&text("ADMIN,,")).is_none());
    }

    #[test]
    fn a_header_survives_its_text() {
        for word in ["x-forwarded-for", "forwarded"] {
            let header = ForwardedHeader::read(&text(word)).expect(word);
            assert_eq!(header.show(), quoted(word));
        }
        assert!(ForwardedHeader::read(&text("X-Real-IP")).is_none());
    }
}
