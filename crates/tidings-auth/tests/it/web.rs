//! An application of the tests' own behind a real socket, a plain way to ask it, and a clock to set.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tidings_auth::fetch::{Fetch, FetchAnswer, FetchError, FetchFuture, FetchMethod, FetchRequest};
use tidings_core::port::Clock;
use tidings_core::time::{Moment, Timestamp};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore};

/// What the application does with a question.
#[derive(Debug, Clone)]
pub(crate) enum Does {
    /// Answers at once.
    Answers(u16, String),
    /// Answers with what the cookie `echo` holds as the subject.
    Echoes,
    /// Answers as soon as it is let go.
    Waits(u16, String),
    /// Never answers.
    IsSilent,
    /// Ends the connection.
    HangsUp,
}

/// An application that listens on a port of its own.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) address: SocketAddr,
    does: Mutex<Does>,
    questions: Mutex<Vec<String>>,
    arrived: Notify,
    let_go: Semaphore,
    inside: AtomicUsize,
    most_inside: AtomicUsize,
}

impl App {
    pub(crate) async fn start(does: Does) -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let app = Arc::new(Self {
            address: listener.local_addr().expect("an address"),
            does: Mutex::new(does),
            questions: Mutex::new(Vec::new()),
            arrived: Notify::new(),
            let_go: Semaphore::new(0),
            inside: AtomicUsize::new(0),
            most_inside: AtomicUsize::new(0),
        });
        let served = Arc::clone(&app);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.expect("a connection");
                let app = Arc::clone(&served);
                tokio::spawn(async move { app.serve(stream).await });
            }
        });
        app
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/api/auth/session", self.address)
    }

    pub(crate) fn now_does(&self, does: Does) {
        *self.does.lock().expect("whole") = does;
    }

    /// How many questions have arrived.
    pub(crate) fn asked(&self) -> usize {
        self.questions.lock().expect("whole").len()
    }

    /// The last question as it was sent.
    pub(crate) fn last(&self) -> String {
        let questions = self.questions.lock().expect("whole");
        questions.last().expect("a question").clone()
    }

    /// Waits until so many questions have arrived in all.
    pub(crate) async fn has_arrived(&self, count: usize) {
        loop {
            let arrived = self.arrived.notified();
            if self.asked() >= count {
                return;
            }
            arrived.await;
        }
    }

    /// Lets so many questions that wait be answered.
    pub(crate) fn let_go(&self, count: usize) {
        self.let_go.add_permits(count);
    }

    /// The most questions that were being answered at a time.
    pub(crate) fn most_at_a_time(&self) -> usize {
        self.most_inside.load(Ordering::SeqCst)
    }

    async fn serve(&self, mut stream: TcpStream) {
        let mut question = Vec::new();
        while !question.ends_with(b"\r\n\r\n") {
            match stream.read_u8().await {
                Ok(byte) => question.push(byte),
                Err(_) => return,
            }
        }
        let question = String::from_utf8(question).expect("text");
        let does = self.does.lock().expect("whole").clone();
        let inside = self.inside.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_inside.fetch_max(inside, Ordering::SeqCst);
        self.questions.lock().expect("whole").push(question.clone());
        self.arrived.notify_waiters();
        let (status, body) = match does {
            Does::Answers(status, body) => (status, body),
            Does::Echoes => (200, echo(&question)),
            Does::Waits(status, body) => {
                self.let_go.acquire().await.expect("open").forget();
                (status, body)
            }
            Does::IsSilent => {
                // Until whoever asked has gone.
                let _gone = stream.read_u8().await;
                return;
            }
            Does::HangsUp => return,
        };
        self.inside.fetch_sub(1, Ordering::SeqCst);
        let length = body.len();
        let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\n\r\n{body}");
        // Whoever asked may have gone.
        let _sent = stream.write_all(answer.as_bytes()).await;
    }
}

fn echo(question: &str) -> String {
    let (_, cookie) = question.split_once("echo=").expect("the cookie");
    let subject = cookie.split(['\r', ';']).next().expect("its value");
    serde_json::json!({ "subject": subject }).to_string()
}

/// Sends questions one by one over plain connections.
#[derive(Debug)]
pub(crate) struct PlainFetch;

impl Fetch for PlainFetch {
    fn fetch(&self, request: FetchRequest) -> FetchFuture<'_> {
        Box::pin(async move {
            let sent = tokio::time::timeout(request.timeout, send(&request));
            sent.await
                .unwrap_or(Err(FetchError::TimedOut(request.timeout)))
        })
    }
}

async fn send(request: &FetchRequest) -> Result<FetchAnswer, FetchError> {
    let broken = |error: std::io::Error| FetchError::Unreachable(error.to_string());
    let rest = request
        .address
        .as_str()
        .strip_prefix("http://")
        .expect("a plain address");
    let (host, path) = rest.split_once('/').expect("a path");
    let method = match request.method {
        FetchMethod::Get => "GET",
        FetchMethod::Post => "POST",
    };
    let mut question = format!("{method} /{path} HTTP/1.1\r\nhost: {host}\r\n").into_bytes();
    for (name, value) in &request.headers {
        question.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
    }
    question.extend(b"\r\n");
    let mut stream = TcpStream::connect(host).await.map_err(broken)?;
    stream.write_all(&question).await.map_err(broken)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.map_err(broken)?;
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n");
    let Some(end) = end else {
        return Err(FetchError::Unreachable("it hung up".to_owned()));
    };
    let body = answer.split_off(end + 4);
    if body.len() > request.body_bytes_max {
        return Err(FetchError::TooLarge(request.body_bytes_max));
    }
    let head = String::from_utf8(answer).expect("text");
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    Ok(FetchAnswer {
        status: status.expect("a status"),
        headers: Vec::new(),
        body,
    })
}

/// A clock that stands still until it is moved.
#[derive(Debug, Default)]
pub(crate) struct HandClock(AtomicU64);

impl HandClock {
    pub(crate) fn pass(&self, time: Duration) {
        self.0.fetch_add(time.as_millis() as u64, Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp(1_900_000_000_000 + self.0.load(Ordering::SeqCst))
    }

    fn moment(&self) -> Moment {
        Moment(self.0.load(Ordering::SeqCst))
    }
}
