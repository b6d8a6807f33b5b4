//! Requests put together at random from good and bad parts.

use super::smuggled;
use crate::random::Random;

/// Of a hundred line ends of a request that may have odd ones, so many are odd.
const ODD_LINE_ENDS_PERCENT: u64 = 15;

/// Of a hundred requests, so many have no odd line end.
const RIGHT_LINE_ENDS_PERCENT: u64 = 60;

/// Of a hundred requests, so many have a good first line.
const GOOD_LINE_PERCENT: u64 = 60;

const EVENT: &str = r#"{"type":"t","topics":["a"],"data":1}"#;

const GOOD_LINES: [&str; 6] = [
    "POST /v1/events?userId=me HTTP/1.1",
    "POST /v1/events?userId=me HTTP/1.1",
    "POST /v1/events HTTP/1.1",
    "GET /v1/events?userId=me&topics=a&limit=1 HTTP/1.1",
    "GET /healthz HTTP/1.1",
    "OPTIONS /v1/events HTTP/1.1",
];

const METHODS: [&str; 16] = [
    "GET", "GET", "POST", "POST", "POST", "PUT", "HEAD", "OPTIONS", "DELETE", "TRACE", "CONNECT",
    "get", "G ET", "", "PRI", "M\u{1}",
];

const TARGETS: [&str; 20] = [
    "/healthz",
    "/v1/events",
    "/v1/events",
    "/v1/events?userId=me&topics=a&limit=1",
    "/v1/topics/a%2Fb?userId=me",
    "/openapi.json",
    "*",
    "http://localhost/healthz",
    "http://other.example/healthz",
    "https://localhost:1/",
    "//healthz",
    "/../../etc/passwd",
    "/%",
    "/%00",
    "/\u{7f}",
    "/a\u{b}b",
    "/\u{fc}",
    "localhost:80",
    "",
    "/a b",
];

const VERSIONS: [&str; 12] = [
    "HTTP/1.1",
    "HTTP/1.1",
    "HTTP/1.1",
    "HTTP/1.1",
    "HTTP/1.1",
    "HTTP/1.0",
    "HTTP/0.9",
    "HTTP/2.0",
    "HTTP/1.10",
    "http/1.1",
    "HTTP/1.1 ",
    "",
];

const ODD_LINE_ENDS: [&str; 4] = ["\n", "\r", "\n\r", "\r\r\n"];

const ODD_HEADERS: [&str; 24] = [
    "x-y: z",
    "x-y : z",
    " x-y: z",
    "x-y:z\r\n folded",
    "x-y:\tz",
    "x y: z",
    ": z",
    "x-y",
    "x-y: a\0b",
    "x-y: a\u{1}b",
    "x-y: a\rb",
    "h\u{f6}st: a",
    "host: other",
    "host: a@b",
    "host:",
    "connection: keep-alive, close",
    "connection: upgrade\r\nupgrade: websocket",
    "connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__",
    "expect: 100-continue",
    "expect: 200-ok",
    "te: trailers",
    "trailer: content-length",
    "transfer-encoding : chunked",
    "content_length: 5",
];

const LENGTHS: [&str; 12] = [
    "+{}",
    "-{}",
    "{} ",
    "0x{}",
    "{}, {}",
    "{},1",
    "{}.0",
    "{}\t",
    "\u{b}{}",
    "1{}00000000000000000000",
    "\"{}\"",
    "",
];

const CODINGS: [&str; 14] = [
    "chunked",
    "Chunked",
    "chunked ",
    "\tchunked",
    "chunked\u{b}",
    "xchunked",
    "\"chunked\"",
    "chunked;q=1",
    "identity",
    "gzip, chunked",
    "chunked, identity",
    "chunked, chunked",
    "",
    "chunked\r\n\tx",
];

const CHUNK_LINES: [&str; 16] = [
    "{}\r\n",
    "0{}\r\n",
    "{};a=b\r\n",
    "{} ;a\r\n",
    "{};a=\"\r\n\"\r\n",
    "+{}\r\n",
    "-{}\r\n",
    "0x{}\r\n",
    "{}\n",
    "{}\r",
    " {}\r\n",
    "{}g\r\n",
    "ffffffffffffffff{}\r\n",
    "\r\n{}\r\n",
    "{}\0\r\n",
    "\r\n",
];

const LAST_CHUNKS: [&str; 7] = [
    "0\r\n\r\n",
    "0\r\n\r\n",
    "0\r\n\r\n",
    "0\n\n",
    "0\r\nx: y\r\n\r\n",
    "0\r\n",
    "00\r\n\r\n",
];

