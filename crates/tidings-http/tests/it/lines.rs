//! NDJSON: answered line by line, while the body still arrives.

use crate::client::{Request, Stream};
use crate::world::World;

fn line(topic: &str, data: u64) -> String {
    format!("{{\"type\":\"t\",\"topics\":[\"{topic}\"],\"data\":{data}}}\n")
}

fn whole(body: &str) -> Request {
    Request::post("/v1/events")
        .bearer("writer")
        .body("application/x-ndjson", body)
}

fn chunk(text: &str) -> Vec<u8> {
    format!("{:x}\r\n{text}\r\n", text.len()).into_bytes()
}

/// Begins a chunked body with this first piece, and waits for the head of the answer.
async fn begin(world: &World, token: &str, first: &str) -> Stream {
    let request = Request::post("/v1/events")
        .bearer(token)
        .header("content-type", "application/x-ndjson")
        .header("transfer-encoding", "chunked");
    let mut socket = tokio::net::TcpStream::connect(world.address)
        .await
        .expect("connects");
    let bytes = [request.to_bytes(), chunk(first)].concat();
    tokio::io::AsyncWriteExt::write_all(&mut socket, &bytes)
        .await
        .expect("sent");
    Stream::read_head(socket).await
}

#[tokio::test]
async fn lines_are_answered_while_the_body_still_arrives() {
    let world = World::start().await;
    let mut answers = begin(&world, "writer", &line("project/1", 1)).await;
    assert_eq!(answers.head.status, 200);
    assert_eq!(
        answers.head.header("content-type"),
        Some("application/x-ndjson")
    );
    let first = answers.next_line().await.expect("an answer");
    assert_eq!(first["line"], 1);
    assert!(first["cursor"].is_string());
    for number in 2..=20 {
        answers.send(&chunk(&line("project/1", number))).await;
        assert_eq!(
            answers.next_line().await.expect("an answer")["line"],
            number
        );
    }
    answers.send(b"0\r\n\r\n").await;
    assert_eq!(answers.next_line().await, None);
}

#[tokio::test]
async fn many_lines_keep_their_order() {
    let world = World::start().await;
    let count = 2_000;
    let body: String = (1..=count)
        .map(|number| line("project/1", number))
        .collect();
    let answer = world.send(whole(&body)).await;
    let lines: Vec<serde_json::Value> = answer
        .text()
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(lines.len() as u64, count);
    let offset = |line: &serde_json::Value| {
        let cursor = line["cursor"].as_str().expect("a cursor");
        cursor
            .split('-')
            .next()
            .and_then(|offset| offset.parse::<u64>().ok())
            .expect("an offset")
    };
    assert!(
        lines
            .windows(2)
            .all(|two| offset(&two[0]) < offset(&two[1]))
    );
    assert!(
        lines
            .iter()
            .zip(1..)
            .all(|(line, number): (_, u64)| line["line"] == number)
    );
}

#[tokio::test]
async fn large_lines_are_answered_in_batches_of_bounded_size() {
    let world = World::start().await;
    let large = format!(
        "{{\"type\":\"t\",\"topics\":[\"project/1\"],\"data\":\"{}\"}}\n",
        "x".repeat(200_000)
    );
    let answer = world.send(whole(&large.repeat(8))).await;
    let text = answer.text();
    assert_eq!(text.lines().count(), 8);
    assert!(
        text.lines().all(|line| line.contains("\"cursor\"")),
        "{text}"
    );
}

#[tokio::test]
async fn a_refused_line_has_its_own_error_and_the_others_go_on() {
    let world = World::start().await;
    let body = format!(
        "{}not json\n\n{}{}{}",
        line("project/1", 1),
        line("secret", 4),
        "{\"type\":\"t\",\"topic\":\"project/1\"}\n",
        line("project/1", 6).trim_end(),
    );
    let answer = world.send(whole(&body)).await;
    assert_eq!(answer.status, 200);
    let lines: Vec<(u64, String)> = answer
        .text()
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"))
        .map(|line| {
            let outcome = line["error"]["code"].as_str().unwrap_or("ok").to_owned();
            (line["line"].as_u64().expect("a number"), outcome)
        })
        .collect();
    let expected = [
        (1, "ok"),
        (2, "invalid_json"),
        (4, "not_granted"),
        (5, "unknown_field"),
        (6, "ok"),
    ];
    assert_eq!(
        lines,
        expected.map(|(line, outcome)| (line, outcome.to_owned()))
    );
}

