//! Behaviour of the embedded log, one file each.

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
