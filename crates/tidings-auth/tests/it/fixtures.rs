//! What the libraries of applications made, as `tests/auth/mint.mjs` wrote it down.

use serde_json::Value;

/// One set of cookies and what it comes to.
pub(crate) struct Session {
    pub(crate) label: String,
    pub(crate) subject: String,
    pub(crate) roles: Vec<String>,
    pub(crate) cookies: Vec<(String, String)>,
}

impl Session {
    /// The cookies as a request presents them.
    pub(crate) fn cookies(&self) -> Vec<(&str, &str)> {
        borrowed(&self.cookies)
    }
}

/// Cookies as a request presents them.
pub(crate) fn borrowed(cookies: &[(String, String)]) -> Vec<(&str, &str)> {
    let pairs = cookies.iter();
    pairs
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect()
}

fn document() -> Value {
    serde_json::from_str(include_str!("../fixtures/sessions.json")).expect("a fixture is JSON")
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(text).collect()
}

/// The secrets of the fixtures, the one in use first.
pub(crate) fn secrets() -> Vec<String> {
    texts(&document()["secrets"])
}

/// The sessions of one list of the fixtures.
pub(crate) fn sessions(list: &str) -> Vec<Session> {
    let document = document();
    let sessions = document[list].as_array().expect("a list of sessions");
    sessions
        .iter()
        .map(|session| Session {
            label: text(&session["label"]),
            subject: text(&session["subject"]),
            roles: texts(&session["roles"]),
            cookies: session["cookies"]
                .as_array()
                .expect("a list of cookies")
                .iter()
                .map(|pair| (text(&pair[0]), text(&pair[1])))
                .collect(),
        })
        .collect()
}

/// The first valid session of a label.
pub(crate) fn valid(label: &str) -> Session {
    let mut sessions = sessions("valid").into_iter();
    sessions
        .find(|session| session.label == label)
        .expect(label)
}
