//! Tests of the logs as their users see them, one file per behaviour.

mod sim_disk;
mod sim_oracle;
mod sim_random;
mod sim_world;
mod support;

mod embedded_conformance;
mod memory_conformance;
mod memory_retention;
mod publish;
mod sim_crash;
mod sim_disk_rules;
