//! The simulated disk itself: it loses what may be lost, and nothing else.

use std::io::ErrorKind;
use std::path::Path;

use tidings_log::disk::Disk;

use crate::sim_disk::{Fault, Loss, SimDisk};
use crate::sim_random::Random;

const DIR: &str = "data";

fn disk(seed: u64) -> SimDisk {
    let disk = SimDisk::new(Random::new(seed));
    disk.create_dir(Path::new(DIR)).expect("a directory");
    disk
}

fn path(name: &str) -> std::path::PathBuf {
    Path::new(DIR).join(name)
}

fn content(disk: &SimDisk, name: &str) -> Option<Vec<u8>> {
    let file = disk.open(&path(name)).ok()?;
    let mut content = vec![0; file.len_bytes().expect("a length") as usize];
    file.read_at(&mut content, 0).expect("readable");
    Some(content)
}

#[test]
fn what_was_synced_survives_every_crash() {
    for seed in 0..200 {
        let disk = disk(seed);
        let file = disk.create(&path("a"), 8_192).expect("created");
        disk.sync_dir(Path::new(DIR)).expect("synced");
        file.write_at(&[1; 3_000], 100).expect("written");
        file.sync_data().expect("synced");
        file.write_at(&[2; 5_000], 3_100).expect("written");
        disk.create(&path("b"), 10).expect("created");
        let disk = disk.crash(Loss::Power);
        let found = content(&disk, "a").expect("the name was synced");
        assert_eq!(found.len(), 8_192);
        assert_eq!(found[100..3_100], [1; 3_000]);
        assert!(
            found[3_100..8_100]
                .iter()
                .all(|byte| *byte == 0 || *byte == 2)
        );
    }
}

#[test]
fn what_was_not_synced_is_lost_torn_or_kept_and_names_too() {
    let (mut kept, mut lost, mut torn) = (0, 0, 0);
    let (mut renamed, mut not_renamed, mut vanished) = (0, 0, 0);
    for seed in 0..200 {
        let disk = disk(seed);
        let file = disk.create(&path("a"), 16_384).expect("created");
        disk.create(&path("new"), 1).expect("created");
        disk.sync_dir(Path::new(DIR)).expect("synced");
        disk.create(&path("gone"), 1).expect("created");
        disk.rename(&path("new"), &path("renamed"))
            .expect("renamed");
        file.write_at(&[9; 16_384], 0).expect("written");
        let disk = disk.crash(Loss::Power);
        let found = content(&disk, "a").expect("the name was synced");
        match found.iter().map(|byte| usize::from(*byte == 9)).sum() {
            0 => lost += 1,
            16_384_usize => kept += 1,
            some => {
                assert_eq!(some % 512, 0, "sectors are whole");
                torn += 1;
            }
        }
        let (old, new) = (content(&disk, "new"), content(&disk, "renamed"));
        assert!(old.is_some() != new.is_some(), "a rename is atomic");
        renamed += u32::from(new.is_some());
        not_renamed += u32::from(old.is_some());
        vanished += u32::from(content(&disk, "gone").is_none());
        let counters = disk.counters();
        assert_eq!(counters.crashes, 1);
    }
    for cases in [kept, lost, torn, renamed, not_renamed, vanished] {
        assert!(
            cases > 10,
            "{kept} {lost} {torn} {renamed} {not_renamed} {vanished}"
        );
    }
}

#[test]
fn a_killed_process_leaves_everything_but_its_next_loss_of_power_may_take_it() {
    let mut lost = 0;
    for seed in 0..50 {
        let disk = disk(seed);
        let file = disk.create(&path("a"), 100).expect("created");
        disk.sync_dir(Path::new(DIR)).expect("synced");
        file.write_at(&[1; 100], 0).expect("written");
        let disk = disk.crash(Loss::Process);
        assert_eq!(content(&disk, "a"), Some(vec![1; 100]));
        let disk = disk.crash(Loss::Power);
        lost += u32::from(content(&disk, "a") == Some(vec![0; 100]));
    }
    assert!(lost > 10, "{lost}");
}

#[test]
fn the_power_goes_at_the_chosen_call_and_stays_off() {
    let disk = disk(1);
    let file = disk.create(&path("a"), 100).expect("created");
    disk.power_goes_in(2);
    file.write_at(&[1; 10], 0).expect("written");
    assert!(file.sync_data().is_err() && disk.is_off());
    assert!(file.write_at(&[1; 10], 0).is_err());
    assert!(disk.sync_dir(Path::new(DIR)).is_err());
    assert!(disk.list(Path::new(DIR)).is_err());
    assert_eq!(disk.counters().crashes_in_calls, 1);
    let next = disk.crash(Loss::Power);
    assert!(next.list(Path::new(DIR)).is_ok());
}

#[test]
fn d6_after_a_failed_sync_a_later_one_that_succeeds_proves_nothing() {
    let mut lost = 0;
    for seed in 0..50 {
        let disk = disk(seed);
        let file = disk.create(&path("a"), 4_096).expect("created");
        disk.sync_dir(Path::new(DIR)).expect("synced");
        file.write_at(&[1; 4_096], 0).expect("written");
        disk.set_fault(Some(Fault::SyncFails));
        assert!(file.sync_data().is_err());
        file.sync_data().expect("the device is well again");
        let mut seen = [0; 4_096];
        file.read_at(&mut seen, 0).expect("readable");
        assert_eq!(seen, [1; 4_096], "the running program sees what it wrote");
        assert_eq!(disk.counters().failed_syncs, 1);
        let disk = disk.crash(Loss::Power);
        lost += u32::from(content(&disk, "a") != Some(vec![1; 4_096]));
    }
    assert!(lost > 10, "{lost}");
}

#[test]
fn d5_without_space_nothing_grows_and_what_exists_is_written() {
    let disk = disk(1);
    let file = disk.create(&path("a"), 100).expect("created");
    disk.set_fault(Some(Fault::NoSpace));
    let refused = disk.create(&path("b"), 100).expect_err("no space");
    assert_eq!(refused.kind(), ErrorKind::StorageFull);
    let refused = file.write_at(&[1; 10], 95).expect_err("no space");
    assert_eq!(refused.kind(), ErrorKind::StorageFull);
    file.write_at(&[1; 10], 90).expect("inside the file");
    assert_eq!(disk.counters().refused_for_space, 2);
    disk.set_fault(None);
    file.write_at(&[1; 10], 95).expect("there is space again");
}

#[test]
fn d15_a_lock_is_refused_while_it_is_held_and_gone_after_a_crash() {
    let disk = disk(1);
    let held = disk.lock(&path("LOCK")).expect("free");
    let refused = disk.lock(&path("LOCK")).expect_err("held");
    assert_eq!(refused.kind(), ErrorKind::WouldBlock);
    let next = disk.crash(Loss::Process);
    assert!(next.lock(&path("LOCK")).is_ok());
    drop(held);
}
