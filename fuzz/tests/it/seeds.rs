//! N14 without a fuzzer: no seed and no mutation of one makes a target panic.

use std::collections::BTreeSet;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use tidings_fuzz::mutation::Mutator;
use tidings_fuzz::{TARGETS, Target};

/// Mutations of all seeds of a target together.
const MUTATIONS: usize = 2_000;

fn seeds_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds")
}

/// The seeds of a target with their paths, in the order of their names.
fn seeds(target: &Target) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = seeds_dir().join(target.name);
    let entries = std::fs::read_dir(&folder).expect(target.name);
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    let read = |path: PathBuf| {
        let bytes = std::fs::read(&path).expect("a seed");
        (path, bytes)
    };
    paths.into_iter().map(read).collect()
}

fn run(target: &Target, input: &[u8], what: &str) {
    let name = target.name;
    if catch_unwind(|| (target.run)(input)).is_err() {
        let hint = "write it to a file in `fuzz/seeds` to keep it";
        panic!(
            "`{name}` does not stand {what}: b\"{}\"; {hint}",
            input.escape_ascii()
        );
    }
}

#[test]
fn n14_every_target_has_seeds_and_every_seed_a_target() {
    let entries = std::fs::read_dir(seeds_dir()).expect("the folder of seeds");
    let folders: BTreeSet<String> = entries
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    let names = TARGETS.map(|target| target.name.to_owned());
    assert_eq!(folders, BTreeSet::from(names));
    for target in TARGETS {
        assert!(seeds(&target).len() >= 3, "{}", target.name);
    }
}

#[test]
fn n14_no_seed_makes_a_target_panic() {
    for target in TARGETS {
        run(&target, b"", "nothing at all");
        for (path, seed) in seeds(&target) {
            run(&target, &seed, &path.display().to_string());
        }
    }
}

#[test]
fn n14_no_mutation_of_a_seed_makes_a_target_panic() {
    std::thread::scope(|threads| {
        for target in &TARGETS {
            threads.spawn(|| stands_mutations(target));
        }
    });
}

fn stands_mutations(target: &Target) {
    let seeds = seeds(target);
    let mut mutator = Mutator::new(14);
    for round in 0..MUTATIONS {
        let (path, seed) = &seeds[round % seeds.len()];
        let (_, other) = &seeds[(round / seeds.len()) % seeds.len()];
        let input = mutator.mutate(seed, other);
        run(target, &input, &format!("a mutation of {}", path.display()));
    }
}
