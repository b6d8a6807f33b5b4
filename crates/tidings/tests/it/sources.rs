//! Settings of who vouches for people: issuers, session cookies and the application.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use tempfile::tempdir;
use tidings::settings::limits::{ISSUERS_MAX, SESSIONS_MAX};
use tidings::settings::{Layer, ProviderName, Settings};
use tidings_auth::issuer::IssuerName;
use tidings_auth::issuer::{Keys, StreamLife};

use crate::settings::resolve;

const SECRET: &str = "0123456789abcdef0123456789abcdef";

fn read(file: &str) -> Settings {
    resolve(file, &[], Layer::default(), false).unwrap_or_else(|faults| panic!("{faults}"))
}

/// All that is wrong with a file, as people see it.
fn refused(file: &str) -> String {
    let faults = resolve(file, &[], Layer::default(), false).expect_err(file);
    faults.to_string()
}

/// Asserts that one thing is wrong with a file, at a line, with these words in it.
fn is_wrong(file: &str, line: usize, words: &str) {
    let shown = refused(file);
    assert_eq!(shown.matches("error: ").count(), 1, "{file}\n{shown}");
    assert!(shown.contains(words), "{file}\n{shown}");
    assert!(
        shown.contains(&format!("tidings.toml:{line}\n"))
            || shown.ends_with(&format!("tidings.toml:{line}")),
        "{file}\n{shown}"
    );
}

fn issuer(lines: &str) -> String {
    format!("[[auth.issuer]]\nname = \"own\"\nissuer = \"https://id.example\"\n{lines}\n")
}

const KEYLESS: &str = "audiences = [\"hub\"]";

#[test]
fn all_of_an_issuer_is_read() {
    let settings = read(&issuer(
        "jwks_url = \"https://keys.example/set\"\nalgorithms = [\"ES256\"]\n\
         audiences = [\"a\", \"b\"]\nauthorized_parties = [\"web\"]\ntypes = [\"at+jwt\"]\n\
         subject_claim = \"uid\"\nrole_claims = [\"org.roles\"]\ngroup_claims = [\"groups\"]\n\
         cookies = [\"token\"]\nstream_life = \"2h\"\nqualify = true\ntrust_grants = true\n",
    ));
    let [issuer] = settings.auth.vouched.issuers.as_slice() else {
        panic!("one issuer");
    };
    let policy = &issuer.policy;
    assert_eq!(policy.name.to_string(), "own");
    assert_eq!(policy.issuer, "https://id.example");
    let Keys::Published(address) = &policy.keys else {
        panic!("published keys");
    };
    assert_eq!(address.to_string(), "https://keys.example/set");
    assert_eq!(policy.algorithms.len(), 1);
    assert_eq!(policy.audiences, ["a", "b"]);
    assert_eq!(policy.authorized_parties, ["web"]);
    assert_eq!(policy.types.names, ["at+jwt"]);
    assert!(!policy.types.or_none);
    let layout = &policy.layout;
    assert_eq!(layout.subject.to_string(), "uid");
    let roles = layout.roles.iter();
    let roles: Vec<_> = roles
        .map(|role| format!("{}{}", role.prefix, role.path))
        .collect();
    assert_eq!(roles, ["org.roles", "group:groups"]);
    assert!(layout.grants.is_some());
    let two_hours = Duration::from_secs(7_200);
    assert_eq!(policy.stream_life, StreamLife::Session(two_hours));
    assert!(policy.qualify);
    assert_eq!(issuer.cookies.len(), 1);
}

#[test]
fn an_issuer_grants_and_qualifies_nothing_by_itself() {
    let settings = read(&issuer(KEYLESS));
    let policy = &settings.auth.vouched.issuers[0].policy;
    assert!(policy.layout.grants.is_none());
    assert!(!policy.qualify);
    assert_eq!(policy.stream_life, StreamLife::WithToken);
    let order = ProviderName::ALL.map(|(provider, _)| provider);
    assert_eq!(settings.auth.order, order);
    assert!(settings.auth.secret.is_none());
    assert!(settings.auth.anonymous.is_none());
}

