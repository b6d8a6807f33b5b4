//! `tidings bench` against a real hub, and against hubs that lose, repeat and mix up events.

mod faulty_hub;

use std::thread;

use serde_json::Value;
use tempfile::{TempDir, tempdir};
use tidings_testkit::program::{Program, Running};

use crate::program::{Ran, run};
use faulty_hub::{Fault, FaultyHub};

/// A hub that admits what a test opens, and a token for everything on `bench/**`.
struct Stand {
    folder: TempDir,
    hub: Running,
    token: String,
}

impl Stand {
    fn new(connections: &str) -> Self {
        Self::with_log(connections, "embedded")
    }

    fn with_log(connections: &str, kind: &str) -> Self {
        Self::with(connections, ("TIDINGS_LOG_KIND", kind))
    }

    fn with(connections: &str, (name, value): (&str, &str)) -> Self {
        let folder = tempdir().expect("a directory");
        let program = Program::new(env!("CARGO_BIN_EXE_tidings"), folder.path())
            .with_setting("TIDINGS_LIMITS_CONNECTIONS_PER_IDENTITY", connections)
            .with_setting(name, value);
        let hub = program
            .start("127.0.0.1:0".parse().expect("an address"))
            .expect("a hub");
        let token = program
            .token(
                "load",
                &["--subscribe", "bench/**", "--publish", "bench/**"],
            )
            .expect("a token");
        Self { folder, hub, token }
    }

    fn bench(&self, scenario: &str, arguments: &str) -> Ran {
        let url = format!("http://{}", self.hub.address);
        let variables = [
            ("TIDINGS_URL", url.as_str()),
            ("TIDINGS_TOKEN", &self.token),
        ];
        let mut all = vec!["bench", scenario, "--json", "--warm-up", "100ms"];
        all.extend(arguments.split_whitespace());
        run(self.folder.path(), &variables, &all)
    }

    /// The report of a load that found nothing wrong.
    fn report(&self, scenario: &str, arguments: &str) -> Value {
        let ran = self.bench(scenario, arguments);
        assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{}", ran.out);
        serde_json::from_str(&ran.out).expect("JSON")
    }
}

fn number(report: &Value, name: &str) -> u64 {
    report[name].as_u64().expect(name)
}

#[test]
fn every_reader_of_a_broadcast_sees_every_event() {
    let stand = Stand::new("100");
    for arguments in [
        "--readers 5 --publishers 2 --duration 300ms",
        "--readers 5 --publishers 2 --duration 300ms --rate 200 --source-addresses 2",
        "--readers 5 --publishers 2 --duration 300ms --batch 10 --processes 2",
    ] {
        let report = stand.report("broadcast", arguments);
        let published = number(&report, "published");
        assert!(published > 0, "{report}");
        assert_eq!(number(&report, "delivered"), published * 5, "{report}");
        assert!(report["deliveryMs"]["p50"].as_f64().expect("timed") > 0.0);
    }
    let ran = stand.bench("broadcast", "--readers 1 --topic elsewhere");
    assert_eq!(ran.code, Some(1), "{}", ran.out);
    assert!(
        ran.err.contains("403") && ran.err.contains("hint: "),
        "{}",
        ran.err
    );
}

#[test]
fn events_on_many_topics_reach_the_readers_of_each() {
    let stand = Stand::new("100");
    let load = "--readers 8 --publishers 3 --duration 300ms";
    let unicast = stand.report("unicast", load);
    assert_eq!(number(&unicast, "topics"), 8);
    assert_eq!(number(&unicast, "delivered"), number(&unicast, "published"));
    let topics = stand.report("topics", &format!("{load} --topics 4 --batch 8"));
    assert_eq!(
        number(&topics, "delivered"),
        2 * number(&topics, "published")
    );
}

#[test]
fn returning_readers_get_what_they_have_missed() {
    let stand = Stand::new("100");
    let report = stand.report("herd", "--readers 6 --events 50 --processes 2");
    assert_eq!(number(&report, "published"), 51);
    assert_eq!(number(&report, "delivered"), 6 * 51);
    assert_eq!(report["herd"]["eventsMissed"], 50);
}

