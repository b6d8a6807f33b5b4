//! What `/metrics` answers, and the list of it that people read.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use super::*;

/// Every figure, each family with a series: one without is not written.
fn all() -> String {
    let mut metrics = Metrics::without_hub();
    metrics.collect(Figures::default, || 0);
    let (route, status): (Arc<str>, _) = ("/v1/stream".into(), "2xx");
    metrics
        .requests
        .get_or_create(&RequestLabels {
            route: Arc::clone(&route),
            method: "GET",
            status,
        })
        .inc();
    metrics
        .answer_seconds
        .get_or_create(&RouteLabels { route })
        .observe(0.0);
    metrics
        .credentials_refused
        .get_or_create(&CauseLabels { cause: "expired" })
        .inc();
    let limit = LimitLabels { limit: "requests" };
    metrics.rate_limited.get_or_create(&limit).inc();
    metrics.rates_uncounted.get_or_create(&limit).inc();
    let outcome = HandshakeLabels {
        outcome: "completed",
    };
    metrics
        .operation
        .tls_handshakes
        .get_or_create(&outcome)
        .inc();
    let counted = (Census::default(), Lag::default());
    metrics.write(Some(counted)).expect("text")
}

#[test]
fn the_names_of_all_metrics() {
    let text = all();
    let names: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("# TYPE"))
        .collect();
    insta::assert_snapshot!(names.join("\n"));
}

/// A line of the list for each figure: its name as Prometheus stores it, its kind, its labels and what
/// it means.
fn rows(text: &str) -> Vec<String> {
    let mut rows = Vec::new();
    for help in text.lines().filter_map(|line| line.strip_prefix("# HELP ")) {
        let (name, meaning) = help.split_once(' ').expect("a meaning");
        let kind = format!("# TYPE {name} ");
        let kind = text.lines().find_map(|line| line.strip_prefix(&kind));
        let kind = kind.expect("a kind");
        let total = if kind == "counter" { "_total" } else { "" };
        let mut labels = BTreeSet::new();
        for line in text.lines().filter(|line| line.starts_with(name)) {
            let Some((series, set)) = line.split_once('{') else {
                continue;
            };
            let rest = series.strip_prefix(name).unwrap_or_default();
            if !["", "_total", "_bucket", "_sum", "_count"].contains(&rest) {
                continue;
            }
            let (set, _) = set.split_once('}').expect("a closing brace");
            let names = set.split("\",").filter_map(|label| label.split_once('='));
            labels.extend(names.map(|(name, _)| format!("`{name}`")));
        }
        // A bound of a histogram is no label that anybody chose.
        labels.remove("`le`");
        let labels: Vec<String> = labels.into_iter().collect();
        let (labels, meaning) = (labels.join(", "), meaning.trim_end_matches('.'));
        rows.push(format!(
            "| `{name}{total}` | {kind} | {labels} | {meaning} |"
        ));
    }
    rows.sort();
    rows
}

const BEGIN: &str = "<!-- the figures: written by a test -->\n";
const END: &str = "<!-- end of the figures -->\n";

#[test]
fn the_list_of_metrics_is_what_the_program_answers() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/METRICS.md");
    let list = std::fs::read_to_string(&path).expect("the list");
    let (before, rest) = list.split_once(BEGIN).expect("where they begin");
    let (_, after) = rest.split_once(END).expect("where they end");
    let mut written =
        format!("{before}{BEGIN}\n| name | kind | labels | is |\n|---|---|---|---|\n");
    for row in rows(&all()) {
        writeln!(written, "{row}").expect("text");
    }
    written = format!("{written}\n{END}{after}");
    if std::env::var_os("TIDINGS_WRITE_METRICS").is_some() {
        std::fs::write(&path, &written).expect("written");
    }
    let is_current = list == written || std::env::var_os("TIDINGS_WRITE_METRICS").is_some();
    assert!(
        is_current,
        "docs/METRICS.md is out of date; run this test with TIDINGS_WRITE_METRICS=1"
    );
}

#[test]
fn every_label_of_the_list_has_its_values_in_it() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/METRICS.md");
    let list = std::fs::read_to_string(path).expect("the list");
    let (_, rest) = list.split_once("## Labels").expect("where they begin");
    let words = tidings_hub::Cause::WORDS.into_iter();
    let states = tidings_hub::ConnectionState::ALL.map(tidings_hub::ConnectionState::as_str);
    let transports = tidings_hub::Transport::ALL.map(tidings_hub::Transport::as_str);
    let results = tidings_core::start::Replay::ALL.map(tidings_core::start::Replay::as_str);
    for word in words.chain(states).chain(transports).chain(results) {
        assert!(rest.contains(&format!("`{word}`")), "{word}");
    }
    for row in rows(&all()) {
        let labels = row.split('|').nth(3).expect("labels");
        for label in labels
            .split(',')
            .map(str::trim)
            .filter(|label| !label.is_empty())
        {
            assert!(rest.contains(&format!("\n| {label} ")), "{label}");
        }
    }
}

#[test]
fn a_made_up_method_is_no_new_series() {
    let method = http::Method::from_bytes(b"BREW").expect("method");
    assert_eq!(method_label(&method), "other");
    assert_eq!(status_class(http::StatusCode::PAYLOAD_TOO_LARGE), "4xx");
}
