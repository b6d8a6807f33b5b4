//! What a stream's socket is set to, once, when its shard takes it over.

use std::io;
use std::net::TcpStream;

use socket2::{SockRef, TcpKeepalive};

use crate::limits::{
    TCP_KEEPALIVE_AFTER, TCP_KEEPALIVE_INTERVAL, TCP_KEEPALIVE_PROBES, TCP_UNSENT_BYTES_MAX,
    TCP_USER_TIMEOUT,
};

/// Prepares a socket for small writes to a reader that may go away without a word.
pub(crate) fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_nonblocking(true)?;
    let socket = SockRef::from(stream);
    socket.set_tcp_nodelay(true)?;
    let keepalive = TcpKeepalive::new()
        .with_time(TCP_KEEPALIVE_AFTER)
        .with_interval(TCP_KEEPALIVE_INTERVAL)
        .with_retries(TCP_KEEPALIVE_PROBES);
    socket.set_tcp_keepalive(&keepalive)?;
    // Linux alone has both; elsewhere a slow reader pins more of the kernel's memory, and one that
    // vanished is noticed when heartbeats fill its window.
    #[cfg(target_os = "linux")]
    {
        socket.set_tcp_user_timeout(Some(TCP_USER_TIMEOUT))?;
        socket.set_tcp_notsent_lowat(TCP_UNSENT_BYTES_MAX)?;
    }
    Ok(())
}
