//! What a ticket stands for, as the shared store keeps it.

use serde::{Deserialize, Serialize};
use tidings_core::audience::{Role, Subject};
use tidings_core::credential::CredentialId;
use tidings_core::pattern::Pattern;
use tidings_core::time::Timestamp;

use crate::reading::Reader;

/// Nodes of different versions may share a store for a while: one refuses what it does not know.
const VERSION: u32 = 1;

/// A reader, and the page that may use the ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) reader: Reader,
    pub(super) origin: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Form {
    version: u32,
    origin: Option<String>,
    subject: Option<String>,
    roles: Vec<String>,
    subscribe: Vec<String>,
    hear_everyone: bool,
    expires_at: Option<u64>,
    behind: Option<String>,
    issued_at: Option<u64>,
}

impl Content {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let reader = &self.reader;
        let form = Form {
            version: VERSION,
            origin: self.origin.clone(),
            subject: reader.subject.as_ref().map(ToString::to_string),
            roles: reader.roles.iter().map(ToString::to_string).collect(),
            subscribe: reader.subscribe.iter().map(ToString::to_string).collect(),
            hear_everyone: reader.hear_everyone,
            expires_at: reader.expires_at.map(|time| time.0),
            behind: reader.behind.as_ref().map(ToString::to_string),
            issued_at: reader.issued_at.map(|time| time.0),
        };
        serde_json::to_vec(&form).expect("texts, numbers and lists are JSON")
    }

    /// What was written, unless another version or somebody else wrote it.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let form: Form = serde_json::from_slice(bytes).ok()?;
        if form.version != VERSION {
            return None;
        }
        let roles = form.roles.iter().map(|role| Role::parse(role).ok());
        let subscribe = form.subscribe.iter().map(|text| Pattern::parse(text).ok());
        let reader = Reader {
            subject: match form.subject {
                Some(text) => Some(Subject::parse(&text).ok()?),
                None => None,
            },
            roles: roles.collect::<Option<_>>()?,
            subscribe: subscribe.collect::<Option<_>>()?,
            hear_everyone: form.hear_everyone,
            expires_at: form.expires_at.map(Timestamp),
            behind: match form.behind {
                Some(text) => Some(CredentialId::parse(&text).ok()?),
                None => None,
            },
            issued_at: form.issued_at.map(Timestamp),
        };
        Some(Self {
            reader,
            origin: form.origin,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contents_survive_their_bytes_and_others_are_not_understood() {
        let full = Content {
            reader: Reader {
                subject: Subject::parse("u1").ok(),
                roles: vec![Role::parse("ADMIN").expect("a role")],
                subscribe: vec![Pattern::parse("a/**").expect("a pattern")],
                hear_everyone: true,
                expires_at: Some(Timestamp(5)),
                behind: CredentialId::parse("token:main:a:b").ok(),
                issued_at: Some(Timestamp(4)),
            },
            origin: Some("https://example.org".to_owned()),
        };
        let empty = Content {
            reader: Reader {
                subject: None,
                roles: Vec::new(),
                subscribe: Vec::new(),
                hear_everyone: false,
                expires_at: None,
                behind: None,
                issued_at: None,
            },
            origin: None,
        };
        for content in [&full, &empty] {
            let bytes = content.to_bytes();
            assert_eq!(Content::from_bytes(&bytes).as_ref(), Some(content));
        }
        let text = String::from_utf8(full.to_bytes()).expect("JSON");
        for (from, to) in [
            (r#""version":1"#, r#""version":2"#),
            ("u1", "a%2Fb"),
            ("ADMIN", ""),
            ("a/**", "a**"),
            ("token:main", "ticket"),
            ("{", "["),
        ] {
            let other = text.replacen(from, to, 1);
            assert_ne!(other, text);
            assert_eq!(Content::from_bytes(other.as_bytes()), None, "{other}");
        }
    }
}
