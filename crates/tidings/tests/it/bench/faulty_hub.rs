//! A hub of raw TCP that passes events on, each one to everybody, and does something wrong with every
//! seventh of them: only for one reader, so that it is known how often.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    None,
    Lose,
    Repeat,
    /// An event comes after the next one.
    MixUp,
    /// An event is not taken, and its publisher is told.
    Refuse,
}

/// A running hub.
pub(super) struct FaultyHub {
    pub(super) url: String,
    state: Arc<State>,
}

struct State {
    fault: Fault,
    faults: AtomicU64,
    room: Mutex<Room>,
}

#[derive(Default)]
struct Room {
    readers: Vec<TcpStream>,
    asked: u64,
    events: u64,
    /// An event that comes after the next one.
    held: Option<String>,
}

impl FaultyHub {
    pub(super) fn start(fault: Fault) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let state = Arc::new(State {
            fault,
            faults: AtomicU64::new(0),
            room: Mutex::default(),
        });
        let shared = state.clone();
        thread::spawn(move || {
            for connection in listener.incoming() {
                let connection = connection.expect("a connection");
                let state = shared.clone();
                thread::spawn(move || serve(&state, connection));
            }
        });
        Self { url, state }
    }

    /// How often something went wrong.
    pub(super) fn faults(&self) -> u64 {
        self.state.faults.load(Ordering::SeqCst)
    }
}

/// Answers publishes until the connection ends, or keeps it for a reader.
fn serve(state: &State, mut connection: TcpStream) {
    let mut input = BufReader::new(connection.try_clone().expect("a clone"));
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if input.read_line(&mut head).is_ok_and(|read| read > 0) {
                continue;
            }
            return;
        }
        let mut room = state.room.lock().expect("no panic");
        if head.starts_with("GET /sub/bench/0 ") {
            let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
            connection.write_all(head.as_bytes()).expect("a reader");
            room.readers.push(connection);
            return;
        }
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("Content-Length: "));
        let mut body = vec![0; length.expect("a length").parse().expect("a number")];
        input.read_exact(&mut body).expect("a body");
        let body = String::from_utf8(body).expect("UTF-8");
        let status = if state.refuses(&mut room) {
            "503 Service Unavailable"
        } else {
            "201 Created"
        };
        let answer =
            format!("HTTP/1.1 {status}\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n");
        if status.starts_with("201") {
            state.pass_on(&mut room, &format!("data: {body}\n\n"));
        }
        if connection.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

impl State {
    fn refuses(&self, room: &mut Room) -> bool {
        room.asked += 1;
        let refuses = self.fault == Fault::Refuse && room.asked.is_multiple_of(7);
        if refuses {
            self.happens(String::new());
        }
        refuses
    }

    fn pass_on(&self, room: &mut Room, event: &str) {
        room.events += 1;
        let first = match (self.fault, room.held.take()) {
            (Fault::MixUp, Some(held)) => format!("{event}{held}"),
            _ if !room.events.is_multiple_of(7) => event.to_owned(),
            (Fault::None | Fault::Refuse, _) => event.to_owned(),
            (Fault::Lose, _) => self.happens(String::new()),
            (Fault::Repeat, _) => self.happens(format!("{event}{event}")),
            (Fault::MixUp, None) => {
                room.held = Some(event.to_owned());
                self.happens(String::new())
            }
        };
        for (index, mut reader) in room.readers.iter().enumerate() {
            let text = if index == 0 { &first } else { event };
            // A load that is over has closed its streams.
            let _written = reader.write_all(text.as_bytes());
        }
    }

    fn happens(&self, event: String) -> String {
        self.faults.fetch_add(1, Ordering::SeqCst);
        event
    }
}