#[test]
fn idle_streams_and_connects_are_counted_and_the_hub_is_measured() {
    let stand = Stand::new("100");
    let measured = format!("--duration 300ms --server-pid {}", stand.hub.pid());
    let idle = stand.report("idle", &format!("{measured} --readers 20"));
    assert!(idle["idle"]["serverBytesHeld"].as_f64().expect("measured") > 0.0);
    let storm = stand.report("storm", &format!("{measured} --readers 4"));
    assert!(number(&storm["storm"], "connects") > 4, "{storm}");
    assert_eq!(number(&storm["storm"], "failed"), 0);
    assert_eq!(number(&storm, "delivered"), 0);
}

#[test]
fn a_hub_with_a_log_in_memory_delivers_and_replays_and_writes_no_log() {
    let stand = Stand::with_log("100", "memory");
    let report = stand.report("herd", "--readers 3 --events 20");
    assert_eq!(number(&report, "delivered"), 3 * 21);
    assert!(!stand.folder.path().join("data/log").exists());
}

#[test]
fn readers_that_stopped_get_everything_when_they_read_on() {
    let stand = Stand::new("100");
    let load = "--readers 10 --stopped 20 --rate 500 --duration 300ms --event-bytes 2000";
    let report = stand.report("slow", load);
    assert_eq!(number(&report["slow"], "stopped"), 2);
    assert_eq!(
        number(&report, "delivered"),
        10 * number(&report, "published")
    );
}

#[test]
fn readers_that_the_hub_does_not_admit_are_an_error_that_says_why() {
    let ran = Stand::new("2").bench("broadcast", "--readers 3");
    assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""));
    for part in ["only 2 of 3 readers", "too_many_connections", "hint: "] {
        assert!(ran.err.contains(part), "{part}: {}", ran.err);
    }
}

#[test]
fn command_lines_that_make_no_load_are_refused_with_a_hint() {
    let folder = tempdir().expect("a directory");
    for (arguments, problem) in [
        ("unicast --topic bench/one", "the same name"),
        ("--batch 2 --publish-body tidings", "only `ndjson`"),
        ("--url https://localhost", "http://"),
        ("--server-pid 4294967295", "no process"),
        ("--url http://127.0.0.1:1", "refused"),
    ] {
        let mut all = vec!["bench"];
        all.extend(arguments.split_whitespace());
        let ran = run(folder.path(), &[], &all);
        assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""), "{arguments}");
        assert!(ran.err.contains(problem), "{problem}: {}", ran.err);
        assert!(ran.err.contains("hint: "), "{}", ran.err);
    }
}

#[test]
fn a_hub_that_loses_repeats_or_mixes_up_events_fails_the_load() {
    for (fault, field, problem) in [
        (Fault::None, "", ""),
        (Fault::Lose, "missing", "not every reader saw every event"),
        (Fault::Repeat, "repeated", "more than once"),
        (Fault::MixUp, "outOfOrder", "out of order"),
        (Fault::Refuse, "refused", ""),
    ] {
        let folder = tempdir().expect("a directory");
        let hub = FaultyHub::start(fault);
        let subscribe = format!("{}/sub/{{topic}}", hub.url);
        let publish = format!("{}/pub/{{topic}}", hub.url);
        // Only what is lost is waited for in vain.
        let patience = match fault {
            Fault::Lose => "--patience=3s",
            _ => "--patience=30s",
        };
        let arguments = [
            "bench",
            "--json",
            "--readers=3",
            "--publishers=1",
            "--rate=200",
            "--duration=300ms",
            "--warm-up=0s",
            patience,
            "--subscribe-url",
            &subscribe,
            "--publish-url",
            &publish,
        ];
        let ran = run(folder.path(), &[], &arguments);
        let report: Value = serde_json::from_str(&ran.out).expect("JSON");
        for name in ["missing", "repeated", "outOfOrder", "refused"] {
            let expected = if name == field { hub.faults() } else { 0 };
            assert_eq!(
                number(&report, name),
                expected,
                "{name} of {fault:?}: {report}"
            );
        }
        assert_eq!(hub.faults() > 0, fault != Fault::None, "{fault:?}");
        if problem.is_empty() {
            // What a hub says that it did not take is not lost.
            assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
        } else {
            assert_eq!(ran.code, Some(1), "{fault:?}");
            assert!(ran.err.contains(problem), "{fault:?}: {}", ran.err);
        }
    }
}

