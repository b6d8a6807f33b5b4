//! What the socket of a client is set to, once, before anything is read from it.

use std::io;
use std::net::TcpStream;

use socket2::{SockRef, TcpKeepalive};

use crate::limits::{
    TCP_KEEPALIVE_AFTER, TCP_KEEPALIVE_INTERVAL, TCP_KEEPALIVE_PROBES, TCP_UNSENT_BYTES_MAX,
    TCP_USER_TIMEOUT,
};

/// Prepares a socket that a shard has been given, by whoever has served it before.
pub(crate) fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_nonblocking(true)?;
    prepare_socket(stream)
}

/// Prepares a TCP socket for small writes to a client that may go away without a word, or stay and not
/// read.
///
/// # Errors
///
/// Fails as the system does, for a socket that is no TCP socket or is gone.
pub fn prepare_socket<'a>(socket: impl Into<SockRef<'a>>) -> io::Result<()> {
    let socket = socket.into();
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
