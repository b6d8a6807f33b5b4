//! What the socket of a client is set to, before anything is read from it.
//!
//! On Linux it is the listener that is set to it, once, and whatever it accepts is so from the
//! beginning: seven calls of the kernel less for each client.

use std::io;

use socket2::{SockRef, TcpKeepalive};

use crate::limits::{
    TCP_KEEPALIVE_AFTER, TCP_KEEPALIVE_INTERVAL, TCP_KEEPALIVE_PROBES, TCP_UNSENT_BYTES_MAX,
    TCP_USER_TIMEOUT,
};

/// Prepares a TCP socket for small writes to a client that may go away without a word, or stay and not
/// read; or a listener, for those that it will accept.
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

/// Prepares a socket that was accepted by a prepared listener, as far as it is not prepared already.
///
/// # Errors
///
/// As [`prepare_socket`].
pub fn prepare_accepted<'a>(socket: impl Into<SockRef<'a>>) -> io::Result<()> {
    if cfg!(target_os = "linux") {
        return Ok(());
    }
    prepare_socket(socket)
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener, TcpStream};

    use super::*;

    #[test]
    fn n2_whatever_a_prepared_listener_accepts_is_prepared() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        prepare_socket(&listener).expect("a listener");
        let client = TcpStream::connect(listener.local_addr().expect("an address"));
        let (accepted, _) = listener.accept().expect("a client");
        prepare_accepted(&accepted).expect("a socket");
        let socket = SockRef::from(&accepted);
        assert!(socket.tcp_nodelay().expect("known"));
        assert!(socket.keepalive().expect("known"));
        #[cfg(target_os = "linux")]
        {
            assert_eq!(socket.tcp_keepalive_time().ok(), Some(TCP_KEEPALIVE_AFTER));
            assert_eq!(
                socket.tcp_keepalive_interval().ok(),
                Some(TCP_KEEPALIVE_INTERVAL)
            );
            assert_eq!(
                socket.tcp_keepalive_retries().ok(),
                Some(TCP_KEEPALIVE_PROBES)
            );
            let user_timeout = socket.tcp_user_timeout().expect("known");
            assert_eq!(user_timeout, Some(TCP_USER_TIMEOUT));
            assert_eq!(socket.tcp_notsent_lowat().ok(), Some(TCP_UNSENT_BYTES_MAX));
        }
        drop(client);
    }
}
