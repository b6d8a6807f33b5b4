//! The head of a response that the hub writes by itself.

use http::HeaderMap;
use http::StatusCode;

/// Appends a status line and headers; the empty line that ends the head is the caller's to write,
/// behind what frames the body.
pub(super) fn append(version: &str, status: StatusCode, headers: &HeaderMap, out: &mut Vec<u8>) {
    out.extend_from_slice(version.as_bytes());
    out.extend_from_slice(format!(" {status}\r\n").as_bytes());
    for (name, value) in headers {
        for piece in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            out.extend_from_slice(piece);
        }
    }
}
