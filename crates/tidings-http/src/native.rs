//! The native API under `/v1`, one file per verb.

pub(crate) mod asked;

pub(crate) mod event;
pub(crate) mod page;
pub(crate) mod publish;
pub(crate) mod refused_stream;
pub(crate) mod stream;
pub(crate) mod test_event;
pub(crate) mod topic;
