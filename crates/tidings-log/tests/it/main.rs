//! Tests of the logs as their users see them, one file per behaviour.

<<<<<<< HEAD
<<<<<<< HEAD
=======
mod faulty;
>>>>>>> wip-sim
mod sim_disk;
mod sim_oracle;
mod sim_random;
mod sim_world;
mod support;

<<<<<<< HEAD
mod embedded_conformance;
mod memory_conformance;
mod memory_retention;
mod publish;
mod sim_disk_rules;
=======
=======
>>>>>>> wip-sim
mod clock;
mod damage;
mod dedupe;
mod disk_faults;
mod embedded_conformance;
mod feed;
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
<<<<<<< HEAD
>>>>>>> wip-log
=======
>>>>>>> wip-sim