#[test]
fn n4_readers_that_are_given_up_while_they_have_stopped_come_back_for_everything() {
    let stand = Stand::with("100", ("TIDINGS_STREAMS_SLOW_READER", "1s"));
    // So few and so large that a busy machine, too, fills the sockets of those that stop in time.
    let load =
        "--readers 8 --stopped 50 --publishers 1 --rate 50 --event-bytes 200000 --duration 5s";
    let report = stand.report("slow", load);
    let published = number(&report, "published");
    assert_eq!(number(&report, "delivered"), published * 8, "{report}");
    assert!(
        number(&report, "interrupted") >= 4,
        "nobody was given up: {report}"
    );
}

#[test]
fn publishes_and_idle_streams_go_over_http2() {
    let stand = Stand::new("100");
    for arguments in [
        "--publishers 3",
        "--publishers 2 --batch 1000 --event-bytes 200",
    ] {
        let load = format!("--http2 --readers 4 --duration 300ms {arguments}");
        let report = stand.report("broadcast", &load);
        let published = number(&report, "published");
        assert!(published > 0, "{report}");
        assert_eq!(number(&report, "delivered"), published * 4, "{report}");
    }
    for (streams, connections) in [(1, 25), (10, 3)] {
        let load = format!("--http2 --readers 25 --streams {streams} --duration 300ms");
        let report = stand.report("idle", &load);
        assert_eq!(report["idle"]["connections"], connections, "{report}");
    }
    let ran = stand.bench("idle", "--http2 --readers 101 --streams 50 --duration 1s");
    assert_eq!(ran.code, Some(1), "{}", ran.out);
    assert!(ran.err.contains("429"), "{}", ran.err);
}

#[test]
fn readers_of_a_hub_that_restarts_come_back_at_their_own_time_and_miss_nothing() {
    let folder = tempdir().expect("a directory");
    let program = Program::new(env!("CARGO_BIN_EXE_tidings"), folder.path())
        .with_setting("TIDINGS_DRAIN_SPREAD", "1s")
        .with_setting("TIDINGS_DRAIN_GRACE", "2s");
    let hub = program
        .start("127.0.0.1:0".parse().expect("an address"))
        .expect("a hub");
    let grants = ["--subscribe", "bench/**", "--publish", "bench/**"];
    let token = program.token("load", &grants).expect("a token");
    let address = hub.address;
    let arguments = format!("--readers 20 --events 7 --server-pid {}", hub.pid());
    let watch = thread::spawn(move || {
        hub.wait().expect("it ends when it is told to");
        program.start(address).expect("a hub")
    });
    let url = format!("http://{address}");
    let variables = [("TIDINGS_URL", url.as_str()), ("TIDINGS_TOKEN", &token)];
    let mut all = vec!["bench", "restart", "--json"];
    all.extend(arguments.split_whitespace());
    let ran = run(folder.path(), &variables, &all);
    let again = watch.join().expect("a hub");
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{}", ran.out);
    let report: Value = serde_json::from_str(&ran.out).expect("JSON");
    assert_eq!(number(&report, "published"), 8);
    assert_eq!(number(&report, "delivered"), 20 * 8, "{report}");
    assert_eq!(number(&report, "interrupted"), 20, "{report}");
    let restart = &report["restart"];
    assert_eq!(
        (number(restart, "unasked"), number(restart, "absent")),
        (0, 0)
    );
    let each = restart["back"]["counts"].as_array().expect("seconds");
    let back: u64 = each.iter().filter_map(Value::as_u64).sum();
    assert_eq!(back, 20, "{restart}");
    again.kill().expect("it runs");
}
