//! Sinks: how what a connection reads reaches its client.

mod mailbox;
mod take_over;

pub(crate) use mailbox::{Endless, Mailbox};
pub(crate) use take_over::{Offer, TakeOver};
