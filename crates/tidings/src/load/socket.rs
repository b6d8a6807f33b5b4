//! Sockets of readers: opened without waiting, from one of several addresses of this machine.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream as StdStream};
use std::time::Duration;

use mio::net::TcpStream;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketType, bind, connect, socket, sockopt};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Begins to connect; the socket is writable when it is done.
pub(super) fn begin_connect(to: SocketAddr, from: Option<Ipv4Addr>) -> io::Result<TcpStream> {
    let socket = match from {
        None => TcpStream::connect(to)?,
        Some(from) => {
            let socket = socket(AddressFamily::INET, SocketType::STREAM, None)?;
            bind(&socket, &SocketAddrV4::new(from, 0))?;
            let socket = StdStream::from(socket);
            socket.set_nonblocking(true)?;
            match connect(&socket, &to) {
                Ok(()) | Err(Errno::INPROGRESS) => {}
                Err(error) => return Err(error.into()),
            }
            TcpStream::from_std(socket)
        }
    };
    socket.set_nodelay(true)?;
    Ok(socket)
}

/// Makes the closing of a socket leave nothing behind: no port that has to rest for a minute.
pub(super) fn close_without_rest(socket: &TcpStream) -> io::Result<()> {
    Ok(sockopt::set_socket_linger(socket, Some(Duration::ZERO))?)
}

/// The address that a reader connects from, when there are several.
pub(super) fn source_address(reader: usize, addresses: usize) -> Option<Ipv4Addr> {
    let last = u8::try_from(reader.checked_rem(addresses)? + 2).ok()?;
    Some(Ipv4Addr::new(127, 0, 0, last))
}

/// How many descriptors this process may have, once it has asked for all that it may ask for.
pub(super) fn raise_descriptor_limit() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let wanted = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    let granted = match setrlimit(Resource::Nofile, wanted) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    };
    granted.unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_take_turns_on_the_source_addresses() {
        assert_eq!(source_address(5, 0), None);
        let turn: Vec<_> = (0..3).map(|reader| source_address(reader, 2)).collect();
        let address = |last| Some(Ipv4Addr::new(127, 0, 0, last));
        assert_eq!(turn, [address(2), address(3), address(2)]);
    }
}
