//! The known ways to make two readers of HTTP/1 go apart, and to make one of them fail.

use super::{Case, smuggled};

/// Chunk extensions of this size, and trailers, are nobody's business.
const ABSURD_BYTES: usize = 1024 * 1024;

const POST: &str =
    "POST /v1/events?userId=me HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";

/// A body for whoever goes by the coding, with a request behind it.
fn behind_chunks() -> Vec<u8> {
    [b"0\r\n\r\n".as_slice(), &smuggled()].concat()
}

/// Every known case.
pub fn corpus() -> Vec<Case> {
    let mut cases = codings();
    cases.extend(lengths());
    cases.extend(chunks());
    cases.extend(lines());
    cases.extend(targets());
    cases
}

/// A publish with these headers, in which `{}` is the length of its body.
fn with(name: &str, headers: &str) -> Case {
    let body = behind_chunks();
    let headers = headers.replace("{}", &body.len().to_string());
    let head = format!("{POST}{headers}\r\n");
    Case::of(name, [head.as_bytes(), &body].concat())
}

/// Heads that give the length of the body in two ways.
fn codings() -> Vec<Case> {
    vec![
        with(
            "CL.TE",
            "content-length: {}\r\ntransfer-encoding: chunked\r\n",
        ),
        with(
            "TE.CL",
            "transfer-encoding: chunked\r\ncontent-length: {}\r\n",
        ),
        with(
            "CL.TE and keep-alive",
            "connection: keep-alive\r\ncontent-length: {}\r\ntransfer-encoding: chunked\r\n",
        ),
        with(
            "TE.TE, the second unknown",
            "content-length: {}\r\ntransfer-encoding: chunked\r\ntransfer-encoding: x\r\n",
        ),
        with(
            "TE.TE, the first unknown",
            "content-length: {}\r\ntransfer-encoding: x\r\ntransfer-encoding: chunked\r\n",
        ),
        with(
            "TE.TE, twice chunked",
            "content-length: {}\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n",
        ),
        with(
            "TE with a space before the colon",
            "content-length: {}\r\ntransfer-encoding : chunked\r\n",
        ),
        with(
            "TE behind a tab",
            "content-length: {}\r\ntransfer-encoding:\tchunked\r\n",
        ),
        with(
            "TE behind a vertical tab",
            "content-length: {}\r\ntransfer-encoding: \u{b}chunked\r\n",
        ),
        with(
            "TE in a folded line",
            "content-length: {}\r\ntransfer-encoding:\r\n chunked\r\n",
        ),
        with(
            "TE in another header's fold",
            "content-length: {}\r\nx: y\r\n transfer-encoding: chunked\r\n",
        ),
        with(
            "TE behind a bare line feed",
            "content-length: {}\r\nx: y\ntransfer-encoding: chunked\r\n",
        ),
        with(
            "TE behind a bare carriage return",
            "content-length: {}\r\nx: y\rtransfer-encoding: chunked\r\n",
        ),
        with(
            "TE in quotes",
            "content-length: {}\r\ntransfer-encoding: \"chunked\"\r\n",
        ),
        with(
            "TE with a comma",
            "content-length: {}\r\ntransfer-encoding: ,chunked\r\n",
        ),
        with(
            "TE chunked, identity",
            "content-length: {}\r\ntransfer-encoding: chunked, identity\r\n",
        ),
    ]
}

/// Lengths that are none, or more than one.
fn lengths() -> Vec<Case> {
    vec![
        with(
            "two lengths, the first shorter",
            "content-length: 5\r\ncontent-length: {}\r\n",
        ),
        with(
            "two lengths, the second shorter",
            "content-length: {}\r\ncontent-length: 5\r\n",
        ),
        with(
            "two equal lengths",
            "content-length: {}\r\ncontent-length: {}\r\n",
        ),
        with("a list of lengths", "content-length: 5, {}\r\n"),
        with("a list of equal lengths", "content-length: {}, {}\r\n"),
        with("a signed length", "content-length: +{}\r\n"),
        with("a negative length", "content-length: -{}\r\n"),
        with(
            "an octal length",
            "content-length: 0{}\r\ncontent-length: {}\r\n",
        ),
        with("a hexadecimal length", "content-length: 0x{}\r\n"),
        with(
            "a length beyond 2^64",
            "content-length: 18446744073709551617\r\ncontent-length: {}\r\n",
        ),
        with(
            "an empty length",
            "content-length:\r\ncontent-length: {}\r\n",
        ),
    ]
}