#[tokio::test]
async fn the_status_is_that_of_the_first_line() {
    let world = World::start().await;
    let answer = world
        .send(whole(&format!(
            "{}{}",
            line("secret", 1),
            line("project/1", 2)
        )))
        .await;
    assert_eq!(answer.status, 403);
    let second = answer
        .text()
        .lines()
        .nth(1)
        .expect("a second answer")
        .to_owned();
    assert!(second.contains("\"cursor\""), "{second}");
}

#[tokio::test]
async fn a_body_without_events_is_refused() {
    let world = World::start().await;
    for body in ["\n\n \r\n", "\n"] {
        let answer = world.send(whole(body)).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (400, "invalid_event")
        );
    }
}

#[tokio::test]
async fn a_line_over_its_limit_is_refused_and_the_next_is_read() {
    let world = World::start().await;
    let long = format!("{{\"type\":\"t\",\"data\":\"{}\"}}\n", "x".repeat(600_000));
    let answer = world
        .send(whole(&format!("{long}{}", line("project/1", 2))))
        .await;
    assert_eq!(answer.status, 413);
    let text = answer.text();
    let second: serde_json::Value =
        serde_json::from_str(text.lines().nth(1).expect("a line")).expect("JSON");
    assert_eq!(
        (second["line"].as_u64(), second["cursor"].is_string()),
        (Some(2), true)
    );
}

#[tokio::test]
async fn the_last_line_says_where_reading_stopped() {
    let world = World::start().await;
    let mut answers = begin(
        &world,
        "brief",
        &format!("{}{}", line("project/1", 1), line("secret", 2)),
    )
    .await;
    assert!(answers.next_line().await.expect("an answer")["cursor"].is_string());
    assert_eq!(
        answers.next_line().await.expect("an answer")["error"]["code"],
        "not_granted"
    );
    world.advance_wall(61_000);
    let end = world.hub.head();
    answers.send(&chunk(&line("project/1", 3))).await;
    let stopped = answers.next_line().await.expect("an answer");
    assert_eq!(
        (stopped["accepted"].as_u64(), stopped["line"].as_u64()),
        (Some(1), Some(3))
    );
    assert_eq!(stopped["error"]["code"], "invalid_token");
    assert_eq!(answers.next_line().await, None);
    assert_eq!(
        world.hub.head(),
        end,
        "nothing was published with an ended credential"
    );
}

#[tokio::test]
async fn the_last_line_arrives_although_more_was_sent() {
    let world = World::start().await;
    let mut answers = begin(&world, "brief", &line("project/1", 1)).await;
    assert_eq!(answers.next_line().await.expect("an answer")["line"], 1);
    world.advance_wall(61_000);
    // Far more than fits into the buffers of the connection; without a taker the send would fail.
    let rest = line("project/1", 2).repeat(200_000);
    answers.send(&[chunk(&rest), b"0\r\n\r\n".to_vec()].concat()).await;
    let stopped = answers.next_line().await.expect("an answer");
    assert_eq!((stopped["accepted"].as_u64(), stopped["line"].as_u64()), (Some(1), Some(2)));
    assert_eq!(answers.next_line().await, None);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_told_up_to_where_it_was_read() {
    let world = World::start().await;
    let mut answers = begin(&world, "writer", &line("project/1", 1)).await;
    assert_eq!(answers.next_line().await.expect("an answer")["line"], 1);
    answers.send(b"zz\r\n").await;
    let stopped = answers.next_line().await.expect("an answer");
    assert_eq!(
        (stopped["accepted"].as_u64(), stopped["line"].as_u64()),
        (Some(1), Some(2))
    );
}
