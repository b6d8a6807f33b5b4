//! A12: a whole run of the program at its most talkative, with a canary in every place that holds a
//! secret. No line, no answer, no figure and no file holds any of them.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use tempfile::{TempDir, tempdir};

use crate::asking::{Reading, ask, bearer, status};
use crate::hub::{answer, hub as application};
use crate::program::run;
use crate::running::{Hub, until};

/// What stands in every secret of the test's own making.
const CANARY: &str = "CANARY";

/// Where clients of this and of other hubs put credentials into the address.
const NAMES: [&str; 20] = [
    "access_token",
    "accessToken",
    "api_key",
    "apikey",
    "apiKey",
    "auth",
    "authorization",
    "Authorization",
    "bearer",
    "id_token",
    "jwt",
    "key",
    "secret",
    "session_id",
    "sse_token",
    "ticket",
    "%74icket",
    "token",
    "TOKEN",
    "to%6ben",
];

/// Tokens of the issuers of the settings, but for their signatures: one is there, one is away.
const OF_ISSUERS: [&str; 2] = [
    "eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUiLCJhdWQiOiJodWIiLCJzdWIiOiJ1MSIsImV4\
     cCI6NDEwMjQ0NDgwMH0",
    "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsifQ.eyJpc3MiOiJodHRwczovL2F3YXkuZXhhbXBsZSIsImF1ZCI6Imh1YiIsIn\
     N1YiI6InUxIiwiZXhwIjo0MTAyNDQ0ODAwfQ",
];

/// A session that Auth.js made, and the secret that it was made with.
fn session() -> (String, String) {
    let fixtures = include_str!("../../../tidings-auth/tests/fixtures/sessions.json");
    let fixtures: serde_json::Value = serde_json::from_str(fixtures).expect("JSON");
    let text = |value: &serde_json::Value| value.as_str().expect("a text").to_owned();
    let secret = text(&fixtures["secrets"][0]);
    (secret, text(&fixtures["valid"][0]["cookies"][0][1]))
}

/// An application that also says what it should keep to itself.
fn asked_application() -> String {
    application(|request| {
        let body = match request.header("cookie") {
            Some("sid=canary-good") => {
                "{\"subject\":\"ada\",\"claims\":{\"note\":\"CANARY-claim\"}}"
            }
            Some("sid=canary-odd") => "{\"subject\":7,\"note\":\"CANARY-answer\"}",
            Some("sid=canary-text") => "CANARY-text",
            _ => return Some(answer("401 Unauthorized", "text/plain", "CANARY-refusal")),
        };
        Some(answer("200 OK", "application/json", body))
    })
}

/// The settings, with a canary for each secret.
fn write_settings(directory: &TempDir, application: &str, session_secret: &str) {
    let secret = directory.path().join("secret");
    fs::write(&secret, "CANARY-auth-secret-of-at-least-32-bytes\n").expect("written");
    fs::set_permissions(&secret, Permissions::from_mode(0o600)).expect("set");
    let file = format!(
        "data_dir = \"data\"\nlog_level = \"trace\"\nhttp.trusted_proxies = [\"127.0.0.1\"]\n\
         limits.refused_logins_per_address_per_minute = 100000\n\
         [auth]\nsecret_file = \"{}\"\n\
         previous_secret = \"CANARY-previous-secret-of-at-least-32-bytes\"\n\
         [[auth.issuer]]\nname = \"own\"\nissuer = \"https://id.example\"\naudiences = \"hub\"\n\
         secret = \"CANARY-issuer-secret-of-at-least-32-bytes\"\ncookies = [\"token\"]\n\
         [[auth.issuer]]\nname = \"away\"\nissuer = \"https://away.example\"\naudiences = \"hub\"\n\
         jwks_url = \"http://127.0.0.1:1/jwks.json\"\n\
         [[auth.session]]\nname = \"portal\"\n\
         secret = [\"CANARY-session-secret-of-at-least-32-bytes\", \"{session_secret}\"]\n\
         [auth.application]\nurl = \"{application}/me\"\ncookies = [\"sid\"]\n\
         headers = [\"x-session\"]\n\
         [[rule]]\nsubscribe = [\"a\"]\npublish = [\"a\"]\n",
        secret.display()
    );
    fs::write(directory.path().join("tidings.toml"), file).expect("written");
}

/// A run: what is asked, what comes back, and what must be nowhere.
struct Audit {
    hub: Hub,
    answers: Vec<String>,
    secrets: Vec<String>,
}

