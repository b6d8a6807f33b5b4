//! CloudEvents 1.0: structured, batched and binary, as the JSON format and the HTTP binding have them.
//!
//! | attribute | becomes |
//! |---|---|
//! | `id`, `type`, `source` | the same, within the hub's own rules for ids and types |
//! | `time`, `subject`, `dataschema`, extensions | entries of `metadata` under their own names |
//! | `datacontenttype` | an entry of `metadata` too, unless it is `application/json` |
//! | `tidingstopics`, `tidingsusers`, `tidingsroles` | the addressees, separated by commas |
//! | `tidingspriority` | the priority |
//!
//! An event without addressees of its own gets those of the request ([`Addressing`]), else it is for
//! everyone. Data that is neither JSON nor text is kept as base64, which `metadata.dataEncoding` says.

mod attributes;
mod binary;
mod structured;

pub use binary::{decode_binary, has_attributes};
pub use structured::{decode_batch, decode_structured};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::value::RawValue;

use super::error::PublishFault;
use super::media_type::{essence, is_json};
use crate::json::{is_too_deep, one_line, push_string};
use crate::limits::JSON_DEPTH_MAX;

/// Data as the envelope carries it.
struct Data {
    /// JSON without raw line breaks.
    text: Bytes,
    /// Whether it is a string of base64.
    is_base64: bool,
}

impl Data {
    /// JSON, checked to be that.
    fn of_json(text: &str) -> Self {
        Self {
            text: Bytes::copy_from_slice(&one_line(text)),
            is_base64: false,
        }
    }

    /// Bytes of a media type.
    fn of_bytes(bytes: &[u8], content_type: Option<&str>) -> Result<Self, PublishFault> {
        let essence = content_type.map(essence).unwrap_or_default();
        if bytes.is_empty() {
            return Ok(Self::of_json("null"));
        }
        if is_json(&essence) {
            if is_too_deep(bytes, JSON_DEPTH_MAX) {
                return Err(PublishFault::TooDeep);
            }
            let json: &RawValue = serde_json::from_slice(bytes)
                .map_err(|error| PublishFault::Json(error.to_string()))?;
            return Ok(Self::of_json(json.get()));
        }
        let mut quoted = Vec::with_capacity(bytes.len() + 2);
        let text = str::from_utf8(bytes).ok();
        match text.filter(|_| essence.starts_with("text/")) {
            Some(text) => push_string(&mut quoted, text),
            None => push_string(&mut quoted, &STANDARD.encode(bytes)),
        }
        Ok(Self {
            text: quoted.into(),
            is_base64: !(essence.starts_with("text/") && text.is_some()),
        })
    }

    /// Base64 of bytes of a media type.
    fn of_base64(text: &str, content_type: Option<&str>) -> Result<Self, PublishFault> {
        let bytes = STANDARD.decode(text).map_err(|_| PublishFault::Base64)?;
        Self::of_bytes(&bytes, content_type)
    }
}
