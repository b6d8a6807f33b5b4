//! Tests of the logs as their users see them, one file per behaviour.

mod sim_disk;
mod sim_random;
mod support;

mod embedded_conformance;
mod memory_conformance;
mod memory_retention;
mod publish;
mod sim_disk_rules;
