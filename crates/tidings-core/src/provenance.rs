//! Where a connection comes from: what its transport knows of it and an operator wants to see.

use std::fmt;

use crate::limits::{CONNECTION_METADATA_BYTES_MAX, CONNECTION_METADATA_ENTRIES_MAX};

/// The profile by which a connection came: a small index that the transport hands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ProfileIndex(pub u8);

/// The protocol in which a connection was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Protocol {
    /// HTTP/1.0, whose streams end with their socket.
    Http10,
    /// HTTP/1.1.
    #[default]
    Http11,
    /// HTTP/2, many streams of which share a socket.
    Http2,
}

impl Protocol {
    /// The word for people, as ALPN spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http10 => "http/1.0",
            Self::Http11 => "http/1.1",
            Self::Http2 => "h2",
        }
    }
}

/// What a client says of its connection, by names of its own. Few say anything, so it is one word.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Metadata(Option<Box<Entries>>);

type Entries = Vec<(Box<str>, Box<str>)>;

/// Why an entry is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// No name, too many bytes, or a control character.
    #[error(
        "a name and a value have at most {CONNECTION_METADATA_BYTES_MAX} bytes without control \
         characters, and the name at least one"
    )]
    Text,
    /// One more than the limit.
    #[error("a connection has at most {CONNECTION_METADATA_ENTRIES_MAX} entries")]
    TooMany,
    /// The name is there already.
    #[error("the name stands twice")]
    Twice,
}

impl Metadata {
    /// Adds an entry.
    pub fn add(&mut self, name: &str, value: &str) -> Result<(), MetadataError> {
        let is_fine = |text: &str| {
            text.len() <= CONNECTION_METADATA_BYTES_MAX && !text.contains(char::is_control)
        };
        if name.is_empty() || !is_fine(name) || !is_fine(value) {
            return Err(MetadataError::Text);
        }
        let entries = self.0.get_or_insert_default();
        if entries.iter().any(|(known, _)| &**known == name) {
            return Err(MetadataError::Twice);
        }
        if entries.len() == CONNECTION_METADATA_ENTRIES_MAX {
            return Err(MetadataError::TooMany);
        }
        entries.push((name.into(), value.into()));
        Ok(())
    }

    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The entries, in the order in which they were said.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let entries = self.0.as_deref().map_or(&[][..], Vec::as_slice);
        entries.iter().map(|(name, value)| (&**name, &**value))
    }
}

/// How many there are. What a client says is shown to operators, not to logs.
impl fmt::Debug for Metadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Metadata")
            .field(&self.iter().count())
            .finish()
    }
}

/// Where a connection comes from, besides its address, which its sink knows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Provenance {
    /// By which profile it came.
    pub profile: ProfileIndex,
    /// In which protocol.
    pub protocol: Protocol,
    /// What its client says of it.
    pub metadata: Metadata,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_has_limits() {
        let longest = "x".repeat(CONNECTION_METADATA_BYTES_MAX);
        let longer = format!("{longest}x");
        let mut metadata = Metadata::default();
        assert!(metadata.is_empty());
        assert_eq!(metadata.add(&longest, &longest), Ok(()));
        for (name, value) in [
            ("", "v"),
            (&longer, "v"),
            ("n", &longer),
            ("n", "a\nb"),
            ("\0", "v"),
        ] {
            assert_eq!(
                metadata.add(name, value),
                Err(MetadataError::Text),
                "{name:?}"
            );
        }
        assert_eq!(metadata.add(&longest, "other"), Err(MetadataError::Twice));
        for number in 1..CONNECTION_METADATA_ENTRIES_MAX {
            assert_eq!(metadata.add(&format!("n{number}"), ""), Ok(()));
        }
        assert_eq!(metadata.add("more", ""), Err(MetadataError::TooMany));
        assert_eq!(metadata.iter().count(), CONNECTION_METADATA_ENTRIES_MAX);
        assert_eq!(metadata.iter().nth(1), Some(("n1", "")));
    }

    #[test]
    fn m1_what_nobody_says_is_one_word_and_no_allocation() {
        assert_eq!(size_of::<Metadata>(), size_of::<usize>());
    }

    #[test]
    fn a12_debug_output_shows_nothing_that_a_client_says() {
        let mut metadata = Metadata::default();
        metadata
            .add("canary-name", "canary-value")
            .expect("an entry");
        assert_eq!(format!("{metadata:?}"), "Metadata(1)");
    }
}
