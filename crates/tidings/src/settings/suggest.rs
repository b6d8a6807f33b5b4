//! What somebody probably meant.

/// The known name nearest to an unknown one, if any is near.
fn nearest<'a>(unknown: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let last = |name: &str| name.rsplit('.').next().unwrap_or_default().to_owned();
    let unknown_last = last(unknown);
    known
        .map(|name| {
            // `secret` for `auth.secret`: the right word in the wrong table.
            let distance = if last(name) == unknown_last {
                1
            } else {
                strsim::damerau_levenshtein(unknown, name)
            };
            (distance, name)
        })
        .filter(|(distance, name)| *distance <= name.len().div_ceil(3))
        .min_by_key(|(distance, name)| (*distance, strsim::damerau_levenshtein(unknown, name)))
        .map(|(_, name)| name)
}

/// A hint with the suggestion, or where to find all names.
pub(super) fn hint<'a>(unknown: &str, known: impl Iterator<Item = &'a str>) -> String {
    nearest(unknown, known).map_or_else(
        || "`tidings check-config --reference` lists every setting".to_owned(),
        |name| format!("did you mean `{name}`?"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_suggested_and_a_far_one_is_not() {
        let known = [
            "auth.secret",
            "limits.connections",
            "limits.connections_per_identity",
        ];
        let find = |unknown: &str| nearest(unknown, known.into_iter());
        assert_eq!(find("limits.conections"), Some("limits.connections"));
        assert_eq!(find("secret"), Some("auth.secret"));
        assert_eq!(
            find("http.connections_per_identity"),
            Some("limits.connections_per_identity")
        );
        assert_eq!(find("colour"), None);
        assert!(hint("colour", known.into_iter()).contains("--reference"));
    }
}
