//! Tests of the logs as their users see them, one file per behaviour.

mod copy_disk;
mod faulty;
mod sim_disk;
mod sim_oracle;
mod sim_random;
mod sim_world;
mod support;

mod clock;
mod damage;
mod dedupe;
mod disk_faults;
mod disk_limits;
mod embedded_conformance;
mod every_bit;
mod feed;
mod keeper;
mod limits;
mod memory_conformance;
mod memory_retention;
mod model;
mod opening;
mod power_loss;
mod publish;
mod retention;
mod sim_crash;
mod sim_disk_rules;
mod torn_tail;
