//! Connections against frames of a hub, as the hub sends them.

use super::*;

/// A hub's side: frames that it sends.
fn frame(kind: Kind, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    frames::put(kind, flags, stream, payload, &mut out);
    out
}

/// What a connection has put out since it was last asked.
fn sent(connection: &mut Connection) -> Vec<(Kind, u8, u32, Vec<u8>)> {
    let out = std::mem::take(connection.out());
    let bytes = out.strip_prefix(PREFACE).unwrap_or(&out);
    let mut all = Vec::new();
    let taken = Frames::default().take(bytes, |frame| {
        all.push((
            frame.kind,
            frame.flags,
            frame.stream,
            frame.payload.to_vec(),
        ));
        Ok(())
    });
    taken.expect("frames");
    all
}

fn fields() -> Fields {
    Fields::post("hub", "/v1/events")
}

#[test]
fn a_connection_begins_with_its_preface_and_settings() {
    let mut connection = Connection::new();
    assert!(connection.out().starts_with(PREFACE));
    let sent = sent(&mut connection);
    let kinds: Vec<_> = sent.iter().map(|frame| frame.0).collect();
    assert_eq!(kinds, [Kind::Settings, Kind::WindowUpdate]);
}

#[test]
fn an_answer_is_read_wherever_it_is_cut() {
    let answer = [
        frame(Kind::Settings, 0, 0, &[]),
        frame(Kind::Headers, frames::END_HEADERS, 1, &[0x20, 0x88]),
        frame(Kind::Data, 8, 1, b"\x02hello\0\0"),
        frame(Kind::Ping, 0, 0, b"12345678"),
        frame(Kind::Data, frames::END_STREAM, 1, b"!"),
    ]
    .concat();
    for cut in 0..=answer.len() {
        let mut connection = Connection::new();
        assert_eq!(connection.post(&fields(), b"{}"), 1);
        sent(&mut connection);
        let mut told = Vec::new();
        let (first, second) = answer.split_at(cut);
        for part in [first, second] {
            let taken =
                connection.take(part, |stream, news| told.push(format!("{stream} {news:?}")));
            taken.expect("HTTP/2");
        }
        let expected = [
            "1 Head { status: 200, ends: false }",
            "1 Data { bytes: [104, 101, 108, 108, 111], ends: false }",
            "1 Data { bytes: [33], ends: true }",
        ];
        assert_eq!(told, expected, "cut at {cut}");
        let owed = [
            (Kind::Settings, frames::ACK, 0, Vec::new()),
            (Kind::Ping, frames::ACK, 0, b"12345678".to_vec()),
        ];
        assert_eq!(sent(&mut connection), owed);
    }
}

#[test]
fn a_body_waits_for_the_windows_of_the_hub() {
    let mut connection = Connection::new();
    let body = vec![b'x'; FIRST_WINDOW as usize + 10];
    let stream = connection.post(&fields(), &body);
    let length = |connection: &mut Connection| -> usize {
        let data = sent(connection).into_iter();
        let data = data.filter(|frame| frame.0 == Kind::Data);
        data.map(|frame| frame.3.len()).sum()
    };
    assert_eq!(length(&mut connection), FIRST_WINDOW as usize);
    let more = 10_u32.to_be_bytes();
    let mut update = |stream| {
        let taken = connection.take(&frame(Kind::WindowUpdate, 0, stream, &more), |_, _| {});
        taken.expect("HTTP/2");
        (length(&mut connection), connection.is_sending())
    };
    assert_eq!(update(0), (0, true), "the stream has no room");
    assert_eq!(update(stream), (10, false));
}

#[test]
fn a_hub_that_goes_away_and_one_that_speaks_otherwise_are_errors() {
    let take = |bytes: &[u8]| Connection::new().take(bytes, |_, _| {});
    let away = frame(Kind::GoAway, 0, 0, &[0, 0, 0, 0, 0, 0, 0, 11]);
    assert_eq!(take(&away), Err(H2Error::GoneAway(11)));
    assert_eq!(
        take(b"HTTP/1.1 400 Bad Request\r\n"),
        Err(H2Error::NotHttp2)
    );
    let endless = frame(Kind::Headers, 0, 1, &[0x88]);
    assert_eq!(take(&endless), Err(H2Error::NotHttp2));
}
