//! The refusal of a request whose head could not be read: too large, or not HTTP.

use std::time::Duration;

use http::Response;
use http_body_util::BodyExt as _;
use tidings_wire::problem::{Code, Problem};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::timeout;

use super::head;
use crate::head_limits;
use crate::limits::{HEAD_BYTES_MAX, HEADERS_MAX, LINGER_MS_MAX, UNREAD_BYTES_MAX, URL_BYTES_MAX};
use crate::reply::Body;

/// What a TLS handshake begins with: a record of this type, of version 3.
const TLS_HANDSHAKE: &[u8] = b"\x16\x03";

/// What is wrong with a head. `read` is what came of it, unless the parser had already gone past it
/// when it found the fault.
pub(super) fn problem(error: &hyper::Error, read: &[u8]) -> Problem {
    if error.is_parse_too_large() {
        return too_large(read);
    }
    // The parser tells its reasons apart in words alone.
    let invalid_header = |detail: &str| Problem::new(Code::InvalidHeader, detail);
    let invalid_request = |detail: &str| Problem::new(Code::InvalidRequest, detail);
    match error.to_string().as_str() {
        "invalid HTTP method parsed" if read.starts_with(TLS_HANDSHAKE) => invalid_request(
            "the connection begins with a TLS handshake, and this port takes plain HTTP",
        )
        .with_hint("use `http://`, or the port of the proxy that ends TLS"),
        "invalid HTTP method parsed" => {
            invalid_request("the request line does not begin with a method")
        }
        "invalid HTTP version parsed" => {
            invalid_request("the request line does not end with `HTTP/1.1` or `HTTP/1.0`")
        }
        "invalid URI" => invalid_request("the request's target is not a valid path with a query")
            .with_hint("begin it with `/`, and percent-encode what is not a letter or digit"),
        "invalid HTTP header parsed" => faulty_header(read),
        "invalid content-length parsed" => {
            invalid_header("`Content-Length` is not one decimal number")
                .with_hint("send one `Content-Length`, or `Transfer-Encoding: chunked`")
        }
        "invalid transfer-encoding parsed" => {
            invalid_header("`Transfer-Encoding` does not end with `chunked`")
                .with_hint("send `Transfer-Encoding: chunked`, or a `Content-Length`")
        }
        "unexpected transfer-encoding parsed" => {
            invalid_header("HTTP/1.0 has no `Transfer-Encoding`")
                .with_hint("send a `Content-Length`, or use HTTP/1.1")
        }
        _ => invalid_request("the request is not valid HTTP"),
    }
}

/// Which limit a head is beyond.
fn too_large(read: &[u8]) -> Problem {
    let line = read.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let target = line.split(|byte| *byte == b' ').nth(1);
    if target.is_some_and(|target| target.len() > URL_BYTES_MAX) {
        let detail = format!("the URL has more than {URL_BYTES_MAX} bytes");
        return Problem::new(Code::UriTooLong, detail).with_number("limit", URL_BYTES_MAX as u64);
    }
    // The request line, all headers that are allowed, and what follows.
    let lines = read.split(|byte| *byte == b'\n').count();
    let (what, limit) = if read.len() < HEAD_BYTES_MAX || lines > HEADERS_MAX + 2 {
        ("headers", HEADERS_MAX)
    } else {
        ("bytes", HEAD_BYTES_MAX)
    };
    head_limits::too_many(what, limit)
}

/// Which line of a head is no header, if that can be told. Its text is not repeated: it may be a
/// credential with a stray byte.
fn faulty_header(read: &[u8]) -> Problem {
    let lines = read.split(|byte| *byte == b'\n').skip(1);
    let faulty = lines.take(HEADERS_MAX).position(|line| {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            return true;
        };
        let (name, value) = line.split_at(colon);
        http::HeaderName::from_bytes(name).is_err()
            || value
                .iter()
                .any(|byte| byte.is_ascii_control() && *byte != b'\t')
    });
    let detail = match faulty {
        Some(index) => format!("header line {} is not valid", index + 1),
        None => "a header line is not valid".to_owned(),
    };
    Problem::new(Code::InvalidHeader, detail).with_hint(
        "a header is `name: value` in one line without control characters, which ends with CRLF",
    )
}

