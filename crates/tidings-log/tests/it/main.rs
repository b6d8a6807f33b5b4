//! Tests of the logs as their users see them, one file per behaviour.

<<<<<<< HEAD
mod sim_disk;
mod sim_random;
mod support;

mod embedded_conformance;
mod memory_conformance;
mod memory_retention;
mod publish;
mod sim_disk_rules;
=======
mod clock;
mod damage;
mod dedupe;
mod disk_faults;
mod faulty;
mod feed;
mod limits;
mod model;
mod opening;
mod power_loss;
mod publish;
mod retention;
mod sim_disk;
mod support;
mod torn_tail;
>>>>>>> wip-log