#[test]
fn keys_are_of_one_kind() {
    let key = "-----BEGIN PUBLIC KEY-----\\n\
        MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEVs/o5+uQbTjL3chynL4wXgUg2R9\\n\
        q9UU8I5mEovUf86QZ7kOBIjJwqnzD1omageEHWwHdBO6B+dFabmdT9POxg==\\n\
        -----END PUBLIC KEY-----";
    // An `iss` that is no address is one too, where no keys are fetched.
    let with = |lines: &str| {
        format!(
            "[[auth.issuer]]\nname = \"own\"\nissuer = \"my server\"\n{KEYLESS}\n\
             algorithms = [\"ES256\"]\n{lines}"
        )
    };
    let settings = read(&with(&format!("key = [\"{key}\", \"{key}\"]")));
    let Keys::Static(keys) = &settings.auth.vouched.issuers[0].policy.keys else {
        panic!("keys of the file");
    };
    assert_eq!(keys.len(), 2);
    let secret = format!("secret = \"{SECRET}\"");
    for (lines, second) in [
        (
            format!("jwks_url = \"https://id.example\"\nkey = \"{key}\""),
            "auth.issuer.key`: its keys are those of `jwks_url`",
        ),
        (
            format!("{secret}\nkey = \"{key}\""),
            "auth.issuer.secret`: its keys are those of `key`",
        ),
    ] {
        assert!(refused(&with(&lines)).contains(second), "{lines}");
    }
}

#[test]
fn what_is_wrong_with_an_issuer_is_said_with_its_line() {
    let own = |line: &str| issuer(&format!("{KEYLESS}\n{line}"));
    for (file, line, words) in [
        (
            "[[auth.issuer]]\nissuer = \"https://a\"\naudiences = [\"a\"]".into(),
            2,
            "has no `name`",
        ),
        ("[[auth.issuer]]\nname = \"a\"".into(), 2, "has no `issuer`"),
        (issuer(""), 2, "it needs an audience"),
        (own("preset = \"okta\""), 5, "it is none of clerk, auth0"),
        (
            own("jwks_url = \"http://id.example/keys\""),
            2,
            "the address of its keys",
        ),
        (own("algorithms = [\"none\"]"), 5, "auth.issuer.algorithms"),
        (own("audience = \"a\""), 5, "did you mean `audiences`?"),
        (own("stream_life = \"soon\""), 5, "auth.issuer.stream_life"),
        (
            own("qualify = \"yes\""),
            5,
            "it is neither `true` nor `false`: \"yes\"",
        ),
        (own("role_claims = [1]"), 5, "it is not a text"),
        (
            own("subject_claim = \"a..b\""),
            5,
            "auth.issuer.subject_claim",
        ),
        (
            own("secret_file = \"/nowhere/secret\""),
            5,
            "cannot read the file `/nowhere/secret`",
        ),
        (
            own("stream_life = \"8d\""),
            2,
            "its stream session is longer",
        ),
        ("[auth]\nissuer = 3".into(), 2, "is not a list of tables"),
        (
            issuer(KEYLESS).replace("\"own\"", "\"Own\""),
            2,
            "auth.issuer.name",
        ),
    ] {
        is_wrong(&file, line, words);
    }
    for (preset, missing) in [
        ("auth0", "it needs an audience"),
        ("keycloak", "it needs a client, a party or an audience"),
        ("cognito", "it needs the app client id"),
    ] {
        is_wrong(&issuer(&format!("preset = \"{preset}\"")), 4, missing);
    }
    for preset in ["clerk", "supabase"] {
        read(&issuer(&format!("preset = \"{preset}\"")));
    }
}

