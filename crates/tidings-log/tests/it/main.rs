//! Tests of the logs as their users see them, one file per behaviour.

mod memory_conformance;
mod memory_retention;
