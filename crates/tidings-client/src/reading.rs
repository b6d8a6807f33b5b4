//! What a reader asks for, the same for a stream and for a poll.

use std::fmt::Write;

use tidings_core::event_type::TypeGlob;
use tidings_core::pattern::Pattern;

/// What to read.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// Topics by pattern; none reads what is addressed to the reader itself.
    pub topics: Vec<Pattern>,
    /// Event types; none means all.
    pub types: Vec<TypeGlob>,
    /// Where to start: `now`, `earliest`, `last`, a cursor, a time, a duration, an event id. The
    /// hub's default is `now`.
    pub since: Option<String>,
    /// Leaves out what is addressed to the reader itself, its roles, or everyone.
    pub without_audience: bool,
}

/// A query string that is built pair by pair.
#[derive(Debug, Default)]
pub(crate) struct Query(String);

impl Query {
    pub(crate) fn of(reading: &Reading) -> Self {
        let mut query = Self::default();
        query.list("topics", reading.topics.iter().map(Pattern::as_str));
        query.list("events", reading.types.iter().map(TypeGlob::as_str));
        if let Some(since) = &reading.since {
            query.pair("since", since);
        }
        if reading.without_audience {
            query.pair("audience", "none");
        }
        query
    }

    /// Items are separated by commas, so their own are escaped.
    fn list<'a>(&mut self, name: &str, items: impl Iterator<Item = &'a str>) {
        let escaped: Vec<String> = items
            .map(|item| item.replace('\\', "\\\\").replace(',', "\\,"))
            .collect();
        if !escaped.is_empty() {
            self.pair(name, &escaped.join(","));
        }
    }

    pub(crate) fn pair(&mut self, name: &str, value: &str) {
        if !self.0.is_empty() {
            self.0.push('&');
        }
        self.0.push_str(name);
        self.0.push('=');
        for byte in value.bytes() {
            // These stand for themselves in a query (RFC 3986); everything else is encoded.
            if byte.is_ascii_alphanumeric() || b"-._~/*:@,".contains(&byte) {
                self.0.push(char::from(byte));
            } else {
                // Writing to a string cannot fail.
                let _infallible = write!(self.0, "%{byte:02X}");
            }
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use tidings_wire::query;

    use super::*;

    #[test]
    fn the_hub_reads_what_was_asked() {
        let topics = ["project/42", "a,b/*", "лента/a b", "x\\y/**", "a&b=c+d%e#f"];
        let reading = Reading {
            topics: topics
                .map(|text| Pattern::parse(text).expect(text))
                .to_vec(),
            types: vec![TypeGlob::parse("chapter.*").expect("a glob")],
            since: Some("2021-07-21T00:00:00+02:00".to_owned()),
            without_audience: true,
        };
        let text = Query::of(&reading);
        let pairs = query::pairs(text.as_str()).expect("a query");
        let values = |name: &str| -> Vec<&str> {
            let of_name = pairs.iter().filter(|(found, _)| found == name);
            of_name.map(|(_, value)| value.as_ref()).collect()
        };
        assert_eq!(
            query::patterns(values("topics")).expect("patterns"),
            reading.topics
        );
        let filter = query::types(values("events")).expect("types");
        assert_eq!(filter.globs(), reading.types);
        assert_eq!(values("since"), ["2021-07-21T00:00:00+02:00"]);
        assert_eq!(values("audience"), ["none"]);
        assert_eq!(Query::of(&Reading::default()).as_str(), "");
    }
}
