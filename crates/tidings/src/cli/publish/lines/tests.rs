//! Lines as events.

use super::*;

fn shape() -> Shape {
    Shape {
        name: "f".to_owned(),
        topics: vec![Topic::parse("all").expect("a topic")],
        event_type: Some(EventType::parse("line").expect("a type")),
        type_field: Some(FieldPath::parse("type").expect("a field")),
        topic_templates: vec![Template::parse("repo/{repo}").expect("a template")],
        id_field: None,
    }
}

fn read(text: &str, shape: Shape) -> Vec<Line> {
    let mut events = LineEvents::new(BufReader::new(text.as_bytes()), shape);
    let mut lines = Vec::new();
    while let Some(line) = events.next_line().expect("memory can be read") {
        lines.push(line);
    }
    lines
}

fn event(line: &Line) -> Value {
    let text = line.event.as_ref().expect("an event");
    serde_json::from_str(text).expect("JSON")
}

#[test]
fn a_line_becomes_an_event_with_type_topics_and_data() {
    let text = "{\"type\":\"Push\",\"repo\":\"a/b\",\"n\": 1.0}\n\n  \r\n{\"repo\":\"c\"}";
    let lines = read(text, shape());
    assert_eq!(
        lines.iter().map(|line| line.number).collect::<Vec<_>>(),
        [1, 4]
    );
    let first = event(&lines[0]);
    assert_eq!(first["type"], "Push");
    assert_eq!(first["topics"], json!(["all", "repo/a/b"]));
    assert_eq!(event(&lines[1])["type"], "line");
    let sent = lines[0].event.as_ref().expect("an event");
    assert!(sent.contains("\"n\": 1.0"), "the data is untouched: {sent}");
    assert_eq!(
        lines.iter().map(|line| line.bytes).sum::<u64>() + 5,
        text.len() as u64
    );
}

#[test]
fn derived_ids_are_the_same_again_and_differ_by_line_content_and_file() {
    let text = "{\"repo\":\"a\"}\n{\"repo\":\"a\"}\n{\"repo\":\"b\"}\n";
    let ids = |name: &str| -> Vec<String> {
        let mut shape = shape();
        shape.name = name.to_owned();
        let lines = read(text, shape);
        lines
            .iter()
            .map(|line| event(line)["id"].to_string())
            .collect()
    };
    assert_eq!(ids("f"), ids("f"));
    let mut all = [ids("f"), ids("g")].concat();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 6);
    let id = all[0].trim_matches('"');
    EventId::parse(id).expect("an id that the hub takes");
}

#[test]
fn an_id_field_is_the_id() {
    let mut shape = shape();
    shape.id_field = Some(FieldPath::parse("id").expect("a field"));
    let lines = read(
        "{\"repo\":\"a\",\"id\":12345}\n{\"repo\":\"a\"}\n{\"repo\":\"a\",\"id\":\"x y\"}",
        shape,
    );
    assert_eq!(event(&lines[0])["id"], "12345");
    assert!(
        lines[1]
            .event
            .as_ref()
            .expect_err("absent")
            .contains("`id`")
    );
    assert!(
        lines[2]
            .event
            .as_ref()
            .expect_err("no id")
            .contains("`x y`")
    );
}

#[test]
fn a_line_that_is_no_event_says_why_and_the_next_ones_go_on() {
    let long = format!("{{\"repo\":\"{}\"}}", "x".repeat(NDJSON_LINE_BYTES_MAX));
    let text = format!(
        "nonsense\n{{}}\n{{\"repo\":\"a\",\"type\":\"b c\"}}\n{long}\n{{\"repo\":\"a\"}}\n"
    );
    let lines = read(&text, shape());
    let problems: Vec<&str> = lines
        .iter()
        .filter_map(|line| line.event.as_ref().err().map(String::as_str))
        .collect();
    assert_eq!(problems.len(), 4, "{problems:?}");
    assert!(problems[1].contains("`repo`"));
    assert!(problems[2].contains("`b c`"));
    assert!(problems[3].contains("bytes"));
    assert_eq!(event(&lines[4])["topics"][1], "repo/a");
    assert_eq!(lines[4].number, 5);
}