/// Sends the last answer of a connection, closes it and [lingers](linger). `replaced` is hyper's own
/// refusal, whose date is kept.
///
/// # Cancel safety
///
/// The connection ends with the future.
pub(super) async fn answer<T>(
    mut io: T,
    response: Response<Body>,
    replaced: &[u8],
) -> std::io::Result<()>
where
    T: AsyncRead + AsyncWrite + Unpin,
{
    let bytes = on_the_wire(response, date_line(replaced)).await;
    let farewell = async {
        io.write_all(&bytes).await?;
        io.shutdown().await?;
        drop_rest(io).await
    };
    timeout(Duration::from_millis(LINGER_MS_MAX), farewell)
        .await
        .unwrap_or(Ok(()))
}

/// Takes and drops for a while what the client is still sending after the last answer: a connection
/// that is closed with unread bytes is reset, and the client would lose the answer.
///
/// # Cancel safety
///
/// The connection ends with the future.
pub(super) async fn linger<T>(io: T) -> std::io::Result<()>
where
    T: AsyncRead + Unpin,
{
    timeout(Duration::from_millis(LINGER_MS_MAX), drop_rest(io))
        .await
        .unwrap_or(Ok(()))
}

async fn drop_rest<T>(io: T) -> std::io::Result<()>
where
    T: AsyncRead + Unpin,
{
    let mut rest = io.take(UNREAD_BYTES_MAX);
    tokio::io::copy(&mut rest, &mut tokio::io::sink()).await?;
    Ok(())
}

/// The header with the date of an answer, with its line end; empty if it has none.
fn date_line(head: &[u8]) -> &[u8] {
    let mut lines = head.split_inclusive(|byte| *byte == b'\n');
    lines
        .find(|line| line.starts_with(b"date: "))
        .unwrap_or_default()
}

/// A whole answer after which the connection is closed, as HTTP/1.1.
async fn on_the_wire(response: Response<Body>, date: &[u8]) -> Vec<u8> {
    let (parts, body) = response.into_parts();
    let body = match body.collect().await {
        Ok(body) => body.to_bytes(),
        Err(never) => match never {},
    };
    let mut out = Vec::with_capacity(512 + body.len());
    head::append("HTTP/1.1", parts.status, &parts.headers, &mut out);
    out.extend_from_slice(date);
    let length = body.len();
    let framing = format!("connection: close\r\ncontent-length: {length}\r\n\r\n");
    out.extend_from_slice(framing.as_bytes());
    out.extend_from_slice(&body);
    out
}

#[cfg(test)]
mod tests {
    use tokio::io::duplex;
    use tokio::time::Instant;

    use super::*;
    use crate::reply::Refusal;
    use crate::request_id::RequestId;

    fn response() -> Response<Body> {
        let problem = Problem::new(Code::InvalidRequest, "no");
        Refusal::from(problem).into_response(RequestId::random())
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_never_stops_sending_is_cut_after_so_many_bytes() {
        let (near, far) = duplex(1_024);
        let begun = Instant::now();
        let (mut reads, mut writes) = tokio::io::split(far);
        let sends = tokio::spawn(async move {
            let mut sent = 0;
            while writes.write_all(&[b'x'; 512]).await.is_ok() {
                sent += 512;
            }
            sent
        });
        let reads = tokio::spawn(async move {
            let mut all = Vec::new();
            reads.read_to_end(&mut all).await.expect("reads");
            all
        });
        answer(near, response(), b"").await.expect("no error");
        assert_eq!(begun.elapsed(), Duration::ZERO, "no time-out ended it");
        let sent: u64 = sends.await.expect("sends");
        assert!(
            (UNREAD_BYTES_MAX..=UNREAD_BYTES_MAX + 2_048).contains(&sent),
            "{sent}"
        );
        assert!(reads.await.expect("reads").ends_with(b"}"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_does_nothing_is_cut_after_a_while() {
        for room in [16, 64 * 1024] {
            let (near, _far) = duplex(room);
            let begun = Instant::now();
            answer(near, response(), b"").await.expect("no error");
            assert!(
                begun.elapsed() >= Duration::from_millis(LINGER_MS_MAX),
                "{room}"
            );
            assert!(
                begun.elapsed() < Duration::from_millis(2 * LINGER_MS_MAX),
                "{room}"
            );
        }
    }
}