/// Bodies whose chunks are no chunks. `5` and the smuggled request are what one reader makes of them.
fn chunks() -> Vec<Case> {
    let with = |name: &str, body: Vec<u8>| {
        let head = format!("{POST}transfer-encoding: chunked\r\n\r\n");
        Case::of(name, [head.into_bytes(), body].concat())
    };
    let inside = |begin: &str, end: &str| [begin.as_bytes(), &smuggled(), end.as_bytes()].concat();
    let absurd = "x".repeat(ABSURD_BYTES);
    vec![
        with(
            "a chunk extension of 1 MiB",
            format!("2;{absurd}\r\n{{}}\r\n0\r\n\r\n").into_bytes(),
        ),
        with(
            "a trailer of 1 MiB",
            format!("0\r\nx: {absurd}\r\n\r\n").into_bytes(),
        ),
        with("a line feed ends the size", inside("3\n{}\n0\n\n", "")),
        with(
            "a line feed in an extension",
            inside("2;\n{}\r\n0\r\n\r\n", ""),
        ),
        with(
            "a carriage return ends the size",
            inside("2\r{}\r\n0\r\n\r\n", ""),
        ),
        with(
            "a size beyond 2^64",
            inside("10000000000000000\r\n", "\r\n0\r\n\r\n"),
        ),
        with("a size with a sign", inside("+2\r\n{}\r\n0\r\n\r\n", "")),
        with("a size with a base", inside("0x2\r\n{}\r\n0\r\n\r\n", "")),
        with("a negative size", inside("-2\r\n{}\r\n0\r\n\r\n", "")),
        with("no size", inside("\r\n{}\r\n0\r\n\r\n", "")),
        with(
            "a chunk longer than its size",
            inside("2\r\n{}xx\r\n0\r\n\r\n", ""),
        ),
        with(
            "a chunk without its line end",
            inside("2\r\n{}0\r\n\r\n", ""),
        ),
        with("a body of no chunk, and no end", inside("0\r\n", "")),
    ]
}

/// Lines of a head that are none.
fn lines() -> Vec<Case> {
    let get = |name: &str, head: &str| Case::of(name, head.as_bytes().to_vec());
    vec![
        get(
            "bare line feeds",
            "GET /healthz HTTP/1.1\nhost: localhost\n\n",
        ),
        get(
            "a folded header",
            "GET /healthz HTTP/1.1\r\nhost: localhost\r\nx: y\r\n folded\r\n\r\n",
        ),
        get(
            "a fold at the beginning",
            "GET /healthz HTTP/1.1\r\n host: localhost\r\n\r\n",
        ),
        get(
            "NUL in a value",
            "GET /healthz HTTP/1.1\r\nhost: localhost\r\nx: a\0b\r\n\r\n",
        ),
        get(
            "NUL in a name",
            "GET /healthz HTTP/1.1\r\nhost: localhost\r\nx\0y: z\r\n\r\n",
        ),
        get(
            "NUL in the target",
            "GET /healthz\0 HTTP/1.1\r\nhost: localhost\r\n\r\n",
        ),
        get(
            "NUL in the method",
            "G\0T /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n",
        ),
        get(
            "a space before the colon",
            "GET /healthz HTTP/1.1\r\nhost: localhost\r\nx : y\r\n\r\n",
        ),
        get(
            "no colon",
            "GET /healthz HTTP/1.1\r\nhost: localhost\r\nxy\r\n\r\n",
        ),
        get(
            "no name",
            "GET /healthz HTTP/1.1\r\nhost: localhost\r\n: y\r\n\r\n",
        ),
        get("no host", "GET /healthz HTTP/1.1\r\n\r\n"),
        get(
            "two hosts",
            "GET /healthz HTTP/1.1\r\nhost: localhost\r\nhost: other\r\n\r\n",
        ),
        get(
            "empty lines before it",
            "\r\n\r\n\r\nGET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n",
        ),
        get("nothing but line ends", &"\r\n".repeat(20_000)),
        get(
            "a version of its own",
            "GET /healthz HTTP/1.1x\r\nhost: localhost\r\n\r\n",
        ),
        get("no version", "GET /healthz\r\nhost: localhost\r\n\r\n"),
        get(
            "HTTP/1.0 that wants to stay, with chunks",
            "POST /v1/events HTTP/1.0\r\nconnection: keep-alive\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        ),
        get("a handshake of TLS", "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}"),
        get("an answer", "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"),
        get(
            "half a preface of HTTP/2",
            "PRI * HTTP/2.0\r\n\r\nSX\r\n\r\n",
        ),
    ]
}

/// Targets of every form, and methods that mean something else.
fn targets() -> Vec<Case> {
    let get = |name: &str, line: &str| {
        Case::of(
            name,
            format!("{line} HTTP/1.1\r\nhost: localhost\r\n\r\n").into_bytes(),
        )
    };
    let body = smuggled();
    let length = body.len();
    let with_body = |name: &str, line: &str| {
        let head =
            format!("{line} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {length}\r\n\r\n");
        Case::of(name, [head.as_bytes(), &body].concat())
    };
    vec![
        get("absolute-form", "GET http://localhost/healthz"),
        get(
            "absolute-form of another host",
            "GET http://other.example/healthz",
        ),
        get(
            "absolute-form with a user",
            "GET http://user:password@localhost/healthz",
        ),
        get("absolute-form of another scheme", "GET file:///etc/passwd"),
        get("authority-form", "CONNECT localhost:80"),
        get("asterisk-form", "OPTIONS *"),
        get("asterisk-form of a GET", "GET *"),
        get("a fragment", "GET /healthz#x"),
        get("a space in the target", "GET /health z"),
        get("bytes that are no text", "GET /\u{ff}\u{fe}"),
        get("TRACE", "TRACE /healthz"),
        with_body("GET with a body", "GET /healthz"),
        with_body("HEAD with a body", "HEAD /healthz"),
        with_body("OPTIONS with a body", "OPTIONS /v1/events"),
        with_body("CONNECT with a body", "CONNECT localhost:80"),
        with_body("DELETE with a body", "DELETE /nothing"),
    ]
}
