//! An issuer that publishes keys over HTTP, and can be told to misbehave.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// What the server does with a request.
#[derive(Clone)]
pub(crate) enum Answer {
    /// This status and body, with a length.
    Plain(u16, String),
    /// Zeros without an announced length, this many.
    Endless(usize),
    /// A head, a part of a body, and nothing more.
    Stalled,
    /// Another address.
    Redirect(String),
    /// A closed connection.
    Down,
}

/// A server on a free port, which stops when it is dropped.
pub(crate) struct KeyServer {
    address: SocketAddr,
    state: Arc<State>,
}

struct State {
    answer: Mutex<Answer>,
    requests: AtomicUsize,
    heads: Mutex<Vec<String>>,
    is_stopped: AtomicBool,
}

impl KeyServer {
    /// A server that answers with this key set.
    pub(crate) fn new(keys: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound");
        let state = Arc::new(State {
            answer: Mutex::new(Answer::Plain(200, keys.to_owned())),
            requests: AtomicUsize::new(0),
            heads: Mutex::default(),
            is_stopped: AtomicBool::new(false),
        });
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming() {
                if shared.is_stopped.load(Ordering::SeqCst) {
                    return;
                }
                let shared = Arc::clone(&shared);
                let stream = stream.expect("a connection");
                thread::spawn(move || shared.serve(stream));
            }
        });
        Self { address, state }
    }

    /// The address of its keys.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/keys", self.address)
    }

    /// Answers from now on like this.
    pub(crate) fn answers(&self, answer: Answer) {
        *self.state.answer.lock().expect("unpoisoned") = answer;
    }

    /// Publishes these keys from now on.
    pub(crate) fn publishes(&self, keys: &str) {
        self.answers(Answer::Plain(200, keys.to_owned()));
    }

    /// How many requests it has seen.
    pub(crate) fn requests(&self) -> usize {
        self.state.requests.load(Ordering::SeqCst)
    }

    /// The heads of all requests, in lower case.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.state.heads.lock().expect("unpoisoned").clone()
    }
}

impl State {
    fn serve(&self, mut stream: TcpStream) {
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            match stream.read(&mut byte) {
                Ok(1) => head.push(byte[0]),
                _ => return,
            }
        }
        let head = String::from_utf8_lossy(&head).to_lowercase();
        self.heads.lock().expect("unpoisoned").push(head);
        self.requests.fetch_add(1, Ordering::SeqCst);
        let answer = self.answer.lock().expect("unpoisoned").clone();
        // The client may have seen enough and gone.
        drop(Self::answer(&mut stream, &answer));
    }

    fn answer(stream: &mut TcpStream, answer: &Answer) -> std::io::Result<()> {
        match answer {
            Answer::Plain(status, body) => {
                let length = body.len();
                write!(
                    stream,
                    "HTTP/1.1 {status} -\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
                )
            }
            Answer::Endless(bytes) => {
                write!(stream, "HTTP/1.1 200 -\r\nconnection: close\r\n\r\n")?;
                let zeros = [b'0'; 4096];
                (0..bytes / zeros.len()).try_for_each(|_| stream.write_all(&zeros))
            }
            Answer::Stalled => {
                write!(stream, "HTTP/1.1 200 -\r\ncontent-length: 100\r\n\r\n{{")?;
                // Until the client gives up.
                stream.read(&mut [0]).map(drop)
            }
            Answer::Redirect(to) => write!(
                stream,
                "HTTP/1.1 302 -\r\nlocation: {to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            ),
            Answer::Down => Ok(()),
        }
    }
}

impl Drop for KeyServer {
    fn drop(&mut self) {
        self.state.is_stopped.store(true, Ordering::SeqCst);
        // Wakes the listener, which then sees that it is over.
        drop(TcpStream::connect(self.address));
    }
}