#[test]
fn all_faults_of_all_tables_are_said_at_once_and_drag_no_others() {
    let file = format!(
        "{}\n[[auth.session]]\nsecret = \"{SECRET}\"\n\n[auth.application]\nmethod = \"PUT\"\n\
         \n[[rule]]\nissuers = [\"own\"]\n\n[auth.anonymous]\nsubscrbe = [\"a\"]\n",
        issuer("stream_live = \"1h\"")
    );
    let shown = refused(&file);
    for words in [
        "it needs an audience",
        "did you mean `stream_life`?",
        "a `auth.session` has no `name`",
        "a `auth.application` has no `url`",
        "it is neither `GET` nor `POST`",
        "the rule grants nothing",
        "`auth.anonymous.subscribe`: nothing is granted",
        "did you mean `subscribe`?",
    ] {
        assert!(shown.contains(words), "no `{words}` in {shown}");
    }
    // Neither that there is no such issuer nor that nobody could log in.
    assert_eq!(shown.matches("error: ").count(), 8, "{shown}");
}

#[test]
fn a26_weak_secrets_and_mixed_algorithms_refuse() {
    let weak = "CANARY-0123456789";
    for file in [
        issuer(&format!("{KEYLESS}\nsecret = \"{weak}\"")),
        format!("[[auth.session]]\nname = \"s\"\nsecret = [\"{SECRET}\", \"{weak}\"]"),
        format!("[auth]\nsession_secret = \"{weak}\""),
        format!("[auth]\nsecret = \"{SECRET}\"\nprevious_secret = \"{weak}\""),
    ] {
        let shown = refused(&file);
        assert!(shown.contains("17 bytes"), "{shown}");
        assert!(shown.contains("hint: "), "{shown}");
        assert!(!shown.contains("CANARY"), "{shown}");
        assert_eq!(shown.matches("error: ").count(), 1, "{shown}");
    }
    let both = "algorithms = [\"RS256\", \"HS256\"]";
    for keys in [KEYLESS, &format!("{KEYLESS}\nsecret = \"{SECRET}\"")] {
        is_wrong(
            &issuer(&format!("{keys}\n{both}")),
            2,
            "beside those of public keys",
        );
    }
    let public = "secret = \"-----BEGIN PUBLIC KEY-----\\nCANARYCANARYCANARY\"";
    let shown = refused(&issuer(&format!("{KEYLESS}\n{public}")));
    assert!(shown.contains("its secret is a PEM text"), "{shown}");
    assert!(!shown.contains("CANARY"), "{shown}");
}

#[test]
fn a26_a_secret_file_that_everybody_can_read_is_warned_of() {
    let directory = tempdir().expect("a directory");
    let path = directory.path().join("secret");
    fs::write(&path, format!("{SECRET}\n")).expect("written");
    let line = format!("secret_file = {:?}", path.to_str().expect("UTF-8"));
    let files = [
        issuer(&format!("{KEYLESS}\n{line}")),
        format!("[[auth.session]]\nname = \"s\"\n{line}"),
    ];
    for (mode, warnings) in [(0o600, 0), (0o644, 1)] {
        fs::set_permissions(&path, Permissions::from_mode(mode)).expect("set");
        for file in &files {
            let settings = read(file);
            assert_eq!(settings.warnings.len(), warnings, "{:?}", settings.warnings);
        }
    }
}

#[test]
fn clerk_without_parties_is_warned_of() {
    let clerk = |more: &str| read(&issuer(&format!("preset = \"clerk\"\n{more}"))).warnings;
    assert!(clerk("")[0].contains("`authorized_parties`"));
    assert!(clerk("authorized_parties = [\"https://app.example\"]").is_empty());
}

