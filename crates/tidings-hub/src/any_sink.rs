//! The sinks that live side by side in a shard.

use std::net::IpAddr;

use bytes::Bytes;
use tidings_core::delivery::{Delivery, Sink, Taken};

use crate::mailbox::MailboxSink;
use crate::socket::SocketSink;

/// A sink of one kind or the other.
#[derive(Debug)]
pub(crate) enum AnySink {
    Mailbox(MailboxSink),
    Socket(SocketSink),
}

impl AnySink {
    /// From where its reader comes, as limits count it; unknown once the reader has left.
    pub(crate) fn address(&self) -> Option<IpAddr> {
        match self {
            Self::Mailbox(sink) => sink.address(),
            Self::Socket(sink) => Some(sink.address()),
        }
    }
}

impl Sink for AnySink {
    fn is_free(&self) -> bool {
        match self {
            Self::Mailbox(sink) => sink.is_free(),
            Self::Socket(sink) => sink.is_free(),
        }
    }

    fn deliver(&mut self, delivery: Delivery) -> Taken {
        match self {
            Self::Mailbox(sink) => sink.deliver(delivery),
            Self::Socket(sink) => sink.deliver(delivery),
        }
    }

    fn cut_short(&mut self, last: Bytes) {
        match self {
            Self::Mailbox(sink) => sink.cut_short(last),
            Self::Socket(sink) => sink.cut_short(last),
        }
    }
}
