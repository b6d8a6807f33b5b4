//! Settings that change while the hub runs: `SIGHUP` to the real program.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;

use tempfile::{TempDir, tempdir};

use crate::asking::{Reading, ask, bearer, status};
use crate::program::run;
use crate::running::{Hub, PATIENCE};

const FIRST: &str = "the first secret, of more than 32 bytes";
const SECOND: &str = "the second secret, of more than 32 bytes";

const TAKEN: &str = "the settings have been read again, and are in force";
const REFUSED: &str = "the settings cannot be used; those before stay in force";

/// A hub with settings that are written again and again.
struct World {
    directory: TempDir,
    hub: Hub,
    read: usize,
}

impl World {
    fn start(settings: &str) -> Self {
        let directory = tempdir().expect("a directory");
        write(directory.path(), settings);
        let hub = Hub::serve(directory.path(), &[]);
        Self {
            directory,
            hub,
            read: 0,
        }
    }

    /// Has the hub read other settings, and waits until they are in force.
    fn reload(&mut self, settings: &str) {
        write(self.directory.path(), settings);
        self.hub.signal("HUP");
        self.read += 1;
        let lines = self.hub.logged_at_least(self.read, TAKEN);
        assert_eq!(lines.len(), self.read, "{}", self.hub.written());
    }

    /// A token by which `me` may read and publish below `a`.
    fn token(&self) -> String {
        let arguments = [
            "token",
            "--sub",
            "me",
            "--publish",
            "a/**",
            "--subscribe",
            "a/**",
        ];
        let ran = run(self.directory.path(), &[], &arguments);
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        ran.out.trim().to_owned()
    }

    fn status(&self, line: &str, token: &str) -> u16 {
        let (name, value) = bearer(token);
        status(&self.hub, line, &[(name, &value)], "")
    }

    fn stream(&self, token: &str) -> Reading {
        let (name, value) = bearer(token);
        Reading::stream(&self.hub, "topics=a/**", &[(name, &value)])
    }

    fn publish(&self, token: &str) {
        let (name, value) = bearer(token);
        let event = r#"{"type":"t","topics":["a/1"],"data":7}"#;
        let answer = ask(&self.hub, "POST /v1/events", &[(name, &value)], event);
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }
}

fn write(directory: &Path, settings: &str) {
    fs::write(directory.join("tidings.toml"), settings).expect("written");
}

fn secrets(now: &str, before: Option<&str>) -> String {
    let previous = before.map_or(String::new(), |secret| {
        format!("previous_secret = {secret:?}\n")
    });
    format!("[auth]\nsecret = {now:?}\n{previous}")
}

const PAGE: &str = "GET /v1/events?topics=a/**";

#[test]
fn a_secret_is_rotated_without_a_moment_in_which_a_good_token_is_refused() {
    let mut world = World::start(&secrets(FIRST, None));
    let old = world.token();
    let mut stream = world.stream(&old);
    assert!(stream.is_open(), "{}", stream.text);

    world.reload(&secrets(SECOND, Some(FIRST)));
    let new = world.token();
    for token in [&old, &new] {
        assert_eq!(world.status(PAGE, token), 200);
    }
    world.reload(&secrets(SECOND, None));
    assert_eq!(world.status(PAGE, &old), 401);
    // What was opened before goes on until its credential ends, or is revoked.
    world.publish(&new);
    stream.until("\"data\":7");
    let figure = "tidings_reloads_total{outcome=\"taken\"}";
    assert_eq!(world.hub.figure(figure), 2);
}

#[test]
fn origins_come_and_go() {
    let with = |origins: &str| format!("{}[cors]\norigins = [{origins}]\n", secrets(FIRST, None));
    let mut world = World::start(&with(""));
    let token = world.token();
    let allowed = |world: &World| {
        let (name, value) = bearer(&token);
        let headers = [(name, value.as_str()), ("origin", "https://app.example")];
        let answer = ask(&world.hub, PAGE, &headers, "");
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        answer.contains("access-control-allow-origin: https://app.example")
    };
    assert!(!allowed(&world));
    world.reload(&with("\"https://app.example\""));
    assert!(allowed(&world));
    world.reload(&with("\"https://other.example\""));
    assert!(!allowed(&world));
}

#[test]
fn rates_and_numbers_of_connections_change_and_what_is_there_stays() {
    let with = |limits: &str| format!("{}[limits]\n{limits}\n", secrets(FIRST, None));
    let mut world = World::start(&with("connections_per_identity = 3"));
    let token = world.token();
    let tickets = |world: &World| world.status("POST /v1/tickets", &token);
    let streams: Vec<Reading> = (0..3).map(|_| world.stream(&token)).collect();
    assert!(streams.iter().all(Reading::is_open));
    assert!(!world.stream(&token).is_open());
    assert_eq!([(); 3].map(|()| tickets(&world)), [200; 3]);

    world.reload(&with(
        "connections_per_identity = 1\ntickets_per_identity_per_minute = 1",
    ));
    assert_eq!(tickets(&world), 429);
    assert!(!world.stream(&token).is_open());
    assert_eq!(world.hub.figure("tidings_hub_connections"), 3, "all stay");

    world.reload(&with("connections_per_identity = 4"));
    assert!(world.stream(&token).is_open());
    assert_eq!(tickets(&world), 200);

    // Those of the process, of which some are no streams.
    world.reload(&with("connections = 1"));
    let mut answer = String::new();
    let mut herd: Vec<TcpStream> = Vec::new();
    while !answer.starts_with("HTTP/1.1 503 ") {
        assert!(herd.len() < 2_000, "there is no end of places");
        let mut socket = TcpStream::connect(world.hub.address).expect("the hub listens");
        if herd.len() >= 1_000 {
            socket.set_read_timeout(Some(PATIENCE)).expect("set");
            let line = b"GET /healthz HTTP/1.1\r\nhost: h\r\n\r\n";
            socket.write_all(line).expect("sent");
            let mut some = [0; 512];
            let count = socket.read(&mut some).expect("an answer");
            answer = String::from_utf8_lossy(&some[..count]).into_owned();
        }
        herd.push(socket);
    }
}

