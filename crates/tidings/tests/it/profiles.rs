//! Settings of profiles: which endpoints there are for clients of other servers.

use tidings::settings::Settings;
use tidings::settings::limits::PROFILE_TABLES_MAX;

use crate::rules::{read, refused};

fn names(settings: &Settings) -> Vec<&str> {
    settings.profiles.names()
}

#[test]
fn all_built_in_profiles_are_on_unless_they_are_switched_off() {
    let all = [
        "native",
        "chat",
        "stories",
        "dashboard",
        "project",
        "portal",
    ];
    assert_eq!(names(&read("")), all);
    let fewer = read("[[profile]]\nname = \"chat\"\noff = true\n");
    assert_eq!(
        names(&fewer),
        ["native", "stories", "dashboard", "project", "portal"]
    );
    assert!(
        fewer.profiles.homes().is_empty(),
        "the chat's was the only one"
    );
    let shown = refused("[[profile]]\nname = \"chats\"\noff = true\n");
    assert!(
        shown.contains("no built-in profile of the name `chats`"),
        "{shown}"
    );
}

#[test]
fn all_of_a_profile_is_read() {
    let settings = read(
        "[[profile]]\nname = \"orders\"\npath = [\"/orders/{orderId}/stream\"]\n\
         greeting = \"open\"\nheartbeat = \"alive\"\nheartbeat_as = \"event_without_id\"\n\
         heartbeat_every = \"20s\"\nframe = \"envelope\"\ntokens = [\"jwt\"]\n\
         tickets = \"pass\"\ncookies = true\ntopics = \"order/{orderId}\"\n\
         disconnected = true\nrefusals = \"error\"\n\n\
         [[profile]]\nname = \"chat\"\npath = \"/chat\"\ntopics = \"team/{org.team}/**\"\n",
    );
    assert_eq!(
        names(&settings),
        [
            "native",
            "stories",
            "dashboard",
            "project",
            "portal",
            "orders",
            "chat"
        ]
    );
    assert_eq!(settings.profiles.homes(), [("chat", "team/{org.team}/**")]);
    assert_eq!(settings.profiles.dialects().len(), 6);
}

#[test]
fn what_is_wrong_with_a_profile_is_said_with_its_line_and_a_hint() {
    let good = "name = \"orders\"\npath = \"/orders\"\n";
    read(&format!("[[profile]]\n{good}"));
    for (lines, line, words) in [
        ("path = \"/orders\"", 2, "has no `name`"),
        ("name = \"orders\"", 2, "has no `path`"),
        ("name = \"Orders\"\npath = \"/orders\"", 2, "`a-z0-9_-`"),
        (
            "name = \"native\"\npath = \"/orders\"",
            2,
            "`native` is taken",
        ),
        ("name = \"o\"\npath = []", 3, "1 to 8 paths"),
        ("name = \"o\"\npath = \"orders\"", 3, "`/` and segments"),
        (
            "name = \"o\"\npath = \"/a/{b}/{c}\"",
            3,
            "one segment may be",
        ),
        (
            "name = \"o\"\npath = \"/o\"\ngreeting = \"a b\"",
            4,
            "only `A-Za-z0-9._:/-`",
        ),
        (
            "name = \"o\"\npath = \"/o\"\ngreeting = \"tidings.hello\"",
            4,
            "reserved",
        ),
        (
            "name = \"o\"\npath = \"/o\"\nheartbeat_as = \"ping\"",
            4,
            "it is none of `comment`",
        ),
        (
            "name = \"o\"\npath = \"/o\"\nheartbeat_every = \"2m\"",
            4,
            "1000 to 60000 ms",
        ),
        (
            "name = \"o\"\npath = \"/o\"\nframe = \"json\"",
            4,
            "neither `payload` nor",
        ),
        (
            "name = \"o\"\npath = \"/o\"\ntokens = [\"a\", \"a\"]",
            4,
            "each once",
        ),
        (
            "name = \"o\"\npath = \"/o\"\ntokens = \"a=b\"",
            4,
            "not the name of a parameter",
        ),
        (
            "name = \"o\"\npath = \"/o\"\ntopics = \"/a\"",
            4,
            "empty segment",
        ),
        (
            "name = \"o\"\npath = \"/o\"\ntopics = \"a/{b\"",
            4,
            "braces do not match",
        ),
        (
            "name = \"o\"\npath = \"/o/{b}\"\ntopics = \"a/{b}/{c}\"",
            4,
            "more than the one place",
        ),
        (
            "name = \"o\"\npath = \"/o\"\nrefusal = \"error\"",
            4,
            "did you mean `refusals`?",
        ),
        (
            "name = \"chat\"\noff = true\npath = \"/o\"",
            4,
            "unknown setting `profile.path`",
        ),
    ] {
        let shown = refused(&format!("[[profile]]\n{lines}\n"));
        assert!(shown.contains(words), "{lines}: {shown}");
        assert!(
            shown.contains(&format!("tidings.toml:{line}")),
            "{lines}: {shown}"
        );
    }
}

#[test]
fn profiles_do_not_stand_in_each_others_way() {
    let profile =
        |name: &str, path: &str| format!("[[profile]]\nname = \"{name}\"\npath = \"{path}\"\n");
    for (path, other) in [
        ("/v1/stream", "/v1/stream"),
        ("/v1/{any}", "/v1/events"),
        ("/healthz", "/healthz"),
        ("/api/sse", "/api/sse"),
        (
            "/api/projects/{id}/stream",
            "/api/projects/{projectId}/stream",
        ),
    ] {
        let shown = refused(&profile("orders", path));
        assert!(
            shown.contains(&format!("is taken by `{other}`")),
            "{path}: {shown}"
        );
    }
    let off = "[[profile]]\nname = \"dashboard\"\noff = true\n";
    read(&format!("{off}{}", profile("orders", "/api/sse")));
    let twice = refused(&format!("{}{}", profile("a", "/a"), profile("a", "/b")));
    assert!(twice.contains("two `profile` of the name `a`"), "{twice}");
}

#[test]
fn there_are_as_many_profiles_as_allowed() {
    let profile = |n: usize| format!("[[profile]]\nname = \"p{n}\"\npath = \"/p{n}\"\n");
    let many = |count: usize| (0..count).map(profile).collect::<String>();
    assert_eq!(
        names(&read(&many(PROFILE_TABLES_MAX))).len(),
        PROFILE_TABLES_MAX + 6
    );
    let shown = refused(&many(PROFILE_TABLES_MAX + 1));
    assert!(
        shown.contains("`profile` has more than 32 tables: 33"),
        "{shown}"
    );
}
