//! Whichever target `TIDINGS_FUZZ_TARGET` names, under libFuzzer: one program to build instead of one for
//! each.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tidings_fuzz::{TARGETS, Target};

static TARGET: LazyLock<Target> = LazyLock::new(|| {
    let name = std::env::var("TIDINGS_FUZZ_TARGET").expect("`TIDINGS_FUZZ_TARGET` names a target");
    let mut targets = TARGETS.into_iter();
    targets
        .find(|target| target.name == name)
        .expect("`TIDINGS_FUZZ_TARGET` names a target that there is")
});

fuzz_target!(|data: &[u8]| (TARGET.run)(data));
