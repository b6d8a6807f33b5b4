//! Where spans go: `[traces]`.

use reqwest::Url;

use super::value::{Raw, Value, quoted};

/// The path of a collector's spans, for addresses that name no path (OTLP/HTTP).
const SPANS_PATH: &str = "/v1/traces";

/// Bytes of the name under which spans are found: a word.
const SERVICE_BYTES_MAX: usize = 256;

/// Making spans of requests.
#[derive(Debug, Clone, PartialEq)]
pub struct Traces {
    /// Where they go.
    pub endpoint: Collector,
    /// Of which part of the requests they are made.
    pub sample: Share,
    /// Under which name they are found.
    pub service: ServiceName,
}

/// The address of a collector, with the path of its spans.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collector(Url);

impl Collector {
    /// The address.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl Value for Collector {
    const EXPECTED: &'static str =
        "an address such as `http://127.0.0.1:4318/v1/traces`, without a name and a password in it";

    fn read(raw: &Raw) -> Option<Self> {
        let Raw::Text(text) = raw else { return None };
        let mut url = Url::parse(text).ok()?;
        let is_plain = url.username().is_empty() && url.password().is_none();
        let is_web = matches!(url.scheme(), "http" | "https") && url.has_host();
        if !is_plain || !is_web {
            return None;
        }
        if matches!(url.path(), "" | "/") {
            url.set_path(SPANS_PATH);
        }
        Some(Self(url))
    }

    fn show(&self) -> String {
        quoted(self.as_str())
    }
}

/// A part of a whole, from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share(f64);

impl Share {
    /// The part as a number.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl Value for Share {
    const EXPECTED: &'static str = "a number from `0` to `1`, such as `0.1`";

    fn read(raw: &Raw) -> Option<Self> {
        let share: f64 = match raw {
            Raw::Text(text) | Raw::Fraction(text) => text.parse().ok()?,
            Raw::Integer(0) => 0.0,
            Raw::Integer(1) => 1.0,
            _ => return None,
        };
        (0.0..=1.0).contains(&share).then_some(Self(share))
    }

    fn show(&self) -> String {
        self.0.to_string()
    }
}

/// The name of a service in its traces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceName(String);

impl ServiceName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Value for ServiceName {
    const EXPECTED: &'static str = "a name of at most 256 bytes without control characters";

    fn read(raw: &Raw) -> Option<Self> {
        let Raw::Text(text) = raw else { return None };
        let is_fine =
            !text.is_empty() && text.len() <= SERVICE_BYTES_MAX && !text.contains(char::is_control);
        is_fine.then(|| Self(text.clone()))
    }

    fn show(&self) -> String {
        quoted(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text<V: Value>(text: &str) -> Option<String> {
        V::read(&Raw::Text(text.to_owned())).map(|value| value.show())
    }

    #[test]
    fn an_address_without_a_path_gets_that_of_spans() {
        let show = text::<Collector>;
        let shown = Some("\"http://collector:4318/v1/traces\"".to_owned());
        assert_eq!(show("http://collector:4318"), shown);
        assert_eq!(show("http://collector:4318/"), shown);
        assert_eq!(show("http://collector:4318/v1/traces"), shown);
        let other = "https://otlp.example.com/tempo/v1/traces";
        assert_eq!(show(other), Some(format!("\"{other}\"")));
        for bad in [
            "",
            "collector:4318",
            "ftp://collector",
            "http://",
            "http://user:password@collector",
            "http://user@collector",
        ] {
            assert_eq!(show(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_share_is_a_number_from_0_to_1() {
        for good in ["0", "1", "0.25", "1.0"] {
            assert!(text::<Share>(good).is_some(), "{good}");
        }
        assert!(Share::read(&Raw::Fraction("0.5".to_owned())).is_some());
        assert!(Share::read(&Raw::Integer(1)).is_some());
        for bad in ["", "-0.1", "1.01", "NaN", "inf", "10%"] {
            assert_eq!(text::<Share>(bad), None, "{bad}");
        }
        assert!(Share::read(&Raw::Integer(2)).is_none());
    }

    #[test]
    fn a_service_has_a_name_of_ordinary_length() {
        assert!(text::<ServiceName>(&"n".repeat(SERVICE_BYTES_MAX)).is_some());
        assert!(text::<ServiceName>(&"n".repeat(SERVICE_BYTES_MAX + 1)).is_none());
        assert!(text::<ServiceName>("").is_none());
        assert!(text::<ServiceName>("a\nb").is_none());
    }
}