impl Audit {
    fn ask(&mut self, line: &str, headers: &[(&str, &str)], body: &str) -> u16 {
        let mut headers = headers.to_vec();
        headers.push(("referer", "https://app.example/?token=CANARY-referer"));
        let answer = ask(&self.hub, line, &headers, body);
        let status = answer[9..12].parse().expect("a status");
        self.answers.push(answer);
        status
    }

    /// Asks with a token, which is a secret from now on.
    fn with_token(&mut self, token: &str) -> u16 {
        self.keep(token);
        let (name, value) = bearer(token);
        self.ask("GET /v1/events?topics=a&limit=1", &[(name, &value)], "")
    }

    /// The status that a token gets, without keeping the answer.
    fn with_token_status(&self, token: &str) -> u16 {
        let (name, value) = bearer(token);
        status(&self.hub, "GET /v1/events?topics=a", &[(name, &value)], "")
    }

    /// Asks for a ticket or a stream token: its answer holds a secret, which is taken out of it.
    fn issue(&mut self, line: &str, name: &str, token: &str) -> String {
        let (header, value) = bearer(token);
        assert_eq!(self.ask(line, &[(header, &value)], ""), 200);
        let answer = self.answers.pop().expect("an answer");
        let (before, rest) = answer.split_once(&format!("\"{name}\":\"")).expect(name);
        let (issued, after) = rest.split_once('"').expect("its end");
        self.answers.push(format!("{before}{after}"));
        self.keep(issued);
        issued.to_owned()
    }

    /// Every part of a credential that is secret; its head and its claims are no secrets, but they do
    /// not belong anywhere either.
    fn keep(&mut self, credential: &str) {
        let parts = credential.split('.').filter(|part| part.len() > 12);
        self.secrets.extend(parts.map(str::to_owned));
    }

    /// Credentials that are not accepted, wherever one may stand.
    fn present_bad(&mut self, token: &str, key: &str) {
        for part in OF_ISSUERS {
            let status = self.with_token(&format!("{part}.CANARY-signature"));
            assert!([401, 503].contains(&status), "{status}");
        }
        let signed = token.rsplit_once('.').expect("a signature").0.to_owned();
        for wrong in [
            format!("{signed}.CANARY"),
            format!("{key}CANARY"),
            "CANARY.CANARY".into(),
        ] {
            assert_eq!(self.with_token(&wrong), 401);
        }
        for (name, value) in [
            ("authorization", "Basic CANARY"),
            ("authorization", "CANARY"),
            ("authorization", "Bearer CANARY CANARY"),
            ("x-api-key", "CANARY"),
            ("x-session", "CANARY"),
            (
                "cookie",
                "authjs.session-token=CANARY; next-auth.session-token=CANARY.CANARY",
            ),
            ("cookie", "token=CANARY.CANARY.CANARY"),
            ("cookie", "sid=canary-bad"),
            ("cookie", "sid=canary-odd"),
            ("cookie", "sid=canary-text"),
        ] {
            let status = self.ask("GET /v1/events?topics=a", &[(name, value)], "");
            assert!(
                [400, 401, 503].contains(&status),
                "{name}: {value}: {status}"
            );
        }
    }

    /// Credentials where none is taken: in the address.
    fn ask_in_vain(&mut self) {
        for name in NAMES {
            for path in [
                "/v1/stream",
                "/v1/events",
                "/v1/tickets",
                "/healthz",
                "/metrics",
                "/nowhere",
            ] {
                for method in ["GET", "POST"] {
                    let line = format!("{method} {path}?topics=a&{name}=CANARY-{name}&b=c");
                    self.ask(&line, &[], "");
                }
            }
        }
    }

    /// Requests whose content is a credential.
    fn ask_about(&mut self, token: &str, cookie: &str) {
        let (name, value) = bearer(token);
        for body in [
            format!("{{\"token\":\"{token}\",\"topic\":\"a\"}}"),
            "{\"token\":\"CANARY\"}".to_owned(),
            "{\"token\":CANARY}".to_owned(),
            "{\"tokn\":\"CANARY\"}".to_owned(),
            format!("{{\"cookie\":\"{cookie}\"}}"),
        ] {
            let status = self.ask("POST /v1/auth/explain", &[(name, &value)], &body);
            assert!([200, 400].contains(&status), "{body}: {status}");
            assert_ne!(
                self.ask("POST /v1/auth/explain", &[("cookie", cookie)], &body),
                200
            );
        }
    }

