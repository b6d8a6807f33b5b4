//! Behaviour of the embedded log, one file each.

mod publish;
mod support;
