//! Which kinds of token are accepted, by the header `typ` (RFC 8725, section 3.11): a token that was
//! made for something else must not pass for one that opens the hub.

use tidings_core::port::AuthFailure;

/// Accepted values of `typ`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenTypes {
    /// These, compared without regard to case and without a leading `application/` (RFC 7515,
    /// section 4.1.9).
    pub names: Vec<String>,
    /// Whether a token may leave `typ` out.
    pub or_none: bool,
}

impl Default for TokenTypes {
    /// `JWT`, `at+jwt` (RFC 9068), or none.
    fn default() -> Self {
        Self {
            names: vec!["JWT".to_owned(), "at+jwt".to_owned()],
            or_none: true,
        }
    }
}

impl TokenTypes {
    pub(crate) fn check(&self, kind: Option<&str>) -> Result<(), AuthFailure> {
        let is_accepted = match kind {
            None => self.or_none,
            Some(kind) => {
                let kind = bare(kind);
                let mut names = self.names.iter();
                names.any(|name| bare(name).eq_ignore_ascii_case(kind))
            }
        };
        if is_accepted {
            Ok(())
        } else {
            Err(AuthFailure::NotForThis(
                "its `typ` is that of another kind of token",
            ))
        }
    }
}

fn bare(kind: &str) -> &str {
    const PREFIX: &str = "application/";
    match kind.split_at_checked(PREFIX.len()) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case(PREFIX) => rest,
        _ => kind,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_of_another_kind_does_not_pass() {
        let usual = TokenTypes::default();
        for good in [
            None,
            Some("JWT"),
            Some("jwt"),
            Some("at+JWT"),
            Some("Application/at+jwt"),
        ] {
            usual.check(good).expect("accepted");
        }
        for bad in [
            "",
            "JOSE",
            "logout+jwt",
            "tidings-stream+jwt",
            "application/",
            "JWT ",
        ] {
            usual.check(Some(bad)).expect_err(bad);
        }
        let strict = TokenTypes {
            names: vec!["at+jwt".to_owned()],
            or_none: false,
        };
        strict.check(Some("at+jwt")).expect("accepted");
        strict.check(Some("JWT")).expect_err("another kind");
        strict.check(None).expect_err("no kind");
    }
}
