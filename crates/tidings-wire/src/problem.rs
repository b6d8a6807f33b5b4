//! Problem documents: every refusal of the HTTP API as one JSON object (RFC 9457).
//!
//! `{"type", "title", "status", "detail", "code", "category", "recovery", "hint", "requestId", ...}`.
//! Programs look at `code`, or at the wider `category`; people read `detail` and `hint`. Nothing in it repeats a credential or tells of the hub's inside.

mod category;
mod code;
mod refusals;

pub use category::Category;
pub use code::Code;

use crate::json::Object;

/// The media type of a problem document.
pub const CONTENT_TYPE: &str = "application/problem+json";

/// Codes are pages below this address.
const TYPE_PREFIX: &str = "https://tidings.dev/problems/";

/// One refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    code: Code,
    detail: String,
    hint: Option<String>,
    request_id: Option<String>,
    retry_after_ms: Option<u64>,
    members: Vec<(&'static str, Member)>,
}

/// The value of a further member.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Member {
    Text(String),
    Number(u64),
    Texts(Vec<String>),
}

impl Problem {
    /// A problem with what happened in this case, lower case and without a final stop, and the
    /// code's own hint.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            hint: code.hint().map(str::to_owned),
            request_id: None,
            retry_after_ms: None,
            members: Vec::new(),
        }
    }

    /// Says how to get it right, in place of the code's own hint.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Names the request, as the hub's own log names it.
    #[must_use]
    pub fn with_request_id(mut self, request_id: impl Into<String>) -> Self {
        self.request_id = Some(request_id.into());
        self
    }

    /// Says when trying again makes sense: the member `retryAfterMs`, which goes into `Retry-After`
    /// too, rounded up to seconds.
    #[must_use]
    pub fn with_retry_after_ms(mut self, retry_after_ms: u64) -> Self {
        self.retry_after_ms = Some(retry_after_ms);
        self
    }

    /// Adds a member with a text.
    #[must_use]
    pub fn with_text(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.members.push((name, Member::Text(value.into())));
        self
    }

    /// Adds a member with a number.
    #[must_use]
    pub fn with_number(mut self, name: &'static str, value: u64) -> Self {
        self.members.push((name, Member::Number(value)));
        self
    }

    /// Adds a member with a list of texts.
    #[must_use]
    pub fn with_texts(mut self, name: &'static str, values: Vec<String>) -> Self {
        self.members.push((name, Member::Texts(values)));
        self
    }

    /// Which problem it is.
    pub fn code(&self) -> Code {
        self.code
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.code.status()
    }

    /// What happened in this case.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// When trying again makes sense, for the `Retry-After` header.
    pub fn retry_after_ms(&self) -> Option<u64> {
        self.retry_after_ms
    }

    /// Appends the document.
    pub fn push(&self, out: &mut Vec<u8>) {
        let mut object = Object::open(out);
        let type_uri = object.key("type");
        type_uri.push(b'"');
        type_uri.extend_from_slice(TYPE_PREFIX.as_bytes());
        type_uri.extend_from_slice(self.code.as_str().as_bytes());
        type_uri.push(b'"');
        object
            .string("title", self.code.title())
            .number("status", u64::from(self.code.status()))
            .string("detail", &self.detail)
            .string("code", self.code.as_str())
            .string("category", self.code.category().as_str())
            .string("recovery", self.code.category().recovery());
        if let Some(hint) = &self.hint {
            object.string("hint", hint);
        }
        if let Some(request_id) = &self.request_id {
            object.string("requestId", request_id);
        }
        if let Some(retry_after_ms) = self.retry_after_ms {
            object.number("retryAfterMs", retry_after_ms);
        }
        for (name, member) in &self.members {
            match member {
                Member::Text(text) => object.string(name, text),
                Member::Number(number) => object.number(name, *number),
                Member::Texts(texts) => object.strings(name, texts.iter().map(String::as_str)),
            };
        }
        object.close();
    }

    /// The document.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(256);
        self.push(&mut out);
        out
    }
}