    /// Looks for secrets in all that was answered, logged, printed and written, and in these texts.
    fn look(&mut self, texts: &[&str], data: &Path) {
        for path in ["/metrics", "/openapi.json", "/healthz", "/readyz"] {
            assert_eq!(self.ask(&format!("GET {path}"), &[], ""), 200);
        }
        self.hub.log_until("revoked");
        let logged = self.hub.written();
        assert!(self.leak_in("an answer\nwith a CANARY in it").is_some());
        assert!(logged.lines().count() > self.answers.len(), "{logged}");
        assert!(
            logged.contains("TRACE") || logged.contains("DEBUG"),
            "it is talkative: {logged}"
        );
        for text in self
            .answers
            .iter()
            .map(String::as_str)
            .chain(texts.iter().copied())
            .chain([logged.as_str()])
        {
            assert_eq!(self.leak_in(text), None);
        }
        let mut files = 0;
        files_in(data, &mut |file| {
            let bytes = fs::read(file).expect("readable");
            assert_eq!(
                self.leak_in(&String::from_utf8_lossy(&bytes)),
                None,
                "{}",
                file.display()
            );
            files += 1;
        });
        assert!(files >= 3, "keys, revocations and the log");
    }

    /// The first secret in a text, with its surroundings.
    fn leak_in<'a>(&self, text: &'a str) -> Option<&'a str> {
        let canary = CANARY.to_owned();
        let lower = CANARY.to_lowercase();
        let own = [&canary, &lower].into_iter();
        own.chain(&self.secrets).find_map(|secret| {
            let at = text.find(secret.as_str())?;
            let from = text[..at].rfind('\n').map_or(0, |end| end + 1);
            text[from..].lines().next()
        })
    }
}

#[test]
fn a12_no_secret_leaves_the_program() {
    let directory = tempdir().expect("a directory");
    let path = directory.path();
    let (session_secret, cookie) = session();
    write_settings(&directory, &asked_application(), &session_secret);
    let variables = [("AUTH_SECRET", "CANARY-variable-secret-of-at-least-32-bytes")];
    let hub = Hub::serve(path, &variables);
    let mut audit = Audit {
        hub,
        answers: Vec::new(),
        secrets: vec![session_secret],
    };
    for part in cookie.split('.').filter(|part| part.len() > 12) {
        audit.secrets.push(part.to_owned());
    }

    // Credentials that are good, in every place that takes them.
    let made = |arguments: &[&str]| {
        let ran = run(path, &variables, arguments);
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        ran.out.trim().to_owned()
    };
    let token = made(&["token", "--sub", "u1", "--subscribe", "a", "--admin"]);
    assert_eq!(audit.with_token(&token), 200);
    let key = made(&[
        "key",
        "create",
        "--name",
        "n",
        "--subject",
        "u2",
        "--subscribe",
        "a",
    ]);
    let secret = key.rsplit('_').next().expect("a secret").to_owned();
    audit.secrets.push(secret);
    until(|| audit.with_token_status(&key) == 200, "the key is known");
    assert_eq!(
        audit.ask("GET /v1/events?topics=a", &[("x-api-key", &key)], ""),
        200
    );
    let good = format!("authjs.session-token={cookie}");
    assert_eq!(
        audit.ask("GET /v1/events?topics=a", &[("cookie", &good)], ""),
        200
    );
    assert_eq!(
        audit.ask(
            "GET /v1/events?topics=a",
            &[("cookie", "sid=canary-good")],
            ""
        ),
        200
    );
    let stream_token = audit.issue("POST /v1/tokens", "token", &token);
    assert_eq!(audit.with_token(&stream_token), 200);
    let ticket = audit.issue("POST /v1/tickets", "ticket", &token);
    let mut stream = Reading::stream(&audit.hub, &format!("topics=a&ticket={ticket}"), &[]);
    stream.until("tidings.hello");
    assert_eq!(
        audit.ask(&format!("GET /v1/stream?ticket={ticket}"), &[], ""),
        401
    );

    audit.present_bad(&token, &key);
    audit.ask_in_vain();
    audit.ask_about(&token, &good);
    made(&["revoke", "subject:u2"]);
    until(|| audit.with_token_status(&key) == 401, "revoked");

    // Where none of it may be.
    let shown = made(&["check-config"]);
    assert!(shown.contains("[masked]"), "{shown}");
    audit.look(&[&shown, &stream.text], &path.join("data"));
}

fn files_in(directory: &Path, look: &mut impl FnMut(&Path)) {
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files_in(&path, look);
        } else {
            look(&path);
        }
    }
}