#[test]
fn the_secret_of_sessions_comes_from_its_first_users_names() {
    let [own, auth, next] = ["own", "auth", "next"].map(|name| format!("{name}-{SECRET}"));
    let own = ("TIDINGS_AUTH_SESSION_SECRET", own.as_str());
    let auth = ("AUTH_SECRET", auth.as_str());
    let next = ("NEXTAUTH_SECRET", next.as_str());
    let secrets_of = |variables: &[(&str, &str)], file: &str| {
        let settings = resolve(file, variables, Layer::default(), false).expect("fine");
        let [session] = settings.auth.vouched.sessions.as_slice() else {
            panic!("one kind of sessions");
        };
        let secrets = session.policy.secrets.iter();
        let secrets: Vec<_> = secrets
            .map(|secret| String::from_utf8_lossy(secret.expose()).into_owned())
            .collect();
        (secrets.join(" "), settings.auth.secret.is_some())
    };
    assert_eq!(secrets_of(&[next, auth, own], "").0, own.1);
    assert_eq!(secrets_of(&[auth], ""), (auth.1.to_owned(), false));
    // The name of the older version also stands for the hub's own secret.
    assert_eq!(secrets_of(&[next], ""), (next.1.to_owned(), true));
    assert_eq!(secrets_of(&[next, auth], "").0, auth.1);
    let table = "[[auth.session]]\nname = \"s\"\n";
    assert_eq!(secrets_of(&[auth], table).0, auth.1);
    let two = format!("{table}secret = [\"{SECRET}-2\", \"{SECRET}-1\"]");
    let expected = format!("{SECRET}-2 {SECRET}-1");
    assert_eq!(secrets_of(&[auth], &two).0, expected);
}

#[test]
fn all_of_a_session_is_read_and_its_faults_are_said() {
    let settings = read(&format!(
        "[[auth.session]]\nname = \"portal\"\nsecret = \"{SECRET}\"\ncookies = [\"sid\"]\n\
         subject_claim = \"user.id\"\nrole_claims = [\"role\"]\nstream_life = \"1h\"\n\
         qualify = true\n"
    ));
    let policy = &settings.auth.vouched.sessions[0].policy;
    assert_eq!(policy.name.as_str(), "portal");
    assert_eq!(policy.cookie_names, ["sid"]);
    assert_eq!(policy.layout.subject.to_string(), "user.id");
    assert_eq!(policy.layout.roles.len(), 1);
    assert!(policy.qualify);
    assert_eq!(format!("{:?}", policy.stream_life), "Session(3600s)");
    let own = |line: &str| format!("[[auth.session]]\nname = \"s\"\nsecret = \"{SECRET}\"\n{line}");
    for (file, line, words) in [
        (
            "[[auth.session]]\nname = \"s\"".to_owned(),
            2,
            "has no secret",
        ),
        (
            own("cookies = [\"a b\"]"),
            2,
            "`auth.session` cannot be used",
        ),
        (own("cookies = []"), 2, "`auth.session` cannot be used"),
        (own("cookie = \"a\""), 4, "did you mean `cookies`?"),
        (
            own("stream_life = \"8d\""),
            4,
            "no stream lives longer than a week",
        ),
        (own("subject_claim = \"\""), 4, "auth.session.subject_claim"),
    ] {
        is_wrong(&file, line, words);
    }
}

#[test]
fn all_of_the_application_is_read_and_its_faults_are_said() {
    let own =
        |lines: &str| format!("[auth.application]\nurl = \"https://app.example/me\"\n{lines}\n");
    let settings = read(&own(
        "name = \"app\"\nmethod = \"POST\"\ncookies = [\"sid\"]\nheaders = [\"X-Session\"]\n\
         answer = \"session\"\nsubject_claim = \"id\"\nrole_claims = [\"r\"]\n\
         expiry_claim = \"until\"\ncache = \"10s\"\ntimeout = \"1s\"\nstream_life = \"5m\"\n",
    ));
    let application = settings.auth.vouched.application.expect("one");
    let policy = &application.policy;
    assert_eq!(policy.name.as_str(), "app");
    assert_eq!(policy.address.as_str(), "https://app.example/me");
    assert_eq!(policy.method, tidings_auth::fetch::FetchMethod::Post);
    assert_eq!((policy.cookies.len(), policy.headers.len()), (1, 1));
    assert_eq!(policy.headers, ["x-session"]);
    assert_eq!(policy.kept, Duration::from_secs(10));
    assert_eq!(policy.timeout, Duration::from_secs(1));
    assert_eq!(policy.life, Duration::from_secs(300));
    let shape = format!("{:?}", policy.shape);
    for name in ["id", "r", "until"] {
        assert!(shape.contains(&format!("\"{name}\"")), "{shape}");
    }
    let cookies = "cookies = [\"sid\"]\n";
    for (lines, line, words) in [
        (String::new(), 2, "0 names of cookies and headers"),
        (
            format!("{cookies}subject_claim = \"id\""),
            4,
            "add `answer = \"session\"`",
        ),
        (
            format!("{cookies}answer = \"json\""),
            4,
            "neither `native` nor `session`",
        ),
        (
            format!("{cookies}cach = \"1s\""),
            4,
            "did you mean `cache`?",
        ),
        (
            "headers = [\"Host\"]".to_owned(),
            2,
            "of this name is forwarded: `host`",
        ),
        (
            format!("{cookies}timeout = \"5m\""),
            2,
            "`timeout` is not within",
        ),
    ] {
        is_wrong(&own(&lines), line, words);
    }
    let plain = own(cookies).replace("https", "http");
    is_wrong(&plain, 2, "the address cannot be asked");
    read(&format!("{plain}allow_http = true"));
    is_wrong("[[auth.application]]\nurl = \"x\"", 1, "is not a table");
}

