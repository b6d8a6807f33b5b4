//! Who is at the other end of a connection.

use std::net::{IpAddr, SocketAddr};

use crate::forwarded::Scheme;

/// The peer of a connection, as the socket tells it; headers that claim another are not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    address: SocketAddr,
    is_over_tls: bool,
}

impl Peer {
    /// The peer with this address.
    pub fn new(address: SocketAddr) -> Self {
        Self {
            address,
            is_over_tls: false,
        }
    }

    /// The same over TLS that ends here.
    #[must_use]
    pub fn over_tls(self) -> Self {
        Self {
            is_over_tls: true,
            ..self
        }
    }

    /// The scheme by which it comes, if that is certain: what comes in the clear may come from a proxy
    /// that nobody knows of, before which it did not.
    pub(crate) fn scheme(self) -> Option<Scheme> {
        self.is_over_tls.then_some(Scheme::Https)
    }

    /// Its address, with an IPv4 address always written as one.
    pub fn ip(self) -> IpAddr {
        self.address.ip().to_canonical()
    }

    /// Whether it runs on this machine.
    pub fn is_loopback(self) -> bool {
        self.ip().is_loopback()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapped_address_is_the_address_itself() {
        let peer = |text: &str| Peer::new(text.parse().expect(text));
        assert!(peer("[::ffff:127.0.0.1]:80").is_loopback());
        assert!(peer("[::1]:80").is_loopback());
        assert!(!peer("192.0.2.1:80").is_loopback());
        assert_eq!(peer("[::ffff:192.0.2.1]:80").ip(), peer("192.0.2.1:1").ip());
    }
}