/// One request, whose bytes a good request may follow.
pub(super) fn request(random: &mut Random) -> Vec<u8> {
    let mut draft = Draft {
        has_odd_ends: !random.percent(RIGHT_LINE_ENDS_PERCENT),
        random,
        out: Vec::new(),
    };
    draft.first_line();
    draft.headers();
    match draft.random.below(5) {
        0 => draft.end_line(),
        1 => draft.with_length(),
        2 => draft.with_odd_length(),
        3 => draft.with_chunks(),
        _ => draft.with_both(),
    }
    if draft.random.percent(5) {
        draft.flip();
    }
    draft.out
}

/// A request that is being put together.
struct Draft<'r> {
    random: &'r mut Random,
    has_odd_ends: bool,
    out: Vec<u8>,
}

impl Draft<'_> {
    fn text(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    fn one_of(&mut self, texts: &[&str]) {
        let text = self.random.pick(texts);
        self.out.extend_from_slice(text.as_bytes());
    }

    fn end_line(&mut self) {
        if self.has_odd_ends && self.random.percent(ODD_LINE_ENDS_PERCENT) {
            self.one_of(&ODD_LINE_ENDS);
        } else {
            self.text("\r\n");
        }
    }

    fn first_line(&mut self) {
        if self.random.percent(GOOD_LINE_PERCENT) {
            self.one_of(&GOOD_LINES);
        } else {
            self.one_of(&METHODS);
            self.text(" ");
            self.one_of(&TARGETS);
            self.text(" ");
            self.one_of(&VERSIONS);
        }
        self.end_line();
    }

    fn headers(&mut self) {
        if !self.random.percent(5) {
            self.text("host: localhost");
            self.end_line();
        }
        if self.random.percent(70) {
            self.text("content-type: application/json");
            self.end_line();
        }
        if self.random.percent(30) {
            self.one_of(&ODD_HEADERS);
            self.end_line();
        }
    }

    /// What stands in bodies: an event, nothing that is JSON, or what must not be taken for a request.
    fn body(&mut self) -> Vec<u8> {
        match self.random.below(3) {
            0 => EVENT.as_bytes().to_vec(),
            1 => b"a=1&b=2".to_vec(),
            _ => smuggled(),
        }
    }

    fn with_length(&mut self) {
        let body = self.body();
        self.text(&format!("content-length: {}\r\n\r\n", body.len()));
        self.out.extend_from_slice(&body);
    }

    /// A length that is none, or two of them.
    fn with_odd_length(&mut self) {
        let body = self.body();
        let length = body.len().to_string();
        if self.random.percent(30) {
            self.text(&format!("content-length: 0{length}\r\n"));
        }
        let value = self.random.pick(&LENGTHS).replace("{}", &length);
        self.text(&format!(
            "content-length: {length}\r\ncontent-length: {value}\r\n\r\n"
        ));
        self.out.extend_from_slice(&body);
    }

    /// Chunks of which one may be odd. What follows the last one is never a request that was smuggled:
    /// behind a body that is whole, it would be one like any other.
    fn with_chunks(&mut self) {
        self.text("transfer-encoding: ");
        if self.random.percent(80) {
            self.text("chunked");
        } else {
            self.one_of(&CODINGS);
        }
        self.text("\r\n\r\n");
        let is_odd = self.random.percent(50);
        let line = if is_odd {
            self.random.pick(&CHUNK_LINES)
        } else {
            "{}\r\n"
        };
        let (begin, end) = EVENT.split_at(self.random.below(EVENT.len() as u64) as usize);
        for (piece, line) in [(begin, "{}\r\n"), (end, line)] {
            if !piece.is_empty() {
                self.text(&line.replace("{}", &format!("{:x}", piece.len())));
                self.text(piece);
                self.end_line();
            }
        }
        self.one_of(&LAST_CHUNKS);
    }

    /// A length and a coding that contradict each other: whoever goes by the one sees another request
    /// in what the other one calls the body.
    fn with_both(&mut self) {
        let chunked = [b"0\r\n\r\n".as_slice(), &smuggled()].concat();
        let length = format!("content-length: {}\r\n", chunked.len());
        let coding = format!("transfer-encoding: {}\r\n", self.random.pick(&CODINGS));
        let lines = if self.random.percent(50) {
            [length, coding]
        } else {
            [coding, length]
        };
        self.text(&lines.concat());
        self.text("\r\n");
        self.out.extend_from_slice(&chunked);
    }

    /// Replaces a byte of the first line: what follows stays as it is.
    fn flip(&mut self) {
        let out = &mut self.out;
        let line = out.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
        let end = line.unwrap_or(out.len()).max(1) as u64;
        let at = self.random.below(end) as usize;
        if let Some(byte) = out.get_mut(at) {
            *byte = self.random.below(256) as u8;
        }
    }
}