#[test]
fn subjects_are_qualified_beside_each_other() {
    let one = issuer(KEYLESS);
    let session = |more: &str| {
        format!("[[auth.session]]\nname = \"portal\"\nsecret = \"{SECRET}\"\n{more}\n")
    };
    let qualified = |file: &str| {
        let vouched = read(file).auth.vouched;
        let issuers = vouched.issuers.iter().map(|one| one.policy.qualify);
        let sessions = vouched.sessions.iter().map(|one| one.policy.qualify);
        let application = vouched.application.iter().map(|one| one.policy.qualify);
        issuers
            .chain(sessions)
            .chain(application)
            .collect::<Vec<_>>()
    };
    let application = "[auth.application]\nurl = \"https://app.example\"\ncookies = [\"sid\"]\n";
    assert_eq!(qualified(&one), [false]);
    assert_eq!(qualified(&session("")), [false]);
    assert_eq!(
        qualified(&format!("{one}{}{application}", session(""))),
        [true; 3]
    );
    let unqualified = session("qualify = false");
    assert_eq!(qualified(&format!("{one}{unqualified}")), [true, false]);
    let both = format!(
        "{}{unqualified}",
        issuer(&format!("{KEYLESS}\nqualify = false"))
    );
    is_wrong(
        &both,
        7,
        "people of `own` and of `portal` could be taken for each other",
    );
    // No subject without a name before it may look as if it had one.
    let settings = read(&format!("{one}{unqualified}"));
    let others = &settings.auth.vouched.sessions[0].policy.others;
    assert_eq!(
        others.iter().map(IssuerName::as_str).collect::<Vec<_>>(),
        ["own"]
    );
    let twice = format!("{one}{}", session("").replace("portal", "own"));
    is_wrong(&twice, 6, "the name `own` is there twice");
    let same = format!("{one}{}", one.replace("\"own\"", "\"other\""));
    is_wrong(&same, 6, "its `iss` is that of `own` too");
}

#[test]
fn there_are_as_many_tables_as_allowed() {
    let issuers = |count: usize| {
        let of = |index: usize| {
            let own = issuer(KEYLESS).replace("\"own\"", &format!("\"i{index}\""));
            own.replace("id.example", &format!("id{index}.example"))
        };
        (0..count).map(of).collect::<String>()
    };
    let sessions = |count: usize| {
        let of = |index: usize| {
            format!("[[auth.session]]\nname = \"s{index}\"\nsecret = \"{SECRET}\"\n")
        };
        (0..count).map(of).collect::<String>()
    };
    read(&issuers(ISSUERS_MAX));
    read(&sessions(SESSIONS_MAX));
    is_wrong(
        &issuers(ISSUERS_MAX + 1),
        1,
        "`auth.issuer` has more than 32 tables: 33",
    );
    is_wrong(
        &sessions(SESSIONS_MAX + 1),
        1,
        "`auth.session` has more than 8 tables: 9",
    );
}
