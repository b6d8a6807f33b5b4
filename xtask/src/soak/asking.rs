//! Requests that have one answer, each on a connection of its own.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// Asks something, and returns the status and the whole answer.
pub(super) async fn ask(
    address: SocketAddr,
    line: &str,
    token: &str,
    body: &str,
) -> Result<(u16, String)> {
    let asked = async {
        let mut socket = TcpStream::connect(address).await?;
        let request = format!(
            "{line} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        );
        socket.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await?;
        let status = answer.get(9..12).and_then(|status| status.parse().ok());
        let status = status.with_context(|| format!("no answer of HTTP: {answer}"))?;
        Ok((status, answer))
    };
    timeout(ANSWER_WITHIN, asked)
        .await
        .with_context(|| format!("no answer in time to `{line}`"))?
}
