//! Kinds of values: how each is read from a file or a variable, and shown again.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use tidings_auth::secret::Secret;

/// A value before its kind is known.
#[derive(Debug, Clone, PartialEq)]
pub enum Raw {
    /// A string of the file, or any variable.
    Text(String),
    /// A whole number of the file.
    Integer(i64),
    /// A number of the file with a fraction, as it stands there.
    Fraction(String),
    /// `true` or `false` of the file.
    Bool(bool),
    /// A list of the file.
    List(Vec<Self>),
    /// Something no setting takes, by its name.
    Other(&'static str),
}

/// A kind of value.
pub trait Value: Sized {
    /// What is expected, for errors and for the reference.
    const EXPECTED: &'static str;

    /// Whether a value may not be shown.
    const SECRET: bool = false;

    /// Reads a value, or fails without words: what was expected and found says it all.
    fn read(raw: &Raw) -> Option<Self>;

    /// Shows the value as a settings file would have it.
    fn show(&self) -> String;
}

impl fmt::Display for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) | Self::Fraction(text) => f.write_str(text),
            Self::Integer(number) => number.fmt(f),
            Self::Bool(value) => value.fmt(f),
            Self::List(_) => f.write_str("a list"),
            Self::Other(name) => f.write_str(name),
        }
    }
}

impl Raw {
    /// Shows the value as a settings file would have it.
    pub fn show(&self) -> String {
        match self {
            Self::Text(text) => quoted(text),
            Self::List(entries) => {
                let entries: Vec<String> = entries.iter().map(Self::show).collect();
                format!("[{}]", entries.join(", "))
            }
            Self::Integer(_) | Self::Fraction(_) | Self::Bool(_) | Self::Other(_) => {
                self.to_string()
            }
        }
    }
}

/// A text between quotation marks, as TOML has it.
pub fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

impl Value for SocketAddr {
    const EXPECTED: &'static str = "an address and a port such as `127.0.0.1:7878`";

    fn read(raw: &Raw) -> Option<Self> {
        match raw {
            Raw::Text(text) => text.parse().ok(),
            _ => None,
        }
    }

    fn show(&self) -> String {
        quoted(&self.to_string())
    }
}

impl Value for PathBuf {
    const EXPECTED: &'static str = "a path";

    fn read(raw: &Raw) -> Option<Self> {
        match raw {
            Raw::Text(text) if !text.is_empty() => Some(Self::from(text)),
            _ => None,
        }
    }

    fn show(&self) -> String {
        quoted(&self.to_string_lossy())
    }
}

impl Value for Secret {
    const EXPECTED: &'static str = "a text of 32 bytes or more";
    const SECRET: bool = true;

    fn read(raw: &Raw) -> Option<Self> {
        match raw {
            Raw::Text(text) => Some(Self::from(text.as_str())),
            _ => None,
        }
    }

    fn show(&self) -> String {
        quoted("[masked]")
    }
}

/// A count, or a number of seconds where the key says so.
impl Value for u64 {
    const EXPECTED: &'static str = "a whole number";

    fn read(raw: &Raw) -> Option<Self> {
        match raw {
            Raw::Text(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok(),
            Raw::Integer(number) => Self::try_from(*number).ok(),
            _ => None,
        }
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

macro_rules! words {
    ($(#[doc = $doc:literal])+ $name:ident, $expected:literal, $($(#[doc = $word_doc:literal])+ $variant:ident = $word:literal),+) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $($(#[doc = $word_doc])+ $variant),+ }

        impl $name {
            /// The word for it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl Value for $name {
            const EXPECTED: &'static str = $expected;

            fn read(raw: &Raw) -> Option<Self> {
                match raw {
                    Raw::Text(text) => match text.as_str() {
                        $($word => Some(Self::$variant),)+
                        _ => None,
                    },
                    _ => None,
                }
            }

            fn show(&self) -> String {
                quoted(self.as_str())
            }
        }
    };
}

words! {
    /// Whether streams are compressed.
    Compression, "`on` or `off`",
    /// For readers that accept it.
    On = "on",
    /// For nobody.
    Off = "off"
}

words! {
    /// Where events are kept.
    LogKind, "`embedded` or `memory`",
    /// In files below the data directory.
    Embedded = "embedded",
    /// In memory, until the hub ends.
    Memory = "memory"
}

words! {
    /// How log lines look.
    LogFormat, "`text` or `json`",
    /// For people.
    Text = "text",
    /// One object per line.
    Json = "json"
}

words! {
    /// From which level on lines are logged.
    LogLevel, "`error`, `warn`, `info`, `debug` or `trace`",
    /// The operator must act.
    Error = "error",
    /// A surprise that was overcome.
    Warn = "warn",
    /// Life-cycle and connections.
    Info = "info",
    /// Each request.
    Debug = "debug",
    /// Each event.
    Trace = "trace"
}
