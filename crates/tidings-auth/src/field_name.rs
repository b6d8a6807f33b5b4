//! Names of headers and cookies.

/// Whether a text can be one: a token (RFC 9110, section 5.6.2).
pub(crate) fn is_field_name(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_allowed)
}
