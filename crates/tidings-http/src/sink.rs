//! Sinks: how what a connection reads reaches its client.

mod mailbox;

pub(crate) use mailbox::Mailbox;