#[test]
fn a_rule_that_is_gone_grants_nothing_any_more_to_what_begins_later() {
    let rule = "[[rule]]\nsubjects = [\"you\"]\nsubscribe = [\"a/**\"]\npublish = [\"a/**\"]\n";
    let mut world = World::start(&(secrets(FIRST, None) + rule));
    let minted = run(world.directory.path(), &[], &["token", "--sub", "you"]);
    let token = minted.out.trim().to_owned();
    let mut stream = world.stream(&token);
    assert!(stream.is_open(), "{}", stream.text);

    // A request that has begun keeps what it began with: this one is amid its body.
    let mut lines = TcpStream::connect(world.hub.address).expect("the hub listens");
    lines.set_read_timeout(Some(PATIENCE)).expect("set");
    let event = |data: u8| format!("{{\"type\":\"t\",\"topics\":[\"a/1\"],\"data\":{data}}}\n");
    let head = format!(
        "POST /v1/events HTTP/1.1\r\nhost: h\r\nauthorization: Bearer {token}\r\n\
         content-type: application/x-ndjson\r\ncontent-length: {}\r\n\r\n{}",
        2 * event(1).len(),
        event(1)
    );
    lines.write_all(head.as_bytes()).expect("sent");
    stream.until("\"data\":1");

    world.reload(&secrets(FIRST, None));
    assert_eq!(world.status(PAGE, &token), 403);
    let (name, value) = bearer(&token);
    let publish = status(
        &world.hub,
        "POST /v1/events",
        &[(name, &value)],
        event(3).trim(),
    );
    assert_eq!(publish, 403);

    lines.write_all(event(2).as_bytes()).expect("sent");
    let mut answer = String::new();
    while answer.matches("\"cursor\"").count() < 2 {
        let mut some = [0; 512];
        let count = lines.read(&mut some).expect("an answer");
        assert!(count > 0, "{answer}");
        answer += &String::from_utf8_lossy(&some[..count]);
    }
    assert!(!answer.contains("error"), "{answer}");
    stream.until("\"data\":2");
}

#[test]
fn settings_with_a_mistake_change_nothing_and_all_that_is_wrong_is_told() {
    let mut world = World::start(&secrets(FIRST, None));
    let old = world.token();
    for (round, wrong) in [
        "[auth]\nsecret = \"short\"\n[limits]\nconnections = 0\n[cors]\norigin = 1\n",
        "[auth\n",
        "[auth]\nsecret_file = \"/nowhere/secret\"\n",
    ]
    .into_iter()
    .enumerate()
    {
        write(world.directory.path(), wrong);
        world.hub.signal("HUP");
        assert_eq!(
            world.hub.logged_at_least(round + 1, REFUSED).len(),
            round + 1
        );
        assert_eq!(world.status(PAGE, &old), 200);
    }
    for words in [
        "unknown setting `cors.origin`",
        "`limits.connections` is out of range: 0",
        "the secret has 5 bytes",
        "it is not TOML",
        "/nowhere/secret",
    ] {
        assert!(
            !world.hub.logged(words).is_empty(),
            "no `{words}` in {}",
            world.hub.written()
        );
    }
    let refused = "tidings_reloads_total{outcome=\"refused\"}";
    assert_eq!(world.hub.figure(refused), 3);
    let good_at = world.hub.figure("tidings_reloaded_timestamp_seconds");
    assert!(good_at > 0);
    world.reload(&secrets(SECOND, None));
    assert_eq!(world.status(PAGE, &old), 401);
    assert!(world.hub.figure("tidings_reloaded_timestamp_seconds") >= good_at);
}

#[test]
fn what_needs_a_restart_is_named_and_the_rest_is_taken_over() {
    let mut world = World::start(&secrets(FIRST, None));
    let old = world.token();
    let profile = "[[profile]]\nname = \"orders\"\npath = \"/orders/stream\"\n";
    let restart = format!(
        "data_dir = \"elsewhere\"\n{}[retention]\nage = \"7d\"\n{profile}",
        secrets(SECOND, None)
    );
    world.reload(&restart);
    for name in ["retention.age", "profile"] {
        let words = format!("`{name}` is set otherwise than at the start, which needs a restart");
        assert_eq!(world.hub.logged(&words).len(), 1, "{}", world.hub.written());
    }
    let needs = "needs a restart";
    // A flag is stronger than the file, before and after.
    assert_eq!(world.hub.logged(needs).len(), 2, "{}", world.hub.written());
    assert_eq!(world.status(PAGE, &old), 401);
    assert_eq!(world.status("GET /orders/stream", &world.token()), 404);
    // Compared with the start and not with the last time.
    world.reload(&secrets(SECOND, None));
    assert_eq!(world.hub.logged(needs).len(), 2, "{}", world.hub.written());
}
